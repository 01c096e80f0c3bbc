// The peers that are connected: who they are, where they say they stand, when a validator was last
// heard of.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "node/consensus/messages.hpp"
#include "node/ports/clock.hpp"
#include "node/ports/network.hpp"

namespace tally::consensus {

using ports::Instant;
using ports::PeerId;

struct PeerState {
  std::optional<ValidatorIndex> validator;  // proved when the link came up
  Hint hint;
  std::optional<Instant> reminded;  // of its own votes
};

// A validator as one that has listened for a while knows it.
struct Contact {
  Instant since;                // that anything signed by it would have been noticed
  std::optional<Instant> last;  // when something was
};

class Peers {
 public:
  void up(const PeerId& peer, std::optional<ValidatorIndex> validator);
  void down(const PeerId& peer) { peers_.erase(peer); }
  void hint(const PeerId& peer, const Hint& hint);
  const PeerState* find(const PeerId& peer) const;
  void reminded(const PeerId& peer, Instant at) { peers_[peer].reminded = at; }
  const std::map<PeerId, PeerState>& all() const { return peers_; }
  std::vector<PeerId> ids() const;
  std::vector<PeerId> of(ValidatorIndex validator) const;

  void heard(ValidatorIndex validator, Instant at) { heard_[validator] = at; }
  std::optional<Instant> last_heard(ValidatorIndex validator) const;
  // Since when it was listened for, in the epoch before already; nothing: since this epoch began.
  std::optional<Instant> listening_since(ValidatorIndex validator) const;
  void carry_over(ValidatorIndex validator, const Contact& contact);

 private:
  std::map<PeerId, PeerState> peers_;
  std::map<ValidatorIndex, Instant> heard_;
  std::map<ValidatorIndex, Instant> since_;
};

}  // namespace tally::consensus
