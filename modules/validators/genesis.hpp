// The module's part of the genesis state.
#pragma once

#include <string_view>

#include "modules/validators/api.hpp"

namespace tally::validators {

// A genesis validator's bond is its weight in whole CC; the bonds are the caller's to hold.
constexpr Balance genesis_bond(const Validator& validator) {
  return Balance(u128{validator.weight} * kCredit.micro);
}

// The set is one that check() accepts, with an account of its own for every member. It serves in
// epochs 1 and 2. The first epoch is 1 and begins with block 1.
void write_genesis(Overlay& state, const Config& config, const ValidatorSet& set,
                   std::string_view chain_id);

}  // namespace tally::validators
