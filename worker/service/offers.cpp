#include "worker/service/offers.hpp"

#include <algorithm>

#include "primitives/crypto/hash.hpp"
#include "primitives/task/receipt.hpp"
#include "worker/service/job.hpp"

namespace tally::worker {

Secret seal_secret_of(const KeyPair& worker) {
  Bytes seed = domain_tag("worker-seal-secret");
  append(seed, worker.secret().view());
  return *Secret::from(blake2_256(seed));
}

task::WorkerOffer offer_of(const WorkerConfig& config, const task::WorkerProfile& profile) {
  task::WorkerOffer offer{.environment = task::executor_environment(),
                          .window = config.window,
                          .credit_window = config.credit_window,
                          .max_timeout_ms = config.max_timeout_ms,
                          .max_input_bytes = config.max_input_bytes,
                          .max_output_bytes = config.max_output_bytes,
                          .profile = profile,
                          .issued_ms = wall_clock()};
  for (const task::TaskPrice& price : config.prices) TALLY_ASSERT(offer.prices.push_back(price));
  return offer;
}

Result<Registration, Error> registration_of(const WorkerConfig& config, const KeyPair& worker,
                                            const task::WorkerProfile& profile) {
  const RegistrationConfig& wanted = config.registration;
  if (wanted.stake.is_zero()) {
    return fail_with("registration.stake must say how much is staked, for example \"150 CC\"");
  }
  if (config.prices.empty()) return fail_with("a worker must offer at least one type of task");
  const std::string& endpoint = wanted.endpoint.empty() ? config.listen : wanted.endpoint;
  if (endpoint.size() > workers::kMaxEndpoint) {
    return fail_with("registration.endpoint must be at most " + to_decimal(workers::kMaxEndpoint) +
                     " bytes, got " + to_decimal(endpoint.size()));
  }
  std::vector<task::TaskPrice> prices = config.prices;
  std::sort(prices.begin(), prices.end(),
            [](const auto& a, const auto& b) { return a.type < b.type; });
  Registration out{.profile = {.endpoint = endpoint,
                               .seal_key = seal_public(seal_secret_of(worker)),
                               .environment = task::executor_environment(),
                               .offers = {}},
                   .stake = wanted.stake};
  for (const task::TaskPrice& price : prices) {
    const bool measured = price.type == task::TaskType::prime_calculation;
    const bool room = out.profile.offers.push_back(
        {.type = price.type,
         .price = price.price,
         .per_units = price.per_units,
         .units_per_second = measured ? profile.primes_per_second : 0});
    if (!room) {
      return fail_with("a worker offers at most " + to_decimal(workers::kMaxOffers) +
                       " types of task");
    }
  }
  return out;
}

}  // namespace tally::worker
