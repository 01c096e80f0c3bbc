// What other modules, and programs that read the state, may do with workers.
//
// Functions that return void cannot fail: their preconditions are the caller's to keep, and a
// breach is a bug (asserted). None of them moves a delegator's stake but slash().
#pragma once

#include <optional>
#include <vector>

#include "modules/support/context.hpp"
#include "modules/workers/config.hpp"
#include "modules/workers/types.hpp"

namespace tally::workers {

inline constexpr ModuleIndex kModule = ModuleIndex::workers;

// --- Reading ---

// Nothing for an account that never registered.
std::optional<Worker> find(const StateReader& state, const AccountId& account);
// Nothing while it is not registered.
std::optional<Profile> find_profile(const StateReader& state, const AccountId& account);
std::uint32_t penalty_of(const StateReader& state, const AccountId& account);
// Also while its delegation is unbonding.
bool is_delegator_of(const StateReader& state, const AccountId& who, const AccountId& worker);
// Everybody registered for this type and environment, ascending by account; at most kMaxPool.
std::vector<AccountId> pool(const StateReader& state, const PoolId& id);

// 1000 · accuracy² · uptime · stake_weight − penalty, 0 to 1000; see reputation.hpp. 0 for an
// account without a record. `now` is chain time.
std::uint32_t reputation(const StateReader& state, const Config& config, const AccountId& account,
                         TimestampMs now);
Tier tier_of(std::uint32_t reputation);
AuditBand audit_band(const Worker& worker);
// Hours of the reference machine that the network has been paid for.
std::uint64_t compute_hours(const StateReader& state, const Config& config);

// --- The draw ---

struct DrawQuery {
  PoolId pool;
  TimestampMs before;  // header time: who registered for it later is left out
  Balance cover_min;   // own bonded stake that is not frozen
};
struct Drawable {
  AccountId account;
  Balance effective;  // own and delegated stake: the weight of the draw; above zero
};
// Ascending by account, so that it does not depend on the order of transactions: registered with
// that type and environment since before `before`, not banned, own bonded stake at least the
// minimum and enough of it not frozen. At most kMaxPool.
std::vector<Drawable> drawable(const Context& ctx, const DrawQuery& query);

// --- Frozen stake: what answers for a dispute ---

// Takes hold of up to `amount` of the worker's own stake that is not frozen, unbonding stake too;
// returns how much. Nothing for an account without a record.
Balance freeze_up_to(Context& ctx, const AccountId& worker, Balance amount);
// Lets go of it. amount ≤ frozen. A slash that could not reach it is burned from it now.
void unfreeze(Context& ctx, const AccountId& worker, Balance amount);
// To the free credits of `to`, which may be the worker itself. amount ≤ frozen. Never fails: what
// is below the existential deposit for a missing account goes to the reward pool.
void pay_from_frozen(Context& ctx, const AccountId& worker, const AccountId& to, Balance amount);
// amount ≤ frozen.
void burn_frozen(Context& ctx, const AccountId& worker, Balance amount);

// --- Consequences ---

// Until now + duration, or the end of a longer ban. Reputation falls to 0 by the penalty, and
// rewards that are not vested are lost. The worker has a record.
void ban(Context& ctx, const AccountId& worker, DurationMs duration);
// Any account, worker or not; at most kPenaltyFull in all.
void add_penalty(Context& ctx, const AccountId& account, std::uint32_t points);
// One task more. Nothing happens for an account without a record.
void count_done(Context& ctx, const AccountId& worker);
void count_failed(Context& ctx, const AccountId& worker);
// Burns the reason's share of the worker's own stake and of every delegation to it, bonded and
// unbonding alike; of frozen stake as it thaws. Rewards that are not vested are lost. The worker
// has a record.
void slash(Context& ctx, const AccountId& worker, SlashReason reason);

// --- The reward pool ---

// What this epoch may still draw from the reward pool: rewards that are granted and what disputes
// take stay within Config.reward_epoch_max together.
Balance epoch_room(const Context& ctx);
// Counts a part of it as drawn; amount ≤ epoch_room().
void take_epoch_room(Context& ctx, Balance amount);

// --- Channels ---

// A channel that both parties closed. `payee` is the party that gained by it.
struct ClosedChannel {
  AccountId payee;
  AccountId payer;
  std::uint64_t receipts_count{};
  Balance turnover;        // what the payee gained, before the fee
  Balance settlement_fee;  // paid on it
};
// Counts tasks and grants the curve's reward, if the payee is a registered worker. Cannot fail.
void on_channel_closed(Context& ctx, const ClosedChannel& closed);

}  // namespace tally::workers
