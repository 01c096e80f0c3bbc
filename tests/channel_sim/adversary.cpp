// A peer that does whatever helps it: posts any state that the honest side ever signed, in any
// order, itself or through a stranger; asks for a close it does not need; sends offers that are
// wrong in every field; replays, and goes silent.
#include <algorithm>

#include "modules/channels/signing.hpp"
#include "primitives/crypto/hash.hpp"
#include "tests/channel_sim/sim.hpp"

namespace tally::channel_sim {

using channels::Side;

channels::CoSignedState Simulation::evil_complete(const channels::ChannelState& state) const {
  // The honest side signed exactly this before, and signing again gives the same bytes.
  return pair_.update(state);
}

// Greedy adversaries want the state that was best for them; patient ones post it and then keep
// quiet, so that nobody but the honest side or its tower brings up anything newer.
const channels::ChannelState& Simulation::evil_choice() {
  const Side side = *options_.malicious;
  if (options_.seed % 3 == 0 || one_in(4)) {
    return signed_by_honest_[pick(signed_by_honest_.size())];
  }
  return *std::max_element(
      signed_by_honest_.begin(), signed_by_honest_.end(),
      [&](const auto& x, const auto& y) { return x.balance(side) < y.balance(side); });
}

void Simulation::do_evil() {
  const bool liar = options_.seed % 5 < 3;
  const bool poster = options_.seed % 5 > 1;
  evil_now_ = true;
  // Liars get going at once; posters wait until there is something to post.
  if (liar && (!poster || one_in(2))) {
    evil_message();
  } else if (signed_by_honest_.size() > 8) {
    evil_chain();
  }
}

void Simulation::evil_chain() {
  const Side side = *options_.malicious;
  const AccountId self = pair_.key(side).account();
  const AccountId account = one_in(2) ? self : key_of("stranger").account();
  const bool quiet = options_.seed % 2 == 1 && chain_.channel(id_)->challenge.has_value();
  if (quiet) return;
  switch (pick(8)) {
    case 0:
      if (one_in(3)) submit_by(self, channels::RequestClose{id_});
      return;
    case 1:
      if (one_in(3)) submit_by(self, channels::CloseUnilateral{id_, std::nullopt});
      return;
    case 2:
      submit_by(account, channels::Settle{id_});
      return;
    default: {
      const channels::CoSignedState update = evil_complete(evil_choice());
      if (one_in(2)) {
        submit_by(self, channels::CloseUnilateral{id_, update});
      } else {
        submit_by(account, channels::Refute{update, std::nullopt});
      }
      return;
    }
  }
}

// An offer that is right but for what is changed here.
void Simulation::evil_message() {
  const Side side = *options_.malicious;
  const KeyPair& key = pair_.key(side);
  const channel::Record& record = machine(side).driver->find(id_)->record();
  if (!record.newest) return;
  channels::ChannelState state = record.newest->state;
  const ChannelVersion base = state.version;
  state.acked = base;
  state.version = ChannelVersion(std::max(base, record.highest_signed).value + 1 + pick(12));
  if (state.proposer() != side && !one_in(8)) state.version = state.version.next();
  const std::uint64_t shift = pick(5'000'000);
  const bool mine_up = !one_in(4);
  Balance& up = (side == Side::a) == mine_up ? state.balance_a : state.balance_b;
  Balance& down = (side == Side::a) == mine_up ? state.balance_b : state.balance_a;
  if (down.micro >= shift) {
    down = Balance(down.micro - shift);
    up = Balance(up.micro + shift);
  }
  if (one_in(4)) state.acked = ChannelVersion(pick(state.version.value + 2));
  if (one_in(10)) state.receipts_count += pick(3);
  if (one_in(10)) state.balance_a = Balance(state.balance_a.micro + pick(3));
  const auto put = [&](const channel::Message& message) {
    channels::of(channels::other(side), line_).push_back(channel::encode_message(message));
  };
  switch (pick(6)) {
    case 0:
      put(channel::CloseOffer{state, key.sign(channels::close_bytes(state))});
      return;
    case 1:
      if (signed_by_honest_.empty()) return;
      put(channel::Hello{id_, evil_complete(evil_choice()), one_in(2)});
      return;
    default:
      put(channel::Offer{state, key.sign(channels::update_bytes(state)), base, {}});
      return;
  }
}

}  // namespace tally::channel_sim
