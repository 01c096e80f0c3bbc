// What a worker says of itself, to requesters and on the chain, from one configuration.
#pragma once

#include "client-sdk/task/offer.hpp"
#include "primitives/crypto/sign.hpp"
#include "worker/duty/registration.hpp"
#include "worker/service/config.hpp"

namespace tally::worker {

// Payloads are sealed to its public key, which stands in the registration: so it stays the same
// over restarts, and comes from the account's secret.
Secret seal_secret_of(const KeyPair& worker);

// For the task stream.
task::WorkerOffer offer_of(const WorkerConfig& config, const task::WorkerProfile& profile);

// For the chain. `profile` tells the measured speeds; without it they are 0. Fails when the
// configuration cannot be registered: no stake, no price, an endpoint that is too long.
Result<Registration, Error> registration_of(const WorkerConfig& config, const KeyPair& worker,
                                            const task::WorkerProfile& profile = {});

}  // namespace tally::worker
