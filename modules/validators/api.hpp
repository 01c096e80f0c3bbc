// What the runtime and other programs may do with the validators module. Rules and bounds:
// README.md.
#pragma once

#include <optional>

#include "modules/support/context.hpp"
#include "modules/validators/calls.hpp"
#include "modules/validators/config.hpp"
#include "modules/validators/storage.hpp"

namespace tally::validators {

inline constexpr ModuleIndex kModule = ModuleIndex::validators;

// Of the next block on this state.
EpochInfo epoch_info(const StateReader& state);
ValidatorSet validator_set(const StateReader& state);
Hash beacon(const StateReader& state);
// Of the current epoch, the next one and past ones while evidence counts; else nothing.
std::optional<ValidatorSet> set_of(const StateReader& state, Epoch epoch);

std::optional<Candidate> find(const StateReader& state, const AccountId& validator);
std::optional<Delegation> find_delegation(const StateReader& state, const AccountId& validator,
                                          const AccountId& delegator);
// When this part may leave; nothing while its epoch has not ended.
std::optional<TimestampMs> due_at(const StateReader& state, const Config& config,
                                  const Unbonding& part);

// In a set, a stake weighs its whole CC, at most 2^50.
std::uint64_t weight_of(Balance stake);

// H(tag ‖ beacon ‖ output)
Hash fold_beacon(const Hash& beacon, const VrfOutput& output);
// The beacon before the first block.
Hash genesis_beacon(std::string_view chain_id);

// Whether `number` is the last block of the epoch.
bool is_last_of_epoch(const EpochInfo& info, const Config& config, BlockNumber number);

// BlockContext.draw_ready of a block on this state: the newest block c such that the distinct
// leaders of the blocks above c, up to and with this one, and of its epoch, weigh more than W/3, or
// 4n views have passed since c. It never falls.
struct NewBlock {
  BlockNumber number;
  View view;
  AccountId proposer;
};
BlockNumber draw_ready(const StateReader& parent, const NewBlock& block);

// Stores the beacon and draw_ready, which the context already carries, and who proposed.
void on_block_start(Context& ctx);
// In the last block of an epoch: judges who was down, begins the next epoch and names the set of
// the one after it. Returns the set that the header has to name.
std::optional<ValidatorSet> on_block_end(Context& ctx);

DispatchResult dispatch(Context& ctx, const Origin& origin, const Call& call);

}  // namespace tally::validators
