// NodeCore: the whole node without I/O. Consensus, pool, block sync and execution on one thread,
// driven by events, acting through ports; tallyd and the simulator run this same code.
//
//   NodeCore core(setup, ports);
//   core.on_frame(peer, bytes); …            // any number of events: one turn
//   core.end_turn();                         // one sync for all of them, then what they send
//   wait until core.next_timer(), then core.on_timer();
//
// Every function belongs to the core thread, and end_turn() must follow before the driver waits
// again. Nothing that a vote promises leaves before end_turn() has made it durable.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "node/consensus/engine.hpp"
#include "node/core/allowance.hpp"
#include "node/core/block_sync.hpp"
#include "node/core/evidence_reports.hpp"
#include "node/core/snapshot_sync.hpp"
#include "node/core/wire.hpp"
#include "node/ports/application.hpp"
#include "node/ports/clock.hpp"
#include "node/ports/network.hpp"
#include "node/ports/pool.hpp"

namespace tally::core {

using ports::Instant;
using ports::PeerId;

// What the rest of the node hears of. Called from the core thread; must return at once.
class Listener {
 public:
  virtual ~Listener() = default;
  // In height order, after the block is durable.
  virtual void on_final(const consensus::Finalized& block) = 0;
  virtual void on_accepted(const Hash& extrinsic) = 0;  // into the pool
  virtual void on_alarm(const std::string& text) = 0;
  // Of each offender and epoch once.
  virtual void on_evidence(const Evidence& evidence) = 0;
  virtual void on_evidence_news(const std::string& text) = 0;  // what became of it
  // The fault bound is broken: this node has stopped signing for good; the process must end.
  virtual void on_violation(const consensus::SafetyViolation& violation) = 0;
  // The state after this final block was taken from peers; the blocks up to it were not.
  virtual void on_snapshot(const ports::ChainHead&) {}
};

// How a node gets to where the chain is.
enum class SyncMode : std::uint8_t {
  automatic,  // with no blocks and far behind, or where the blocks are gone: a snapshot
  snapshot,   // with no blocks: a snapshot
  blocks,     // always block by block
};

struct SyncSettings {
  SyncMode mode = SyncMode::automatic;
  // An epoch's last block: no snapshot of a chain without it is taken.
  std::optional<ports::ChainHead> trusted{};
};

struct CorePorts {
  ports::Clock* clock = nullptr;
  ports::Network* network = nullptr;
  ports::Store* store = nullptr;
  ports::VoteLog* vote_log = nullptr;
  ports::HighWaterFile* high_water = nullptr;
  ports::Application* application = nullptr;
  ports::Pool* pool = nullptr;
  ports::Verifier* verifier = nullptr;
  const ports::KeyHolder* signer = nullptr;  // null: an observer
  Listener* listener = nullptr;
  const ports::FinalizedView* chain = nullptr;  // null: evidence is not reported
  const Reporter* reporter = nullptr;           // null: likewise
  ports::Snapshots* snapshots = nullptr;        // null: no state is served or fetched
  SyncSettings sync{};
};

struct PeerStatus {
  PeerId peer;
  std::optional<Ed25519Key> validator;
  ports::ChainHead head;
  consensus::Hint hint;
};

struct CoreStatus {
  consensus::Hint hint;
  ports::ChainHead head;
  BlockNumber best_seen;   // the highest final height that a peer claims
  BlockNumber doubtful;    // likewise, where all who may know have failed to show it; else 0
  bool validates = false;  // a member of this epoch's set
  consensus::Standing standing;
  // While the state of a recent block is taken from peers.
  struct Progress {
    std::uint64_t done{};
    std::uint64_t total{};
  };
  std::optional<Progress> snapshot;
  bool pruned_everywhere = false;  // no peer that is ahead has the next block
  std::size_t pool_size = 0;
};

class NodeCore {
 public:
  NodeCore(consensus::ChainSetup chain, const PeerId& self, const CorePorts& ports);

  void on_peer_up(const PeerId& peer);
  void on_peer_down(const PeerId& peer);
  void on_frame(const PeerId& from, ByteView frame);
  void on_timer();
  void on_signatures_checked(std::uint64_t ticket, const std::vector<bool>& results);
  // Calls back, now or later, when the pool has decided.
  using SubmitDone = std::function<void(const ports::PoolAnswer&)>;
  void submit(Bytes extrinsic, SubmitDone done);

  void end_turn();
  std::optional<Instant> next_timer() const;

  CoreStatus status() const;
  std::vector<PeerStatus> peer_statuses() const;
  const consensus::Engine& engine() const { return *engine_; }

 private:
  struct Peer {
    Peer(Instant now, Allowance* guests, Allowance* guests_gossip)
        : allowance(now, Allowance::kPeer, guests),
          gossip(now, Allowance::kGossip, guests_gossip) {}
    std::optional<Ed25519Key> validator;
    std::optional<ValidatorClaim> claim;  // of this node, to it
    Status status;
    bool known = false;    // a Status has come
    bool member = false;   // of this epoch's set or the next, when its key was proved
    Allowance allowance;   // for its requests
    Allowance gossip;      // for what the pool does not take
    std::size_t jobs = 0;  // signatures of its transactions that are being checked
  };
  struct Checking {
    std::vector<Hash> extrinsics;
    std::vector<SubmitDone> done;  // one each, empty for gossip
    std::optional<PeerId> from;
    bool prepaid = false;  // a guest has paid for bad ones, until they turn out good
  };
  // A good range that consensus has not got yet.
  struct Range {
    PeerId from;
    RangeReply reply;
    std::uint64_t ticket;
    bool checked;  // its signatures, or there is nothing to wait for
  };

  void on_message(const PeerId& from, const Status& status);
  void on_message(const PeerId& from, const ConsensusFrame& frame);
  void on_message(const PeerId& from, const Transactions& transactions);
  void on_message(const PeerId& from, const RangeRequest& request);
  void on_message(const PeerId& from, const RangeReply& reply);
  void on_message(const PeerId& from, const RangePruned& answer);
  void on_message(const PeerId& from, const EpochProofsRequest& request);
  void on_message(const PeerId& from, const EpochProofsReply& reply);
  void on_message(const PeerId& from, const SubtreesRequest& request);
  void on_message(const PeerId& from, const SubtreesReply& reply);

  void send(const PeerId& to, ports::Channel channel, const WireMessage& message);
  void send_status(const PeerId& to);
  bool take_claim(const PeerId& from, const ValidatorClaim& claim);
  void keep_in_touch();
  void accepted(const ports::PoolAnswer& answer, const std::optional<PeerId>& from);
  void gossip();
  bool admit(const PeerId& from, std::uint64_t cost);
  void note_head(const PeerId& peer, BlockNumber number);
  bool wants_snapshot() const;
  void forget_passed_state();
  void sync();
  void sync_state();
  void hold(const PeerId& from, const RangeReply& reply);
  bool on_range_checked(std::uint64_t ticket, const std::vector<bool>& results);
  void supply_range();
  bool has_range_ready() const;
  bool is_left_to_sync() const;
  void forget_ranges();
  void start_engine();
  void start_from_snapshot();
  ports::ChainHead head() const;
  void act(consensus::TurnOutput output);
  void report_evidence();

  PeerId self_;
  CorePorts ports_;
  consensus::ChainSetup chain_;
  Hash genesis_hash_;
  std::unique_ptr<consensus::Engine> engine_;
  EvidenceReports reports_;
  // Of all peers that are no validators together.
  std::unique_ptr<Allowance> guests_;
  std::unique_ptr<Allowance> guests_gossip_;
  std::map<PeerId, Peer> peers_;

  std::map<std::uint64_t, Checking> checking_;
  std::uint64_t next_ticket_ = 1;
  std::size_t jobs_ = 0;  // signature checks that are under way
  bool pool_changed_ = false;
  std::map<PeerId, std::vector<Bytes>> gossip_;  // by receiver, of this turn
  Instant touch_at_;
  Epoch touched_epoch_;       // when it last said where it stands
  bool owes_claims_ = false;  // the signer was away when a peer should have had one

  BlockSync block_sync_;
  std::deque<Range> ranges_;                   // in the order in which they were judged
  std::set<std::uint64_t> range_checks_;       // tickets, of ranges that are gone too
  std::optional<SnapshotSync> snapshot_sync_;  // while it is at work
  std::optional<Instant> snapshot_pause_;
};

}  // namespace tally::core
