#include "tests/sim/sim_node.hpp"

#include "node/consensus/coverage.hpp"

namespace tally::sim {
namespace {

class FaultyStore final : public ports::Store {
 public:
  FaultyStore(std::unique_ptr<ports::Store> inner, DiskFaults& faults)
      : inner_(std::move(inner)), faults_(faults) {}
  std::optional<Bytes> get(ports::Column column, ByteView key) const override {
    check(column, key);
    return inner_->get(column, key);
  }
  void scan(ports::Column column, ByteView from,
            const std::function<bool(ByteView, ByteView)>& visit) const override {
    inner_->scan(column, from, [&](ByteView key, ByteView value) {
      check(column, key);
      return visit(key, value);
    });
  }
  void write(ports::WriteBatch batch, ports::Durability durability) override {
    faults_.touch(durability == ports::Durability::synced);
    if (faults_.damaged) heal(batch);
    inner_->write(std::move(batch), durability);
  }
  void sync() override {
    faults_.touch(true);
    inner_->sync();
  }

 private:
  void check(ports::Column column, ByteView key) const {
    const auto& damaged = faults_.damaged;
    if (!damaged || damaged->first != column || !equal(damaged->second, key)) return;
    mark(consensus::Mark::database_stop);
    throw StopNode{"a record of the database does not fit its checksum", true};
  }
  void heal(const ports::WriteBatch& batch) {
    for (const ports::Write& write : batch) {
      if (write.column != faults_.damaged->first || write.key != faults_.damaged->second) continue;
      faults_.damaged.reset();
      return;
    }
  }

  std::unique_ptr<ports::Store> inner_;
  DiskFaults& faults_;
};

class FaultyLog final : public ports::VoteLog {
 public:
  FaultyLog(std::unique_ptr<ports::VoteLog> inner, DiskFaults& faults)
      : inner_(std::move(inner)), faults_(faults) {}
  ports::LogReplay replay() override { return inner_->replay(); }
  void append(ports::LogRecord record) override {
    faults_.touch(false);
    inner_->append(std::move(record));
  }
  void sync() override {
    faults_.touch(true);
    inner_->sync();
  }
  void rewrite(std::vector<ports::LogRecord> records) override {
    faults_.touch(true);
    inner_->rewrite(std::move(records));
  }

 private:
  std::unique_ptr<ports::VoteLog> inner_;
  DiskFaults& faults_;
};

class FaultyHighWater final : public ports::HighWaterFile {
 public:
  FaultyHighWater(std::unique_ptr<ports::HighWaterFile> inner, DiskFaults& faults)
      : inner_(std::move(inner)), faults_(faults) {}
  ports::HighWaterRead read() override { return inner_->read(); }
  void write(const ports::HighWater& value) override {
    faults_.touch(true);
    inner_->write(value);
    faults_.touch(false);  // a crash after the last write, before what depends on it leaves
  }

 private:
  std::unique_ptr<ports::HighWaterFile> inner_;
  DiskFaults& faults_;
};

class HookClock final : public ports::Clock {
 public:
  explicit HookClock(const NodeHooks& hooks) : hooks_(hooks) {}
  ports::Moment now() const override { return hooks_.now(); }

 private:
  const NodeHooks& hooks_;
};

class HookNetwork final : public ports::Network {
 public:
  explicit HookNetwork(const NodeHooks& hooks) : hooks_(hooks) {}
  void send(const ports::PeerId& to, ports::Channel channel, Bytes frame) override {
    hooks_.send(to, channel, std::move(frame));
  }
  void disconnect(const ports::PeerId& peer, std::string_view reason) override {
    hooks_.disconnect(peer, reason);
  }

 private:
  const NodeHooks& hooks_;
};

}  // namespace

struct SimNode::Live {
  FaultyStore store;
  FaultyLog log;
  FaultyHighWater high_water;
  HookClock clock;
  HookNetwork network;
  FakeVerifier verifier;
  std::unique_ptr<Machine> machine;

  Live(store::SimDisk& disk, DiskFaults& faults, const NodeHooks& hooks, SharedCache& cache)
      : store(disk.store(), faults),
        log(disk.vote_log(), faults),
        high_water(disk.high_water(), faults),
        clock(hooks),
        network(hooks),
        verifier(cache, hooks.checked) {}
};

SimNode::SimNode(ports::PeerId id, std::unique_ptr<FakeSigner> signer, NodeHooks hooks)
    : id_(id), signer_(std::move(signer)), hooks_(std::move(hooks)) {}
SimNode::~SimNode() = default;

void SimNode::start(MachineFactory& factory, SharedCache& cache) {
  live_ = std::make_unique<Live>(disk_, faults_, hooks_, cache);
  live_->machine = factory.make(live_->store, live_->verifier);
  core::CorePorts ports;
  ports.clock = &live_->clock;
  ports.network = &live_->network;
  ports.store = &live_->store;
  ports.vote_log = &live_->log;
  ports.high_water = &live_->high_water;
  ports.application = &live_->machine->application();
  ports.pool = &live_->machine->pool();
  ports.verifier = &live_->verifier;
  ports.signer = signer_.get();
  ports.listener = hooks_.listener;
  ports.chain = live_->machine->chain();
  ports.reporter = hooks_.reporter ? &*hooks_.reporter : nullptr;
  consensus::ChainSetup chain = factory.chain();
  chain.own_key_guard = hooks_.own_key_guard;
  ports.snapshots = live_->machine->snapshots();
  if (ports.snapshots != nullptr) ports.sync.mode = core::SyncMode::snapshot;
  core_ = std::make_unique<core::NodeCore>(std::move(chain), id_, ports);
}

const ports::FinalizedView* SimNode::chain() const {
  return live_->machine->chain();
}

bool SimNode::damage_database(Random& random) {
  const auto column = static_cast<ports::Column>(random.below(ports::kColumns));
  std::vector<Bytes> keys;
  disk_.store()->scan(column, {}, [&](ByteView key, ByteView) {
    keys.push_back(to_bytes(key));
    return true;
  });
  if (keys.empty()) return false;
  faults_.damaged = {column, keys[random.below(keys.size())]};
  return true;
}

void SimNode::crash(std::uint64_t seed) {
  core_.reset();
  live_.reset();
  faults_.crash_after.reset();
  disk_.crash(seed);
}

}  // namespace tally::sim
