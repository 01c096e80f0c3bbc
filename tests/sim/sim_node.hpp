// One simulated node: a disk that survives crashes, and the NodeCore that runs on it from one crash
// to the next. Every write counts; the node can be told to crash before the n-th from now on.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "node/core/node_core.hpp"
#include "node/store/sim_disk.hpp"
#include "tests/sim/fake_crypto.hpp"
#include "tests/sim/machine.hpp"

namespace tally::sim {

// Thrown out of a write: the node is gone from that point on.
struct CrashNow {};

// Thrown out of a read or a write: the node ends by itself and says why. Damage in the database is
// noticed by its checksums, and the operator then replaces the database and keeps the votes.
struct StopNode {
  std::string reason;
  bool replace_database = false;
};

struct DiskFaults {
  std::optional<std::uint64_t> crash_after;  // writes from now
  std::uint64_t sync_ms = 0;                 // how long a sync holds the node up
  std::uint64_t cpu_ms = 0;                  // how long a turn takes
  std::uint64_t spent_ms = 0;                // in this turn
  bool full = false;
  std::optional<std::pair<ports::Column, Bytes>> damaged;  // whose checksum fails

  void touch(bool sync) {
    if (full) throw StopNode{"the disk is full", false};
    if (crash_after && (*crash_after)-- == 0) {
      crash_after.reset();
      throw CrashNow{};
    }
    if (sync) spent_ms += sync_ms;
  }
};

struct NodeHooks {
  std::function<void(const ports::PeerId& to, ports::Channel channel, Bytes frame)> send;
  std::function<void(const ports::PeerId& peer, std::string_view reason)> disconnect;
  std::function<ports::Moment()> now;
  std::function<void(std::uint64_t ticket, std::vector<bool> results)> checked;
  core::Listener* listener = nullptr;
  std::optional<core::Reporter> reporter;
  bool own_key_guard = true;
};

class SimNode {
 public:
  SimNode(ports::PeerId id, std::unique_ptr<FakeSigner> signer, NodeHooks hooks);
  ~SimNode();

  // Throws CrashNow if the disk says so.
  void start(MachineFactory& factory, SharedCache& cache);
  // Loses what was not synced.
  void crash(std::uint64_t seed);
  bool running() const { return core_ != nullptr; }
  core::NodeCore& core() { return *core_; }
  // While it runs. Reads may throw, as all of its turns.
  const ports::FinalizedView* chain() const;
  store::SimDisk& disk() { return disk_; }
  DiskFaults& faults() { return faults_; }
  // A bit of something in the database turns over; false when there is nothing yet.
  bool damage_database(Random& random);
  const ports::PeerId& id() const { return id_; }
  const FakeSigner& signer() const { return *signer_; }
  std::optional<Ed25519Key> key() const {
    return signer_ ? std::optional(signer_->consensus_key()) : std::nullopt;
  }
  std::unique_ptr<ports::Store> read_store() { return disk_.store(); }

 private:
  struct Live;

  ports::PeerId id_;
  std::unique_ptr<FakeSigner> signer_;
  NodeHooks hooks_;
  store::SimDisk disk_;
  DiskFaults faults_;
  std::unique_ptr<Live> live_;
  std::unique_ptr<core::NodeCore> core_;
};

}  // namespace tally::sim
