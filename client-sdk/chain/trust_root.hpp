// What a client believes without proof, from the chain spec that the user chose.
#pragma once

#include "client-sdk/chain/trust.hpp"
#include "genesis/chain_spec.hpp"

namespace tally::client {

// Builds genesis, which for a spec with many accounts takes a moment. A live chain has a trust
// period; on the others everybody knows the validators' keys.
TrustRoot trust_root(const genesis::ChainSpec& spec);

}  // namespace tally::client
