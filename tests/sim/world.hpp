// A world: validators, their clients, a network, disks and clocks in one process and in virtual
// time, all of it drawn from one seed. The same seed gives the same trace hash.
//
// The first half of a world is full of faults: delay, loss, duplication, reordering, partitions,
// crashes at any write, torn and lost unsynced data, flipped bits in a log, slow disks, skewed
// clocks, a Byzantine validator. In the second half the network is well, every node is up, and the
// chain must go on. One validator at most is faulty at a time: the one with the adversary is also
// the one whose log is damaged.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/adversary.hpp"
#include "tests/sim/checkers.hpp"
#include "tests/sim/machine.hpp"
#include "tests/sim/sim_node.hpp"

namespace tally::sim {

constexpr std::uint64_t kPartitionMs = 700;  // a stretch of WorldOptions::partitions

struct WorldOptions {
  std::uint64_t seed = 0;
  WorldSetup setup;
  std::uint64_t duration_ms = 60'000;
  std::uint64_t faults_until_ms = 30'000;
  bool faults = true;
  AdversaryKind adversary = AdversaryKind::none;
  std::optional<std::size_t> faulty;  // which validator it is, instead of a drawn one
  // With `faults` off: who can talk to whom in each stretch of 700 ms from the start; by node.
  std::vector<std::vector<std::size_t>> partitions;
  // How long every frame takes once the faults have ended, instead of a drawn time.
  std::optional<std::uint64_t> delay_ms;
  // The last node is new: it starts only then, on an empty disk.
  std::uint64_t newcomer_ms = 0;
  // So often after a start it crashes, before one of its first writes.
  std::size_t newcomer_crashes = 0;
  // Nodes that are honest in consensus and serve those who sync badly.
  std::vector<std::size_t> lying_servers;
  // Crashes, partitions and clocks that jump as epochs end, until the faults do.
  bool edge_faults = false;
  // Nodes that are down for a while, whatever else happens.
  struct Down {
    std::size_t node{};
    std::uint64_t from_ms{};
    std::uint64_t to_ms{};
  };
  std::vector<Down> down;
  // The whole data folder of the validator that may be faulty is put back to an older copy. Votes
  // of it are then judged when they arrive: what a crash took on the way has not been said.
  struct Restore {
    std::uint64_t copy_ms{};
    std::uint64_t restore_ms{};  // it crashes then
    std::uint64_t down_ms{};
  };
  std::vector<Restore> restores;
  std::ostream* trace = nullptr;
};

struct WorldResult {
  std::vector<std::string> failures;
  std::uint64_t trace_hash = 0;
  std::uint32_t height = 0;
  std::size_t transactions = 0;
  std::size_t epochs = 0;
  std::size_t set_changes = 0;
  std::size_t evidence = 0;
  bool convicted = false;     // the adversary, by the chain
  std::size_t disputes = 0;   // that ended
  std::size_t snapshots = 0;  // that nodes took in place of blocks
  std::size_t absences = 0;   // for which a validator was put out
  std::size_t restores = 0;   // of data folders, to a copy that was older
  std::size_t mortal = 0;     // transactions of wallets in final blocks
  consensus::Marks marks{};   // of rare paths, where they are counted
  // Of each transaction, from its submission to the block's finality at the node that took it.
  std::vector<std::uint64_t> finality_ms;
};

class World {
 public:
  World(const WorldOptions& options, MachineFactory& factory);
  ~World();
  WorldResult run();

 private:
  struct NodeState;
  struct Link {
    bool up = false;
    std::uint64_t generation = 0;
  };
  struct Event {
    std::uint64_t at;
    std::uint64_t sequence;
    std::function<void()> act;
  };
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.at != b.at ? a.at > b.at : a.sequence > b.sequence;
    }
  };
  struct Weather {
    std::uint64_t delay_min = 2;
    std::uint64_t delay_max = 20;
    std::uint64_t loss = 0;         // per mille
    std::uint64_t duplicate = 0;    // per mille
    std::vector<std::size_t> side;  // of a partition, by node; empty: none
  };

  void at(std::uint64_t time, std::function<void()> act);
  void make_nodes();
  void draw_faults();
  void draw_crashes(Random& random);
  void draw_disks(Random& random);
  void draw_machines(Random& random);
  void end_faults();
  void on_epoch_edge(std::uint32_t height);
  void at_epoch_edge();
  std::optional<std::size_t> node_of(const Ed25519Key& key) const;
  void restore_folder(const WorldOptions::Restore& restore);
  void judge_body(std::size_t node, const Hash& block, const std::vector<Hash>& extrinsics);
  void judge_state(std::size_t node, const Hash& block, const ports::Store& store);
  void judge_snapshot(std::size_t node, const ports::ChainHead& head);
  void start_node(std::size_t node);
  void report_unseen(std::size_t node);
  void crash_node(std::size_t node, std::optional<std::uint64_t> down_ms = std::nullopt);
  void stop_node(std::size_t node, const StopNode& stop);
  // Beyond which no header of a final block may be: one clock at most is off by more.
  TimestampMs latest_time() const;
  void connect(std::size_t a, std::size_t b);
  void link_up(std::size_t a, std::size_t b);
  void link_down(std::size_t a, std::size_t b);
  // One turn of a node: events, end_turn, what leaves.
  void turn(std::size_t node, std::function<void(core::NodeCore&)> act);
  void flush(std::size_t node);
  void arm(std::size_t node);
  void transmit(std::size_t from, const ports::PeerId& to, Bytes frame, std::uint64_t departs);
  void deliver(std::size_t from, std::size_t to, const Bytes& frame, std::uint64_t generation);
  bool lies_to_newcomers(std::size_t node) const;
  std::size_t index_of(const ports::PeerId& id) const;
  void workload();
  void resubmit();
  void wallets();
  void judge_end();
  void judge_absence();
  void judge_convictions(std::size_t node, const ports::Store& store);
  void note(std::size_t node, std::string_view what, ByteView detail);
  void judge_drop(std::size_t by, std::size_t peer, std::string_view reason);
  void note_finality(std::size_t node, const Hash& extrinsic);
  bool honest(std::size_t node) const;

  WorldOptions options_;
  MachineFactory& factory_;
  Random random_;
  Checkers checkers_;
  SharedCache vrf_;
  std::vector<std::unique_ptr<NodeState>> nodes_;
  std::vector<std::vector<Link>> links_;
  Weather weather_;
  std::priority_queue<Event, std::vector<Event>, Later> events_;
  std::uint64_t now_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint64_t trace_hash_ = 0;
  Random edge_random_;
  std::uint32_t edge_height_ = 0;  // the newest at which an epoch ends that faults were drawn for
  std::size_t faulty_ = 0;         // the validator that may be Byzantine or lose its log
  std::map<Hash, Bytes> waiting_;  // transactions that clients still want included
  std::set<Hash> included_;
  struct Submitted {
    std::size_t node;
    std::uint64_t at;
  };
  std::map<Hash, Submitted> submitted_;  // and not final at that node
  std::vector<std::uint64_t> finality_ms_;
  std::size_t evidence_ = 0;
  std::size_t snapshots_ = 0;
  std::size_t restores_ = 0;
  std::map<Hash, std::vector<Hash>> bodies_;  // of final blocks: the hashes of their extrinsics
  std::map<Hash, Hash> states_;               // after them, where states are served
  std::optional<std::uint64_t> caught_at_;    // when an honest node with a key first saw evidence
  bool convicted_ = false;                    // on chain
  std::vector<std::uint32_t> heights_when_well_;
};

}  // namespace tally::sim
