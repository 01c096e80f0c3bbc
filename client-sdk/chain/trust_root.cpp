#include "client-sdk/chain/trust_root.hpp"

#include "genesis/build.hpp"

namespace tally::client {

TrustRoot trust_root(const genesis::ChainSpec& spec) {
  const genesis::Genesis genesis = genesis::build_genesis(spec);
  ValidatorSet validators;
  validators.members = *BoundedVec<Validator, kMaxValidators>::from(spec.validators);
  TrustRoot root{genesis.hash,          genesis.header.state_root, spec.consensus.epoch_length,
                 std::move(validators), spec.genesis_time,         std::nullopt};
  if (spec.chain_type == "Live") root.trust_period = trust_period_of(spec.consensus.unbonding);
  return root;
}

}  // namespace tally::client
