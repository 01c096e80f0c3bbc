#include "modules/channels/dispatch.hpp"

#include "modules/channels/payout.hpp"
#include "modules/channels/storage.hpp"
#include "modules/credits/api.hpp"
#include "primitives/assert.hpp"

namespace tally::channels {
namespace {

using credits::HoldReason;

// A ruling's rejection as a dispatch error.
template <class T>
Result<T, DispatchError> ruled(Ruling<T> ruling) {
  if (!ruling.ok()) return fail(reject(ruling.error()));
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return *std::move(ruling);
  }
}

Result<Channel, DispatchError> channel_at(const StateReader& state, const ChannelId& id) {
  auto channel = kChannels.find(state, id);
  if (!channel) return fail(reject(Error::unknown_channel));
  return *std::move(channel);
}

Result<Side, DispatchError> participant(const Channel& channel, const AccountId& who) {
  const auto side = channel.side_of(who);
  if (!side) return fail(reject(Error::not_a_participant));
  return *side;
}

DispatchResult require_phase(const Channel& channel, Phase phase) {
  if (channel.phase != phase) return fail(reject(Error::wrong_phase));
  return {};
}

DispatchResult check_consent(Context& ctx, const Open& call, const ChannelId& id) {
  if (!call.consent) return {};
  if (ctx.block.number > call.consent->valid_until) return fail(reject(Error::expired));
  const Bytes message = open_consent_bytes(
      {id, call.deposit.value, call.counterparty_deposit.value, call.consent->valid_until});
  if (!verify_offchain(call.counterparty, message, call.consent->signature).ok()) {
    return fail(reject(Error::bad_signature_b));
  }
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const Open& call) {
  const Config& config = ctx.config<Config>();
  const bool at_once = call.consent || call.counterparty_deposit.value.is_zero();
  const Channel channel = TALLY_TRY(ruled(open_channel(
      {origin.signer, call.counterparty, call.deposit.value, call.counterparty_deposit.value,
       call.challenge_period, ctx.block.number, at_once ? Phase::open : Phase::pending},
      config)));
  auto open = kOpenCount.at(ctx.state, origin.signer);
  if (open.get() >= config.open_max) return fail(reject(Error::too_many_channels));
  auto counter = kCounter.at(ctx.state, origin.signer);
  const ChannelId id = channel_id_of({ctx.block.genesis_hash, origin.signer, call.counterparty,
                                      counter.get(), call.challenge_period});
  TALLY_TRY(check_consent(ctx, call, id));
  TALLY_TRY(credits::hold(ctx, channel.opener, HoldReason::channel, of(Side::a, channel.held)));
  if (at_once) {
    TALLY_TRY(
        credits::hold(ctx, channel.counterparty, HoldReason::channel, of(Side::b, channel.held)));
  }
  counter.put(counter.get() + 1);
  open.put(open.get() + 1);
  raise_locked(ctx, locked(channel));
  kChannels.put(ctx.state, id, channel);
  ctx.events.emit(kModule,
                  ChannelOpened{id, channel.opener, channel.counterparty, call.deposit.value,
                                call.counterparty_deposit.value, call.challenge_period, !at_once});
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const Accept& call) {
  Channel channel = TALLY_TRY(channel_at(ctx.state, call.channel_id));
  TALLY_TRY(require_phase(channel, Phase::pending));
  if (origin.signer != channel.counterparty) return fail(reject(Error::not_a_participant));
  const Balance deposit = of(Side::b, channel.held);
  TALLY_TRY(credits::hold(ctx, channel.counterparty, HoldReason::channel, deposit));
  raise_locked(ctx, deposit);
  channel.phase = Phase::open;
  kChannels.put(ctx.state, call.channel_id, channel);
  ctx.events.emit(kModule, ChannelAccepted{call.channel_id});
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const Cancel& call) {
  const Channel channel = TALLY_TRY(channel_at(ctx.state, call.channel_id));
  TALLY_TRY(require_phase(channel, Phase::pending));
  if (origin.signer != channel.opener) return fail(reject(Error::not_a_participant));
  const Balance deposit = of(Side::a, channel.held);
  credits::release(ctx, channel.opener, HoldReason::channel, deposit);
  lower_locked(ctx, deposit);
  forget_channel(ctx, channel, call.channel_id);
  ctx.events.emit(kModule, ChannelCancelled{call.channel_id});
  return {};
}

Result<CoOperativeClose, DispatchError> close(Context& ctx, const Close& call) {
  const ChannelState& state = call.close.state;
  const Channel channel = TALLY_TRY(channel_at(ctx.state, state.channel_id));
  TALLY_TRY(ruled(check_close(channel, call.close)));
  const Division division = divide_close(channel, state, ctx.config<Config>());
  end_channel(ctx, channel,
              {state.channel_id, Ending::co_operative, state.version, state.receipts_count},
              division);
  const Gain gain = gain_of(channel, state.balance_b);
  return CoOperativeClose{channel.account(gain.side), channel.account(other(gain.side)),
                          state.receipts_count, gain.amount, division.payouts.settlement_fee};
}

DispatchResult run(Context& ctx, const Origin&, const Close& call) {
  TALLY_TRY(close(ctx, call));
  return {};
}

void await_deadline(Context& ctx, const ChannelId& id, TimestampMs deadline) {
  kDeadlines.push(ctx.state, {id, deadline, ctx.config<Config>().deadline_bucket});
}

// Puts a challenge that has just begun into the state and the queue.
void start_challenge(Context& ctx, const ChannelId& id, const Channel& channel, Side by) {
  const Challenge& challenge = *channel.challenge;
  kChannels.put(ctx.state, id, channel);
  await_deadline(ctx, id, challenge.deadline);
  ctx.events.emit(kModule, ChallengeStarted{id, by, challenge.requester.has_value(),
                                            challenge.standing.version, challenge.deadline});
}

DispatchResult run_refutation(Context& ctx, Channel channel, const Refutation& refutation) {
  const ChannelId id = refutation.update.state.channel_id;
  const Refuted refuted =
      TALLY_TRY(ruled(refute(std::move(channel), refutation, moment_of(ctx.block))));
  const Challenge& challenge = *refuted.channel.challenge;
  ctx.events.emit(
      kModule, ChallengeRefuted{id, refutation.by, challenge.standing.version, challenge.deadline});
  for (const Side side : kBothSides) {
    if (!of(side, refuted.newly_marked)) continue;
    ctx.events.emit(kModule, FraudProved{id, side, refutation.by});
  }
  if (refuted.ends_now) {
    settle_standing(ctx, refuted.channel, id, Ending::fraud);
  } else {
    kChannels.put(ctx.state, id, refuted.channel);
  }
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const CloseUnilateral& call) {
  Channel channel = TALLY_TRY(channel_at(ctx.state, call.channel_id));
  if (call.claim && call.claim->state.channel_id != call.channel_id) {
    return fail(reject(Error::unknown_channel));
  }
  if (channel.phase == Phase::pending) return fail(reject(Error::wrong_phase));
  const Side by = TALLY_TRY(participant(channel, origin.signer));
  if (channel.phase == Phase::challenge) {
    if (!call.claim) return fail(reject(Error::nothing_claimed));
    return run_refutation(ctx, std::move(channel), {*call.claim, origin.signer, std::nullopt});
  }
  const CoSignedState* update = call.claim ? &*call.claim : nullptr;
  channel = TALLY_TRY(ruled(claim(std::move(channel), by, update, moment_of(ctx.block))));
  start_challenge(ctx, call.channel_id, channel, by);
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const RequestClose& call) {
  Channel channel = TALLY_TRY(channel_at(ctx.state, call.channel_id));
  TALLY_TRY(require_phase(channel, Phase::open));
  const Side by = TALLY_TRY(participant(channel, origin.signer));
  channel = TALLY_TRY(
      ruled(request_close(std::move(channel), by, ctx.config<Config>(), moment_of(ctx.block))));
  start_challenge(ctx, call.channel_id, channel, by);
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const Refute& call) {
  Channel channel = TALLY_TRY(channel_at(ctx.state, call.update.state.channel_id));
  return run_refutation(ctx, std::move(channel), {call.update, origin.signer, call.appointment});
}

DispatchResult run(Context& ctx, const Origin& origin, const Splice& call) {
  const SpliceBody& body = call.splice;
  const ChannelId id = body.state.channel_id;
  Channel channel = TALLY_TRY(channel_at(ctx.state, id));
  TALLY_TRY(require_phase(channel, Phase::open));
  TALLY_TRY(participant(channel, origin.signer));
  channel = TALLY_TRY(
      ruled(splice(std::move(channel), call, ctx.config<Config>(), moment_of(ctx.block))));
  // In before out: what leaves may be what the other side brings.
  for (const Side side : kBothSides) {
    if (body.delta(side).micro <= 0) continue;
    const Balance in(static_cast<u128>(body.delta(side).micro));
    TALLY_TRY(credits::hold(ctx, channel.account(side), HoldReason::channel, in));
    of(side, channel.held) = TALLY_TRY(checked_add(of(side, channel.held), in));
    raise_locked(ctx, in);
  }
  for (const Side side : kBothSides) {
    if (body.delta(side).micro >= 0) continue;
    const Balance out(static_cast<u128>(-body.delta(side).micro));
    pay_side(ctx, channel, side, out);
    lower_locked(ctx, out);
  }
  kChannels.put(ctx.state, id, channel);
  ctx.events.emit(
      kModule, ChannelSpliced{id, body.state.version, body.state.balance_a, body.state.balance_b});
  return {};
}

DispatchResult run(Context& ctx, const Origin&, const Settle& call) {
  const Channel channel = TALLY_TRY(channel_at(ctx.state, call.channel_id));
  TALLY_TRY(ruled(check_due(channel, moment_of(ctx.block))));
  settle_standing(ctx, channel, call.channel_id, Ending::settled);
  return {};
}

// An entry of the queue whose bucket has passed.
void on_deadline(Context& ctx, const ChannelId& id) {
  auto channel = kChannels.find(ctx.state, id);
  if (!channel) return;  // closed or settled before its deadline
  TALLY_ASSERT(channel->challenge.has_value());
  const Moment now = moment_of(ctx.block);
  if (check_due(*channel, now).ok()) {
    settle_standing(ctx, *channel, id, Ending::settled);
    return;
  }
  const TimestampMs deadline = stretched_deadline(*channel->challenge, now.stretch);
  await_deadline(ctx, id, deadline);
  if (deadline == channel->challenge->deadline) return;
  channel->challenge->deadline = deadline;
  kChannels.put(ctx.state, id, *channel);
  ctx.events.emit(kModule, DeadlineMoved{id, deadline});
}

// The refutation in a call, if it is one in this state.
struct FoundRefutation {
  Channel channel;
  const CoSignedState* update;
  Side by;
};
std::optional<FoundRefutation> refutation_in(const StateReader& state, const AccountId& who,
                                             const Call& call) {
  const CoSignedState* update = nullptr;
  if (const auto* refutation = std::get_if<Refute>(&call)) update = &refutation->update;
  if (const auto* claimed = std::get_if<CloseUnilateral>(&call)) {
    if (!claimed->claim || claimed->claim->state.channel_id != claimed->channel_id) {
      return std::nullopt;
    }
    update = &*claimed->claim;
  }
  if (update == nullptr) return std::nullopt;
  const auto channel = kChannels.find(state, update->state.channel_id);
  if (!channel || channel->phase != Phase::challenge) return std::nullopt;
  const auto side = channel->side_of(who);
  if (!side) return std::nullopt;
  return FoundRefutation{*channel, update, *side};
}

// A side owes one fee until somebody has answered the state that it owes it for: whoever posts
// newer states alone pays for all but the first.
bool may_owe_another(const Challenge& challenge, Side side) {
  const auto& posted = of(side, challenge.posted);
  const bool owes = !of(side, challenge.fees_owed).is_zero();
  return !owes || !posted || *posted < challenge.standing.version;
}

}  // namespace

DispatchResult dispatch(Context& ctx, const Origin& origin, const Call& call) {
  return std::visit([&](const auto& alternative) { return run(ctx, origin, alternative); }, call);
}

Result<std::optional<CoOperativeClose>, DispatchError> dispatch_and_tell(Context& ctx,
                                                                         const Origin& origin,
                                                                         const Call& call) {
  if (const auto* ending = std::get_if<Close>(&call)) {
    return std::optional<CoOperativeClose>(TALLY_TRY(close(ctx, *ending)));
  }
  TALLY_TRY(dispatch(ctx, origin, call));
  return std::optional<CoOperativeClose>();
}

void on_block_start(Context& ctx) {
  const Config& config = ctx.config<Config>();
  for (std::uint32_t done = 0; done < config.settlements_max; ++done) {
    const auto id = kDeadlines.pop_due(ctx.state, {ctx.block.time, config.deadline_bucket});
    if (!id) return;
    on_deadline(ctx, *id);
  }
}

bool deadline_due(const StateReader& state, const Config& config, TimestampMs chain_time) {
  return kDeadlines.is_due(state, {chain_time, config.deadline_bucket});
}

bool may_owe_fee(const StateReader& state, const Moment& now, const OwedFee& fee,
                 const Call& call) {
  const auto found = refutation_in(state, fee.payer, call);
  if (!found) return false;
  const Challenge& challenge = *found->channel.challenge;
  if (!may_owe_another(challenge, found->by)) return false;
  const auto owed = checked_add(of(found->by, challenge.fees_owed), fee.amount);
  if (!owed.ok() || *owed > found->update->state.balance(found->by)) return false;
  return refute(found->channel, {*found->update, fee.payer, std::nullopt}, now).ok();
}

void owe_fee(Context& ctx, const OwedFee& fee, const Call& call) {
  auto found = refutation_in(ctx.state, fee.payer, call);
  TALLY_ASSERT(found.has_value());
  Balance& owed = of(found->by, found->channel.challenge->fees_owed);
  const auto sum = checked_add(owed, fee.amount);
  TALLY_ASSERT(sum.ok());
  owed = *sum;
  kChannels.put(ctx.state, found->update->state.channel_id, found->channel);
}

}  // namespace tally::channels
