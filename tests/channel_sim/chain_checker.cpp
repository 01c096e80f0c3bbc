#include "tests/channel_sim/chain_checker.hpp"

#include <algorithm>
#include <set>

namespace tally::channel_sim {
namespace {

using channels::Call;

const channels::CoSignedState* update_of(const Call* call) {
  if (call == nullptr) return nullptr;
  if (const auto* refutation = std::get_if<channels::Refute>(call)) return &refutation->update;
  const auto* claim = std::get_if<channels::CloseUnilateral>(call);
  return claim != nullptr && claim->claim ? &*claim->claim : nullptr;
}

// Side `who` held something above `posted`: it put its name under w after the other side, or says
// so in w itself.
bool proves(const channels::ChannelState& w, int who, std::uint64_t posted) {
  const bool its_own = (w.version.value % 2 == 1) == (who == 0);
  return !its_own || w.acked.value > posted;
}

int number_of(channels::Side side) {
  return side == channels::Side::a ? 0 : 1;
}

}  // namespace

void ChainChecker::check(bool holds, const std::string& what) {
  if (!holds && !breach_) breach_ = what;
}

void ChainChecker::applied(const Moment& now, const AccountId& signer, const Call* call,
                           const std::vector<channels::Event>& events) {
  const channels::CoSignedState* update = update_of(call);
  std::set<channels::Side> named;
  std::optional<Watched> before;
  if (update != nullptr && watched_.count(update->state.channel_id) != 0) {
    before = watched_.at(update->state.channel_id);
  }
  for (const channels::Event& event : events) {
    if (const auto* opened = std::get_if<channels::ChannelOpened>(&event)) {
      Watched w{};
      w.a = opened->opener;
      w.b = opened->counterparty;
      w.period = opened->challenge_period.value;
      w.held = opened->deposit_a.micro + opened->deposit_b.micro;
      w.base_b = static_cast<i128>(opened->deposit_b.micro);
      w.floor_b = opened->deposit_b.micro;
      watched_[opened->channel_id] = w;
    } else if (const auto* begun = std::get_if<channels::ChallengeStarted>(&event)) {
      started(now, *begun, update);
    } else if (const auto* newer = std::get_if<channels::ChallengeRefuted>(&event)) {
      check(update != nullptr, "a refutation without an update");
      if (update != nullptr) refuted(now, signer, *newer, update->state);
    } else if (const auto* proof = std::get_if<channels::FraudProved>(&event)) {
      check(before.has_value(), "fraud without a challenge");
      if (before) fraud(*proof, update->state, *before);
      named.insert(proof->cheater);
    } else if (const auto* moved = std::get_if<channels::DeadlineMoved>(&event)) {
      Watched& w = watched_[moved->channel_id];
      check(moved->deadline.value >= w.deadline, "a deadline fell");
      w.deadline = moved->deadline.value;
    } else if (const auto* splice = std::get_if<channels::ChannelSpliced>(&event)) {
      spliced(now, *splice, std::get<channels::Splice>(*call).splice);
    } else if (const auto* end = std::get_if<channels::ChannelClosed>(&event)) {
      closed(now, *end, call);
    }
  }
  if (events.empty() || !before || !before->challenged) return;
  for (const channels::Side side : channels::kBothSides) {
    const int who = number_of(side);
    const bool cheated = before->posted[who] && proves(update->state, who, *before->posted[who]);
    check(!cheated || before->cheated[who] || named.count(side) != 0, "fraud was overlooked");
  }
}

void ChainChecker::started(const Moment& now, const channels::ChallengeStarted& event,
                           const channels::CoSignedState* claim) {
  Watched& w = watched_[event.channel_id];
  check(!w.challenged, "a challenge began twice");
  w.challenged = true;
  w.started = now.time;
  w.wait = w.period * (event.requested ? 7 : 1);
  w.deadline = event.deadline.value;
  w.standing = event.version.value;
  w.standing_b = claim == nullptr ? w.floor_b : claim->state.balance_b.micro;
  if (event.requested) {
    w.requester = number_of(event.by);
  } else {
    w.posted[number_of(event.by)] = event.version.value;
  }
  check(claim != nullptr || w.standing == w.floor, "something else than the floor stands");
  check(claim == nullptr || w.standing > w.floor, "a claim that is not above the floor stands");
  check(w.deadline >= now.time + w.wait * now.stretch / 1'000, "a challenge is too short");
}

void ChainChecker::refuted(const Moment& now, const AccountId& signer,
                           const channels::ChallengeRefuted& event,
                           const channels::ChannelState& w) {
  Watched& channel = watched_[event.channel_id];
  check(channel.challenged, "a refutation outside of a challenge");
  check(w.version.value > channel.standing, "a refutation by something older than what stands");
  check(w.version.value > channel.floor, "a refutation by something below the floor");
  check(now.time < std::max(channel.deadline, channel.started + channel.wait * now.stretch / 1'000),
        "a refutation after the deadline");
  const std::uint64_t half = now.time + channel.wait / 2 * now.stretch / 1'000;
  const std::uint64_t twice = channel.started + channel.wait * 2 * now.stretch / 1'000;
  check(event.deadline.value >= std::min(half, twice), "no time to answer a refutation");
  check(event.deadline.value >= channel.deadline, "a deadline fell");
  channel.deadline = event.deadline.value;
  channel.standing = w.version.value;
  channel.standing_b = w.balance_b.micro;
  channel.refuted = true;
  if (signer == channel.a) channel.posted[0] = w.version.value;
  if (signer == channel.b) channel.posted[1] = w.version.value;
}

void ChainChecker::fraud(const channels::FraudProved& event, const channels::ChannelState& w,
                         const Watched& before) {
  const int who = number_of(event.cheater);
  check(before.posted[who].has_value(), "a cheater that posted nothing");
  if (!before.posted[who]) return;
  check(proves(w, who, *before.posted[who]), "an honest claim was called fraud");
  watched_[event.channel_id].cheated[who] = true;
}

void ChainChecker::spliced(const Moment& now, const channels::ChannelSpliced& event,
                           const channels::SpliceBody& body) {
  Watched& w = watched_[event.channel_id];
  check(!w.challenged, "a splice under a challenge");
  check(now.block <= body.valid_until.value, "a splice after its last block");
  check(event.version.value > w.floor, "a floor fell");
  w.floor = event.version.value;
  w.floor_b = event.balance_b.micro;
  w.base_b += body.delta_b.micro;
  const u128 held =
      static_cast<u128>(static_cast<i128>(w.held) + body.delta_a.micro + body.delta_b.micro);
  check(held == event.balance_a.micro + event.balance_b.micro,
        "a splice's balances are not what the channel holds");
  w.held = held;
}

void ChainChecker::closed(const Moment& now, const channels::ChannelClosed& event,
                          const Call* call) {
  const auto found = watched_.find(event.channel_id);
  check(found != watched_.end(), "an unknown channel was closed");
  if (found == watched_.end()) return;
  const Watched w = found->second;
  watched_.erase(found);
  const channels::Payouts& paid = event.payouts;
  const u128 out = paid.to_a.micro + paid.to_b.micro + paid.to_towers.micro +
                   paid.settlement_fee.micro + paid.transaction_fees.micro;
  check(out == w.held, "a channel held " + to_decimal(w.held) + " and paid " + to_decimal(out));
  burned_ += paid.settlement_fee.micro / 2 + paid.transaction_fees.micro / 2;

  const bool together = event.ending == channels::Ending::co_operative;
  check(event.version.value > w.floor || !together, "a close below the floor");
  check(together || event.version.value == w.standing, "something else than what stands was paid");
  if (event.ending == channels::Ending::settled) {
    check(now.time >= w.deadline, "settled before the deadline");
    check(now.time >= w.started + w.wait * now.stretch / 1'000, "settled before its time");
    if (call == nullptr) ++settled_[now.block];
  }
  if (event.ending == channels::Ending::fraud) {
    check(w.cheated[0] != w.cheated[1], "closed at once without one cheater");
  }
  if (!together && w.cheated[0] != w.cheated[1]) {
    const u128 left = (w.cheated[0] ? paid.to_a : paid.to_b).micro;
    check(left == 0, "a cheater was paid");
    return;
  }
  if (w.cheated[0] || (w.requester && w.refuted)) return;
  u128 b = w.standing_b;
  if (together) b = std::get<channels::Close>(*call).close.state.balance_b.micro;
  const i128 gain = static_cast<i128>(b) - w.base_b;
  const u128 fee_b = std::min(b, gain > 0 ? static_cast<u128>(gain) / 100 : 0);
  const u128 a = w.held - b;
  const u128 fee_a = std::min(a, gain < 0 ? static_cast<u128>(-gain) / 100 : 0);
  check(paid.to_b.micro == b - fee_b && paid.to_a.micro == a - fee_a,
        "each side gets what stands, less one percent of what it gained");
}

void ChainChecker::ledger(u128 total) {
  if (!total_) total_ = total;
  check(total + burned_ == *total_, "credits came from nowhere, or went there");
}

}  // namespace tally::channel_sim
