// The validator set, epochs and the randomness beacon.
//
// The set of genesis validates in every epoch. An epoch is epoch_length blocks long; the header of
// its last block names the set of the epoch after the next. The beacon folds the VRF output of
// every block; who may influence it and how far is in README.md.
#pragma once

#include <optional>

#include "modules/support/context.hpp"
#include "modules/validators/config.hpp"
#include "modules/validators/storage.hpp"

namespace tally::validators {

inline constexpr ModuleIndex kModule = ModuleIndex::validators;

// Of the next block on this state.
EpochInfo epoch_info(const StateReader& state);
ValidatorSet validator_set(const StateReader& state);
Hash beacon(const StateReader& state);

// H(tag ‖ beacon ‖ output)
Hash fold_beacon(const Hash& beacon, const VrfOutput& output);
// The beacon before the first block.
Hash genesis_beacon(std::string_view chain_id);

// Whether `number` is the last block of the epoch.
bool is_last_of_epoch(const EpochInfo& info, const Config& config, BlockNumber number);

// Stores the block's beacon, which the context already carries.
void on_block_start(Context& ctx);
// In the last block of an epoch: begins the next one. Returns the set that the header has to name.
std::optional<ValidatorSet> on_block_end(Context& ctx);

}  // namespace tally::validators
