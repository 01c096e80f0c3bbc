#include "modules/channels/rules.hpp"

#include <algorithm>

#include "modules/channels/planted.hpp"
#include "primitives/assert.hpp"
#include "primitives/crypto/sign.hpp"

namespace tally::channels {
namespace {

constexpr u128 kAmountMax = u128{1} << 100;

// For sums that the rules have bounded already.
Balance add(Balance a, Balance b) {
  const auto sum = checked_add(a, b);
  TALLY_ASSERT(sum.ok());
  return *sum;
}
Balance sub(Balance a, Balance b) {
  const auto rest = checked_sub(a, b);
  TALLY_ASSERT(rest.ok());
  return *rest;
}
Balance share(Balance whole, std::uint32_t per_thousand) {
  const auto part = mul_div(whole, per_thousand, 1'000);
  TALLY_ASSERT(part.ok());
  return *part;
}

DurationMs stretched(DurationMs period, PeriodStretch stretch) {
  if (planted(Fault::plain_periods)) return period;
  return DurationMs(period.value * stretch.value / 1'000);
}
TimestampMs later(TimestampMs time, DurationMs by) {
  return TimestampMs(time.value + by.value);
}

Position position_of(const ChannelState& state) {
  return {state.version, state.balance_a, state.balance_b, state.receipts_count};
}

bool sums_to(const ChannelState& state, Balance total) {
  const auto sum = checked_add(state.balance_a, state.balance_b);
  if (planted(Fault::any_sum)) return sum.ok();
  return sum.ok() && *sum == total;
}

Challenge begin(const Position& standing, DurationMs period, const Moment& now) {
  Challenge challenge;
  challenge.standing = standing;
  challenge.started = now.time;
  challenge.period = period;
  challenge.deadline = later(now.time, stretched(period, now.stretch));
  return challenge;
}

bool appoints(const Channel& channel, Side victim, const ChannelId& id,
              const Refutation& refutation) {
  if (!refutation.appointment || channel.side_of(refutation.by)) return false;
  return verify_offchain(channel.account(victim), appointment_bytes({id, refutation.by}),
                         *refutation.appointment)
      .ok();
}

// Takes at most what is left of a side; returns what it took.
Balance take(Balance& left, Balance wanted) {
  const Balance taken = min(left, wanted);
  left = sub(left, taken);
  return taken;
}

PerSide<Balance> after_fees(const Channel& channel, const Position& position, const Config& config,
                            Payouts& payouts) {
  PerSide<Balance> left{position.balance_a, position.balance_b};
  const FeeDue fee = settlement_fee(channel, position.balance_b, config);
  payouts.settlement_fee = take(of(fee.side, left), fee.amount);
  if (channel.challenge) {
    for (const Side side : kBothSides) {
      const Balance owed = of(side, channel.challenge->fees_owed);
      payouts.transaction_fees = add(payouts.transaction_fees, take(of(side, left), owed));
    }
  }
  return left;
}

std::vector<Side> proved_cheaters(const Channel& channel, const ChannelState& w) {
  std::vector<Side> out;
  for (const Side side : kBothSides) {
    const auto& posted = of(side, channel.challenge->posted);
    if (posted && proves_more(side, *posted, w)) out.push_back(side);
  }
  return out;
}

}  // namespace

Ruling<Channel> open_channel(const OpenTerms& terms, const Config& config) {
  if (terms.opener == terms.counterparty) return fail(Error::same_account);
  if (terms.challenge_period < config.period_min || config.period_max < terms.challenge_period) {
    return fail(Error::period_out_of_range);
  }
  const auto total = checked_add(terms.deposit_a, terms.deposit_b);
  if (total.ok() && *total < config.deposit_min) return fail(Error::deposit_too_small);
  if (terms.deposit_a.micro > kAmountMax || terms.deposit_b.micro > kAmountMax) {
    return fail(Error::amount_out_of_range);
  }
  Channel channel;
  channel.opener = terms.opener;
  channel.counterparty = terms.counterparty;
  channel.challenge_period = terms.challenge_period;
  channel.opened_in = terms.opened_in;
  channel.phase = terms.phase;
  channel.held = {terms.deposit_a, terms.deposit_b};
  channel.base_b = BalanceDelta(static_cast<i128>(terms.deposit_b.micro));
  channel.floor = {ChannelVersion(0), terms.deposit_a, terms.deposit_b, 0};
  return channel;
}

Balance locked(const Channel& channel) {
  if (channel.phase == Phase::pending) return of(Side::a, channel.held);
  return add(of(Side::a, channel.held), of(Side::b, channel.held));
}

bool proves_more(Side side, ChannelVersion claimed, const ChannelState& w) {
  if (w.proposer() != side) return !planted(Fault::fraud_overlooked);  // it countersigned w
  if (planted(Fault::honest_lag_is_fraud)) return true;
  return claimed < w.acked;
}

Ruling<void> check_update(const Channel& channel, const ChannelState& state) {
  if (!sums_to(state, locked(channel))) return fail(Error::wrong_sum);
  const bool above = state.version > channel.floor.version || planted(Fault::below_floor);
  if (!above) return fail(Error::version_not_above_floor);
  if (channel.challenge && state.version <= channel.challenge->standing.version) {
    return fail(Error::version_not_above_standing);
  }
  if (state.acked >= state.version) return fail(Error::acked_not_below_version);
  return {};
}

Ruling<void> check_signatures(const Channel& channel, ByteView message,
                              const CoSigned& signatures) {
  if (!verify_offchain(channel.opener, message, signatures.a).ok()) {
    return fail(Error::bad_signature_a);
  }
  if (!verify_offchain(channel.counterparty, message, signatures.b).ok()) {
    return fail(Error::bad_signature_b);
  }
  return {};
}

Ruling<Channel> claim(Channel channel, Side by, const CoSignedState* update, const Moment& now) {
  if (channel.phase != Phase::open) return fail(Error::wrong_phase);
  Position standing = channel.floor;
  if (update != nullptr) {
    TALLY_TRY(check_update(channel, update->state));
    TALLY_TRY(check_signatures(channel, update_bytes(update->state),
                               {update->signature_a, update->signature_b}));
    standing = position_of(update->state);
  }
  Challenge challenge = begin(standing, channel.challenge_period, now);
  of(by, challenge.posted) = standing.version;
  channel.phase = Phase::challenge;
  channel.challenge = challenge;
  return channel;
}

Ruling<Channel> request_close(Channel channel, Side by, const Config& config, const Moment& now) {
  if (channel.phase != Phase::open) return fail(Error::wrong_phase);
  const DurationMs period(channel.challenge_period.value * config.request_factor);
  Challenge challenge = begin(channel.floor, period, now);
  challenge.requester = by;
  channel.phase = Phase::challenge;
  channel.challenge = challenge;
  return channel;
}

Refuted replace_standing(Channel channel, const ChannelState& w, const Poster& poster,
                         const Moment& now) {
  Refuted out;
  Challenge& challenge = *channel.challenge;
  const std::optional<Side> by = channel.side_of(poster.account);
  bool other_proved = false;
  for (const Side side : proved_cheaters(channel, w)) {
    if (by && side == other(*by)) other_proved = true;
    auto& mark = of(side, challenge.fraud);
    if (mark) continue;
    of(side, out.newly_marked) = true;
    mark = FraudMark{};
    if (of(side, poster.appointed_against)) mark->tower = poster.account;
  }
  if (challenge.requester && proves_more(*challenge.requester, channel.floor.version, w)) {
    challenge.request_refuted = true;
  }
  if (by) {
    of(*by, challenge.posted) = w.version;
    // One that cheated itself gains nothing from the other's fraud before the deadline.
    out.ends_now = other_proved && !of(*by, challenge.fraud);
  }
  challenge.standing = position_of(w);
  challenge.refuted_in = now.block;
  const DurationMs half = stretched(DurationMs(challenge.period.value / 2), now.stretch);
  const DurationMs twice = stretched(DurationMs(challenge.period.value * 2), now.stretch);
  const TimestampMs wanted = std::min(later(now.time, half), later(challenge.started, twice));
  if (!planted(Fault::deadline_stays)) challenge.deadline = std::max(challenge.deadline, wanted);
  out.channel = std::move(channel);
  return out;
}

Ruling<Refuted> refute(Channel channel, const Refutation& refutation, const Moment& now) {
  if (channel.phase != Phase::challenge) return fail(Error::wrong_phase);
  const Challenge& challenge = *channel.challenge;
  if (now.time >= stretched_deadline(challenge, now.stretch)) return fail(Error::deadline_passed);
  if (challenge.refuted_in == now.block) return fail(Error::refuted_in_this_block);
  const ChannelState& w = refutation.update.state;
  TALLY_TRY(check_update(channel, w));
  TALLY_TRY(check_signatures(channel, update_bytes(w),
                             {refutation.update.signature_a, refutation.update.signature_b}));

  Poster poster{refutation.by, {}};
  for (const Side side : proved_cheaters(channel, w)) {
    if (of(side, challenge.fraud)) continue;
    of(side, poster.appointed_against) = appoints(channel, other(side), w.channel_id, refutation);
  }
  return replace_standing(std::move(channel), w, poster, now);
}

Ruling<Channel> splice(Channel channel, const Splice& call, const Config& config,
                       const Moment& now) {
  if (channel.phase != Phase::open) return fail(Error::wrong_phase);
  const SpliceBody& body = call.splice;
  Balance total = locked(channel);
  i128 base = channel.base_b.micro;
  for (const Side side : kBothSides) {
    const i128 delta = body.delta(side).micro;
    const u128 size = delta < 0 ? u128{0} - static_cast<u128>(delta) : static_cast<u128>(delta);
    if (size > kAmountMax) return fail(Error::amount_out_of_range);
  }
  base += body.delta_b.micro;
  const u128 base_size = base < 0 ? u128{0} - static_cast<u128>(base) : static_cast<u128>(base);
  if (base_size > (kAmountMax << 20)) return fail(Error::amount_out_of_range);
  const i128 change = body.delta_a.micro + body.delta_b.micro;
  const auto after = checked_apply(total, BalanceDelta(change));
  if (!after.ok() || *after < config.deposit_min) return fail(Error::deposit_too_small);
  const bool late = now.block > body.valid_until && !planted(Fault::late_splice);
  if (late) return fail(Error::expired);
  total = *after;
  if (!sums_to(body.state, total)) return fail(Error::wrong_sum);
  if (body.state.version <= channel.floor.version) return fail(Error::version_not_above_floor);
  if (body.state.acked >= body.state.version) return fail(Error::acked_not_below_version);
  channel.base_b = BalanceDelta(base);
  const FeeDue fee = settlement_fee(channel, body.state.balance_b, config);
  if (body.state.balance(fee.side) < fee.amount) return fail(Error::fee_not_covered);
  TALLY_TRY(check_signatures(channel, splice_bytes(body), {call.signature_a, call.signature_b}));
  channel.floor = position_of(body.state);
  return channel;
}

TimestampMs stretched_deadline(const Challenge& challenge, PeriodStretch stretch) {
  return std::max(challenge.deadline,
                  later(challenge.started, stretched(challenge.period, stretch)));
}

Ruling<void> check_due(const Channel& channel, const Moment& now) {
  if (channel.phase != Phase::challenge) return fail(Error::wrong_phase);
  if (now.time < stretched_deadline(*channel.challenge, now.stretch)) {
    return fail(Error::deadline_not_reached);
  }
  return {};
}

Ruling<void> check_close(const Channel& channel, const CoSignedState& close) {
  if (channel.phase == Phase::pending) return fail(Error::wrong_phase);
  if (!sums_to(close.state, locked(channel))) return fail(Error::wrong_sum);
  if (close.state.version <= channel.floor.version) return fail(Error::version_not_above_floor);
  if (close.state.acked >= close.state.version) return fail(Error::acked_not_below_version);
  return check_signatures(channel, close_bytes(close.state),
                          {close.signature_a, close.signature_b});
}

Gain gain_of(const Channel& channel, Balance balance_b) {
  const i128 gain_b = static_cast<i128>(balance_b.micro) - channel.base_b.micro;
  return {gain_b < 0 ? Side::a : Side::b,
          Balance(static_cast<u128>(gain_b < 0 ? -gain_b : gain_b))};
}

FeeDue settlement_fee(const Channel& channel, Balance balance_b, const Config& config) {
  const Gain gain = gain_of(channel, balance_b);
  return {gain.side, share(gain.amount, config.fee_per_thousand)};
}

Division divide_challenge(const Channel& channel, const Config& config) {
  TALLY_ASSERT(channel.challenge.has_value());
  const Challenge& challenge = *channel.challenge;
  Division out;
  PerSide<Balance> left = after_fees(channel, challenge.standing, config, out.payouts);
  if (challenge.requester && challenge.request_refuted) {
    const Side side = *challenge.requester;
    const Balance full =
        share(challenge.standing.balance(side), config.request_penalty_per_thousand);
    const Balance penalty = take(of(side, left), min(full, config.request_penalty_max));
    of(other(side), left) = add(of(other(side), left), penalty);
  }
  // What a cheater has left goes to the other side. Where both cheated, each gets the other's.
  PerSide<Balance> paid = left;
  for (const Side side : kBothSides) {
    const auto& mark = of(side, challenge.fraud);
    if (!mark || planted(Fault::pays_the_cheater)) continue;
    const Balance forfeit = of(side, left);
    const Balance tower = mark->tower ? share(forfeit, config.tower_per_thousand) : Balance{};
    of(side, out.to_tower) = tower;
    out.payouts.to_towers = add(out.payouts.to_towers, tower);
    of(side, paid) = sub(of(side, paid), forfeit);
    of(other(side), paid) = add(of(other(side), paid), sub(forfeit, tower));
  }
  out.payouts.to_a = of(Side::a, paid);
  out.payouts.to_b = of(Side::b, paid);
  return out;
}

Division divide_close(const Channel& channel, const ChannelState& close, const Config& config) {
  Division out;
  const PerSide<Balance> left = after_fees(channel, position_of(close), config, out.payouts);
  out.payouts.to_a = of(Side::a, left);
  out.payouts.to_b = of(Side::b, left);
  return out;
}

}  // namespace tally::channels
