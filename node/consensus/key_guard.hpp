// The guard of a validator's key: whether another copy of this validator runs, or this one runs on
// an old copy of its data folder. Either would sign what the other has signed otherwise.
//
// A validator that starts listens before it signs: until members that weigh a quorum, itself
// included, have each been linked for the longest time that a chain without transactions takes from
// block to block, and kListenDeltas · Δ₀ beyond it, and it has caught up with what they call final.
// In that time peers remind it of the votes of its own key that they hold and pass on what another
// link of its key votes, and its signatures stand in the certificates that it takes. A valid
// signature of its own key for a view above its floor that its own log does not know shuts the
// guard:
//
//   while listening   nothing is signed in this epoch; at the next one it listens again
//   later             nothing is signed until an operator has looked and started the node anew
//
// Where what it has signed is lost, it sits out the epoch in which it has listened for so long, and
// listens again at the next one. Without its signatures no peer knows whom to remind: time in which
// the holder of the keys is away does not count.
//
// A peer that proves this very key on its link says the same to a listener; to a validator that
// votes it is only worth an alarm, since the newcomer is the one to stop.
//
// On a chain that still stands at genesis, a node that has never signed need not wait: there is no
// vote to contradict. A set of one has nobody to listen to. Source: start-up "doppelganger"
// protection of proof-of-stake clients, with the votes asked for instead of waited for.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "node/consensus/parameters.hpp"
#include "node/consensus/peers.hpp"
#include "primitives/finality/validator_set.hpp"

namespace tally::consensus {

constexpr std::uint64_t kListenDeltas = 4;

// How long a validator listens.
DurationMs listening_time(const Parameters& parameters);

class KeyGuard {
 public:
  enum class Mode : std::uint8_t {
    off,         // no key, or the operator's decision
    listening,   // signs nothing yet
    open,        // signs, and goes on looking
    shut_epoch,  // signs nothing in this epoch
    shut,        // signs nothing in this process
  };
  struct Start {
    Mode mode = Mode::off;
    bool fresh = false;  // nothing was ever signed here, and the chain is at genesis
    std::string reason;  // of shut
    bool blank = false;  // what was signed here is lost
  };

  KeyGuard(Start start, const Parameters& parameters, Instant now);

  Mode mode() const { return mode_; }
  bool may_sign() const { return mode_ == Mode::off || mode_ == Mode::open; }
  bool is_on() const { return mode_ != Mode::off; }
  const std::string& reason() const { return reason_; }
  bool blank() const { return blank_; }

  void up(ValidatorIndex validator, Instant now);
  void down(const Peers& peers);  // after a link went
  void begin_anew(Instant now);   // what it has listened counts for nothing

  struct Sight {
    const ValidatorSet& set;
    const Peers& peers;
    Hint own;
    std::optional<ValidatorIndex> self;
  };
  // True when it has just opened.
  bool listen(const Sight& sight, Instant now);
  // When listen() may open it without anything else happening.
  std::optional<Instant> next(Instant now) const;
  // Of the time of listening.
  DurationMs listened(Instant now) const;
  DurationMs listens_for() const { return duration_; }

  // Something that only another copy can have signed.
  void heard_foreign(std::string what);
  // What the next epoch starts with.
  Start carried() const;

 private:
  bool has_listened(const Sight& sight, Instant now) const;

  Mode mode_;
  bool fresh_;
  bool blank_;  // until it has listened
  std::string reason_;
  DurationMs duration_;
  Instant since_;
  std::map<ValidatorIndex, Instant> linked_;
};

}  // namespace tally::consensus
