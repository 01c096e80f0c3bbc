#include "node/service/metrics.hpp"

#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/exposer.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <exception>

#include "node/service/status.hpp"
#include "primitives/codec/describe.hpp"

namespace tally::service {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using Buckets = prometheus::Histogram::BucketBoundaries;

const Buckets kLatencySeconds{0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10};
const Buckets kTurnSeconds{0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1};

prometheus::Gauge& gauge(prometheus::Registry& registry, const char* name, const char* help) {
  return BuildGauge().Name(name).Help(help).Register(registry).Add({});
}
prometheus::Counter& counter(prometheus::Registry& registry, const char* name, const char* help) {
  return BuildCounter().Name(name).Help(help).Register(registry).Add({});
}
prometheus::Histogram& histogram(prometheus::Registry& registry, const char* name, const char* help,
                                 const Buckets& buckets) {
  return BuildHistogram().Name(name).Help(help).Register(registry).Add({}, buckets);
}

// A counter that follows a total which is counted elsewhere.
void follow(prometheus::Counter& to, std::uint64_t total) {
  const double more = static_cast<double>(total) - to.Value();
  if (more > 0) to.Increment(more);
}

constexpr std::array kStates = {
    ports::NodeState::starting,       ports::NodeState::syncing_snapshot,
    ports::NodeState::syncing_blocks, ports::NodeState::listening,
    ports::NodeState::validating,     ports::NodeState::following,
    ports::NodeState::not_voting,     ports::NodeState::stopped};

// Looks at the disk when it is asked, on the exporter's thread.
class DiskUse final : public prometheus::Collectable {
 public:
  explicit DiskUse(std::filesystem::path base_path) : base_path_(std::move(base_path)) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    const ports::NodeStatus::Disk disk = disk_use(base_path_);
    return {
        family("tally_database_bytes", "Files of the database", disk.database_bytes),
        family("tally_votes_bytes", "Vote log and high-water file", disk.votes_bytes),
        family("tally_disk_free_bytes", "Left on the disk of the data folder", disk.free_bytes)};
  }

 private:
  static prometheus::MetricFamily family(const char* name, const char* help, std::uint64_t value) {
    prometheus::ClientMetric metric;
    metric.gauge.value = static_cast<double>(value);
    return {name, help, prometheus::MetricType::Gauge, {metric}};
  }

  std::filesystem::path base_path_;
};

}  // namespace

struct Metrics::Impl {
  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  std::optional<ports::NodeState> state;  // as shown
  std::shared_ptr<DiskUse> disk;
  std::unique_ptr<prometheus::Exposer> exposer;

  prometheus::Gauge& finalized = gauge(*registry, "tally_finalized_height", "Newest final block");
  prometheus::Gauge& best = gauge(*registry, "tally_best_height", "Newest certified block");
  prometheus::Gauge& best_seen =
      gauge(*registry, "tally_best_seen_height", "Highest final block that a peer claims");
  prometheus::Gauge& epoch = gauge(*registry, "tally_epoch", "Consensus epoch");
  prometheus::Gauge& view = gauge(*registry, "tally_view", "Consensus view within the epoch");
  prometheus::Gauge& peers = gauge(*registry, "tally_peers", "Peers whose link is up");
  prometheus::Gauge& validator_peers =
      gauge(*registry, "tally_validator_peers", "Of these, proved validators");
  prometheus::Gauge& pool = gauge(*registry, "tally_pool_transactions", "Waiting transactions");
  prometheus::Gauge& pool_bytes = gauge(*registry, "tally_pool_bytes", "Their size in bytes");
  prometheus::Gauge& inbox = gauge(*registry, "tally_inbox_tasks", "Tasks waiting for the core");
  prometheus::Gauge& validates =
      gauge(*registry, "tally_validates", "1 when this node votes in the current epoch");
  prometheus::Family<prometheus::Gauge>& states = BuildGauge()
                                                      .Name("tally_node_state")
                                                      .Help("1 for the state that the node is in")
                                                      .Register(*registry);
  prometheus::Counter& blocks = counter(*registry, "tally_finalized_blocks_total", "Final blocks");
  prometheus::Counter& transactions =
      counter(*registry, "tally_finalized_transactions_total", "Transactions in final blocks");
  prometheus::Counter& alarms =
      counter(*registry, "tally_alarms_total", "Alarms for the operator; see the log");
  prometheus::Counter& evidence =
      counter(*registry, "tally_evidence_total", "Proofs that a validator misbehaved");
  prometheus::Counter& sent =
      counter(*registry, "tally_network_bytes_sent_total", "Bytes to peers, inside TLS");
  prometheus::Counter& received =
      counter(*registry, "tally_network_bytes_received_total", "Bytes from peers, inside TLS");
  prometheus::Counter& frames_sent =
      counter(*registry, "tally_network_frames_sent_total", "Frames to peers");
  prometheus::Counter& frames_received =
      counter(*registry, "tally_network_frames_received_total", "Frames from peers");
  prometheus::Counter& dropped = counter(*registry, "tally_network_frames_dropped_total",
                                         "Frames dropped because a peer's queue was full");
  prometheus::Counter& refused = counter(*registry, "tally_network_handshakes_failed_total",
                                         "Connections that ended before they were up");
  prometheus::Histogram& latency =
      histogram(*registry, "tally_finality_seconds", "From a block's time to its finality here",
                kLatencySeconds);
  prometheus::Histogram& turn =
      histogram(*registry, "tally_turn_seconds", "How long a turn of the core took", kTurnSeconds);
};

Metrics::Metrics(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Metrics::~Metrics() = default;

std::unique_ptr<Metrics> Metrics::unserved() {
  return std::unique_ptr<Metrics>(new Metrics(std::make_unique<Impl>()));
}

Result<std::unique_ptr<Metrics>, Error> Metrics::start(const std::string& host, std::uint16_t port,
                                                       std::filesystem::path base_path) {
  auto metrics = unserved();
  const std::string where = host + ":" + std::to_string(port);
  // The library says by an exception that it cannot, and not why.
  try {
    metrics->impl_->exposer = std::make_unique<prometheus::Exposer>(where, 1);
  } catch (const std::exception&) {
    return fail_with("metrics: cannot listen on " + where + ": the port is in use, or \"" + host +
                     "\" is no address of this machine; choose others with --metrics-port and "
                     "--metrics-listen, or --metrics false");
  }
  metrics->impl_->exposer->RegisterCollectable(metrics->impl_->registry);
  metrics->impl_->disk = std::make_shared<DiskUse>(std::move(base_path));
  metrics->impl_->exposer->RegisterCollectable(metrics->impl_->disk);
  return metrics;
}

void Metrics::sample(const MetricsSample& s) {
  const auto set = [](prometheus::Gauge& to, std::uint64_t value) {
    to.Set(static_cast<double>(value));
  };
  set(impl_->finalized, s.finalized_height);
  set(impl_->best, s.best_height);
  set(impl_->best_seen, s.best_seen_height);
  set(impl_->epoch, s.epoch);
  set(impl_->view, s.view);
  set(impl_->peers, s.peers);
  set(impl_->validator_peers, s.validator_peers);
  set(impl_->pool, s.pool_transactions);
  set(impl_->pool_bytes, s.pool_bytes);
  set(impl_->inbox, s.inbox_tasks);
  set(impl_->validates, s.state == ports::NodeState::validating ? 1 : 0);
  follow(impl_->sent, s.transport.bytes_sent);
  follow(impl_->received, s.transport.bytes_received);
  follow(impl_->frames_sent, s.transport.frames_sent);
  follow(impl_->frames_received, s.transport.frames_received);
  follow(impl_->dropped, s.transport.frames_dropped);
  follow(impl_->refused, s.transport.handshakes_failed);
  if (impl_->state == s.state) return;
  impl_->state = s.state;
  for (const ports::NodeState state : kStates) {
    set(impl_->states.Add({{"state", std::string(enumerator_name(state))}}),
        s.state == state ? 1 : 0);
  }
}

void Metrics::on_final(std::uint64_t transactions, std::int64_t latency_ms) {
  impl_->blocks.Increment();
  impl_->transactions.Increment(static_cast<double>(transactions));
  impl_->latency.Observe(static_cast<double>(latency_ms) / 1000);
}
void Metrics::on_turn(double seconds) {
  impl_->turn.Observe(seconds);
}
void Metrics::on_alarm() {
  impl_->alarms.Increment();
}
void Metrics::on_evidence() {
  impl_->evidence.Increment();
}

}  // namespace tally::service
