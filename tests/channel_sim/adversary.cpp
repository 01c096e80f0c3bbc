// A peer that does whatever helps it: posts any state that the honest side ever signed, in any
// order, itself or through a stranger, first in a block; asks for a close it does not need; keeps
// back what it should sign or submit and uses it later; sends offers that are wrong in every field;
// says things again; and goes silent.
#include <algorithm>

#include "modules/channels/signing.hpp"
#include "primitives/crypto/hash.hpp"
#include "tests/channel_sim/sim.hpp"

namespace tally::channel_sim {

using channels::Side;

void Simulation::remember_signed(const channel::Message& message) {
  if (const auto* offer = std::get_if<channel::Offer>(&message)) {
    signed_updates_.push_back(offer->state);
  } else if (const auto* update = std::get_if<channel::Countersigned>(&message)) {
    signed_updates_.push_back(update->update.state);
  } else if (const auto* close = std::get_if<channel::CloseOffer>(&message)) {
    signed_closes_.push_back(close->state);
  } else if (const auto* closed = std::get_if<channel::CloseAccepted>(&message)) {
    signed_closes_.push_back(closed->close.state);
  } else if (const auto* splice = std::get_if<channel::SpliceOffer>(&message)) {
    signed_splices_.push_back(splice->splice);
  } else if (const auto* accepted = std::get_if<channel::SpliceAccepted>(&message)) {
    signed_splices_.push_back(accepted->splice);
  }
}

bool Simulation::keeps_back(const channel::Message& message) {
  if (habits_.falls_silent) {
    if (pace_.now() < silent_until_) return true;
    if (one_in(60)) {
      coverage_.hit(Mark::peer_silent);
      silent_until_ = pace_.now() + pick(30'000);
    }
  }
  if (!habits_.withholds || !one_in(2)) return false;
  if (std::holds_alternative<channel::Countersigned>(message)) {
    coverage_.hit(Mark::countersignature_withheld);
    return true;
  }
  return std::holds_alternative<channel::CloseAccepted>(message) ||
         std::holds_alternative<channel::SpliceAccepted>(message);
}

// Greedy adversaries want the state that was best for them and that something newer has replaced;
// others any.
const channels::ChannelState& Simulation::evil_choice() {
  const Side side = *malicious_;
  const auto any = [&]() -> const channels::ChannelState& {
    return signed_updates_[pick(signed_updates_.size())];
  };
  const auto channel = pace_.chain().channel(id_);
  const channel::Record* record = machine(side).record(id_);
  if (one_in(4) || !channel || record == nullptr) return any();
  const channels::ChannelState* best = nullptr;
  for (const auto& state : signed_updates_) {
    const bool replaced =
        state.version > channel->floor.version && state.version < record->newest_version();
    if (!replaced) continue;
    if (best == nullptr || best->balance(side) < state.balance(side)) best = &state;
  }
  return best == nullptr ? any() : *best;
}

void Simulation::do_evil() {
  evil_now_ = true;
  switch (pick(8)) {
    case 0:
    case 1:
      if (habits_.lies) evil_message();
      return;
    case 2:
      if (habits_.replays) evil_replay();
      return;
    case 3:
      if (habits_.withholds) evil_withheld();
      return;
    default:
      // Waits until there is something to post.
      if (habits_.posts && signed_updates_.size() > 6) evil_chain();
      return;
  }
}

void Simulation::evil_chain() {
  const AccountId self = pair_.key(*malicious_).account();
  const AccountId account = one_in(2) ? self : key_of("stranger").account();
  const auto channel = pace_.chain().channel(id_);
  if (!channel) return;
  if (channel->challenge && (habits_.patient || !one_in(habits_.storms ? 3 : 30))) return;
  // The best moment is when only a tower looks.
  if (tower_ && habits_.patient && !away_ && !one_in(8)) return;
  switch (pick(10)) {
    case 0:
      if (one_in(3)) pace_.submit(self, channels::RequestClose{id_});
      return;
    case 1:
      if (one_in(3)) pace_.submit(self, channels::CloseUnilateral{id_, std::nullopt});
      return;
    case 2:
      pace_.submit(account, channels::Settle{id_});
      return;
    case 3: {
      // One old state after the other, each just above what stands: no block is left for another.
      std::vector<channels::ChannelState> above = signed_updates_;
      std::sort(above.begin(), above.end(),
                [](const auto& x, const auto& y) { return x.version < y.version; });
      if (!channel->challenge) return;
      for (const auto& state : above) {
        if (state.version <= channel->challenge->standing.version) continue;
        pace_.submit(account, channels::Refute{pair_.update(state), std::nullopt});
        return;
      }
      return;
    }
    default: {
      const channels::CoSignedState update = pair_.update(evil_choice());
      if (!channel->challenge || one_in(3)) {
        pace_.submit(self, channels::CloseUnilateral{id_, update});
      } else {
        pace_.submit(account, channels::Refute{update, std::nullopt});
      }
      return;
    }
  }
}

// Completes what was kept back, when that is late.
void Simulation::evil_withheld() {
  const AccountId self = pair_.key(*malicious_).account();
  if (!signed_closes_.empty() && one_in(6)) {
    coverage_.hit(Mark::close_withheld);
    pace_.submit(self, channels::Close{pair_.close(signed_closes_[pick(signed_closes_.size())])});
  } else if (!signed_splices_.empty()) {
    coverage_.hit(Mark::splice_withheld);
    pace_.submit(self, pair_.splice(signed_splices_[pick(signed_splices_.size())]));
  }
}

void Simulation::evil_replay() {
  if (said_by_malicious_.empty()) return;
  coverage_.hit(Mark::replayed);
  channels::of(channels::other(*malicious_), line_)
      .push_back(said_by_malicious_[pick(said_by_malicious_.size())]);
}

// An offer that is right but for what is changed here.
void Simulation::evil_message() {
  const Side side = *malicious_;
  const KeyPair& key = pair_.key(side);
  const channel::Record* record = machine(side).record(id_);
  if (record == nullptr || !record->newest) return;
  channels::ChannelState state = record->newest->state;
  const ChannelVersion base = state.version;
  state.acked = base;
  state.version = ChannelVersion(std::max(base, record->highest_signed).value + 1 + pick(12));
  if (one_in(6)) {
    coverage_.hit(Mark::version_too_far);
    state.version = ChannelVersion(state.version.value + 24 + pick(2'000));
  }
  if (state.proposer() != side && !one_in(8)) state.version = state.version.next();
  const std::uint64_t shift = pick(5'000'000);
  const bool mine_up = !one_in(4);
  Balance& up = (side == Side::a) == mine_up ? state.balance_a : state.balance_b;
  Balance& down = (side == Side::a) == mine_up ? state.balance_b : state.balance_a;
  if (down.micro >= shift) {
    down = Balance(down.micro - shift);
    up = Balance(up.micro + shift);
  }
  if (one_in(4)) {
    coverage_.hit(Mark::false_ack);
    state.acked = ChannelVersion(pick(state.version.value + 2));
  }
  if (one_in(10)) state.receipts_count += pick(3);
  if (one_in(10)) state.balance_a = Balance(state.balance_a.micro + pick(3));
  const auto put = [&](const channel::Message& message) {
    channels::of(channels::other(side), line_).push_back(channel::encode_message(message));
  };
  switch (pick(7)) {
    case 0:
      put(channel::CloseOffer{state, key.sign(channels::close_bytes(state))});
      return;
    case 1:
      if (signed_updates_.empty()) return;
      put(channel::Hello{id_, pair_.update(evil_choice()), one_in(2)});
      return;
    case 2: {
      const BlockNumber until(pace_.chain().block.number.value + 8);
      const channels::SpliceBody body{state, {}, {}, until};
      put(channel::SpliceOffer{body, key.sign(channels::splice_bytes(body))});
      return;
    }
    default:
      put(channel::Offer{state, key.sign(channels::update_bytes(state)), base, {}});
      return;
  }
}

}  // namespace tally::channel_sim
