// The module's calls and hooks as the runtime runs them.
//
// dispatch() applies a call whole or refuses it and has changed nothing but what the caller's
// transaction takes back. Rejections: errors.hpp, in order of precedence; then those of credits for
// funds that are missing.
#pragma once

#include "modules/channels/calls.hpp"
#include "modules/channels/rules.hpp"
#include "modules/support/context.hpp"

namespace tally::channels {

inline constexpr ModuleIndex kModule = ModuleIndex::channels;

DispatchResult dispatch(Context& ctx, const Origin& origin, const Call& call);

// What a channel that both parties closed has to say of their dealings, for whoever counts them.
struct CoOperativeClose {
  AccountId payee;  // who gained by the channel
  AccountId payer;
  std::uint64_t receipts_count{};
  Balance turnover;  // what the payee gained, before the fee
  Balance settlement_fee;
};
// The same as dispatch(), and what a close that was applied has to say.
Result<std::optional<CoOperativeClose>, DispatchError> dispatch_and_tell(Context& ctx,
                                                                         const Origin& origin,
                                                                         const Call& call);

// Settles what came due, at most Config.settlements_max entries of the queue.
void on_block_start(Context& ctx);
// Whether on_block_start in a block at this chain time would have something to do.
bool deadline_due(const StateReader& state, const Config& config, TimestampMs chain_time);

// A participant without free credits may still refute: the fee is taken from its side of the
// channel when the channel settles. A tip is never owed, nor a second fee while the state that the
// first one is owed for stands: a close that leaves the side nothing would pay neither.
//
// Before the call runs, and only if the payer cannot pay from free credits, the runtime asks
// may_owe_fee; if it may not, the transaction is refused for payment. If it may, owe_fee, then
// dispatch, which cannot fail in the same state. So a refutation that would fail never gets in
// without a fee.
struct OwedFee {
  AccountId payer;
  Balance amount;
};
bool may_owe_fee(const StateReader& state, const Moment& now, const OwedFee& fee, const Call& call);
// Only where may_owe_fee says so.
void owe_fee(Context& ctx, const OwedFee& fee, const Call& call);

inline Moment moment_of(const BlockContext& block) {
  return {block.number, block.time, block.period_stretch};
}

}  // namespace tally::channels
