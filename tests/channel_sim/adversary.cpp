// A peer that does whatever helps it: posts any state that the honest side ever signed, in any
// order, itself or through a stranger; asks for a close it does not need; sends offers that are
// wrong in every field; replays, and goes silent.
#include "modules/channels/signing.hpp"
#include "primitives/crypto/hash.hpp"
#include "tests/channel_sim/sim.hpp"

namespace tally::channel_sim {

using channels::Side;

channels::CoSignedState Simulation::evil_complete(const channels::ChannelState& state) const {
  // The honest side signed exactly this before, and signing again gives the same bytes.
  return pair_.update(state);
}

void Simulation::do_evil() {
  evil_now_ = true;
  if (one_in(2)) {
    evil_message();
  } else {
    evil_chain();
  }
}

void Simulation::evil_chain() {
  const Side side = *options_.malicious;
  const AccountId self = pair_.key(side).account();
  const AccountId account = one_in(2) ? self : key_of("stranger").account();
  switch (pick(6)) {
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
      if (signed_by_honest_.empty()) return;
      const auto& state = signed_by_honest_[pick(signed_by_honest_.size())];
      if (one_in(2)) {
        submit_by(self, channels::CloseUnilateral{id_, evil_complete(state)});
      } else {
        submit_by(account, channels::Refute{evil_complete(state), std::nullopt});
      }
      return;
    }
  }
}

void Simulation::evil_message() {
  const Side side = *options_.malicious;
  const KeyPair& key = pair_.key(side);
  const channel::Party* party = machine(side).driver->find(id_);
  channels::ChannelState state =
      party->record().newest ? party->record().newest->state : channels::ChannelState{};
  state.channel_id = id_;
  if (!signed_by_honest_.empty() && one_in(3)) {
    state = signed_by_honest_[pick(signed_by_honest_.size())];
  }
  const channels::ChannelState base = state;
  state.version = ChannelVersion(state.version.value + 1 + pick(24));
  if (one_in(3)) state.acked = ChannelVersion(pick(state.version.value + 2));
  const std::uint64_t shift = pick(5'000'000);
  const bool mine_up = one_in(2);
  Balance& up = (side == Side::a) == mine_up ? state.balance_a : state.balance_b;
  Balance& down = (side == Side::a) == mine_up ? state.balance_b : state.balance_a;
  if (down.micro >= shift) {
    down = Balance(down.micro - shift);
    up = Balance(up.micro + shift);
  }
  const auto put = [&](const channel::Message& message) {
    channels::of(channels::other(side), line_).push_back(channel::encode_message(message));
  };
  switch (pick(4)) {
    case 0:
      put(channel::CloseOffer{state, key.sign(channels::close_bytes(state))});
      return;
    case 1: {
      if (signed_by_honest_.empty()) return;
      const auto& old = signed_by_honest_[pick(signed_by_honest_.size())];
      put(channel::Hello{id_, evil_complete(old), one_in(2)});
      return;
    }
    default:
      put(channel::Offer{state, key.sign(channels::update_bytes(state)), base.version, {}});
      return;
  }
}

}  // namespace tally::channel_sim
