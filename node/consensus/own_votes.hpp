// What this validator has signed in an epoch, and therefore what it must never sign again.
//
// The one place that decides whether a vote may be signed: never two different Notarize, two
// different Finalize, or both Nullify and Finalize in one view, across crashes too. Ed25519 is
// deterministic, so signing a recorded statement a second time makes no second vote.
//
// After a start with synced data lost (the high-water file is ahead of the log) nothing is signed
// below its view, and in its view only what it records plus what "Never" allows. With both files
// lost or the log damaged the node is muted: it signs nothing in this epoch.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "node/consensus/standing.hpp"
#include "node/ports/vote_log.hpp"
#include "primitives/finality/vote.hpp"

namespace tally::consensus {

// What is held back after a start that found data missing.
struct SigningLimits {
  Silence muted = Silence::none;  // anything else: sign nothing in this epoch
  View none_below;                // sign nothing in a lower view

  bool all() const { return muted != Silence::none; }
};

class OwnVotes {
 public:
  struct Signed {
    std::optional<Hash> notarized;
    bool nullified = false;
    std::optional<Hash> finalized;
  };

  OwnVotes() = default;
  explicit OwnVotes(const SigningLimits& limits) : limits_(limits) {}

  const Signed& in(View view) const;
  bool holds(const Statement& statement) const;  // this very one was signed
  bool may_sign(const Statement& statement) const;
  void record(const Statement& statement);   // asserts may_sign or already recorded
  void restore(const Statement& statement);  // from the log or the high-water file, unchecked
  void prune(View floor);                    // forget the views up to it

  const SigningLimits& limits() const { return limits_; }
  // For the second file: the highest view signed in, if any.
  std::optional<ports::HighWater> high_water(Epoch epoch) const;
  const std::map<View, Signed>& all() const { return views_; }

 private:
  SigningLimits limits_;
  std::map<View, Signed> views_;
};

// What was signed in a view.
std::vector<Statement> statements_of(Epoch epoch, View view, const OwnVotes::Signed& own);

}  // namespace tally::consensus
