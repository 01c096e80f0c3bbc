// What the state machine asks its driver to do after a step.
//
// The order of a turn is fixed: bodies were given to the Store by the machine itself; if `sync`
// holds, the Store is synced, then the records are appended and the log synced, then the high-water
// file is written; only then do the sends of the turn leave, and the machine gets a Synced event,
// upon which it counts its own votes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "node/consensus/messages.hpp"
#include "node/ports/network.hpp"
#include "node/ports/vote_log.hpp"
#include "primitives/finality/evidence.hpp"

namespace tally::consensus {

using ports::PeerId;

struct Outgoing {
  std::vector<PeerId> to;
  Message message;
};

struct Disconnect {
  PeerId peer;
  std::string reason;
};

// A block that has become final, in height order; for subscribers and the pool.
struct Finalized {
  Hash hash;
  Header header;
  std::vector<Hash> extrinsics;
};

// Two certificates that cannot both exist while faulty weight is below W/3. The node signs nothing
// more and exits.
struct SafetyViolation {
  std::string what;
  std::optional<Certificate> first;
  std::optional<Certificate> second;
};

struct Actions {
  std::vector<ports::LogRecord> records;
  std::optional<ports::HighWater> high_water;
  bool store_bodies = false;  // sync the Store before the records
  std::vector<Outgoing> sends;
  std::vector<Disconnect> disconnects;
  std::vector<Finalized> finalized;
  std::vector<Evidence> evidence;
  std::vector<std::string> alarms;  // for the operator
  std::optional<SafetyViolation> violation;
  std::optional<EpochProof> epoch_over;  // of this epoch's last block, which is committed
};

}  // namespace tally::consensus
