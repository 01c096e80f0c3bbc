#include "node/consensus/peers.hpp"

namespace tally::consensus {

void Peers::up(const PeerId& peer, std::optional<ValidatorIndex> validator) {
  peers_[peer].validator = validator;
}

void Peers::hint(const PeerId& peer, const Hint& hint) {
  const auto found = peers_.find(peer);
  if (found != peers_.end()) found->second.hint = hint;
}

const PeerState* Peers::find(const PeerId& peer) const {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? nullptr : &found->second;
}

std::vector<PeerId> Peers::ids() const {
  std::vector<PeerId> out;
  for (const auto& [peer, state] : peers_) out.push_back(peer);
  return out;
}

std::vector<PeerId> Peers::of(ValidatorIndex validator) const {
  std::vector<PeerId> out;
  for (const auto& [peer, state] : peers_) {
    if (state.validator == validator) out.push_back(peer);
  }
  return out;
}

std::optional<Instant> Peers::last_heard(ValidatorIndex validator) const {
  const auto found = heard_.find(validator);
  if (found == heard_.end()) return std::nullopt;
  return found->second;
}

std::optional<Instant> Peers::listening_since(ValidatorIndex validator) const {
  const auto found = since_.find(validator);
  if (found == since_.end()) return std::nullopt;
  return found->second;
}

void Peers::carry_over(ValidatorIndex validator, const Contact& contact) {
  since_[validator] = contact.since;
  if (contact.last) heard_[validator] = *contact.last;
}

}  // namespace tally::consensus
