// What the node shows to Prometheus, at http://<host>:<port>/metrics.
//
// Threads: set by the core thread, read by the exporter's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "node/network/transport.hpp"
#include "node/ports/query.hpp"
#include "primitives/result.hpp"

namespace tally::service {

// Taken once a turn.
struct MetricsSample {
  std::uint64_t finalized_height = 0;
  std::uint64_t best_height = 0;
  std::uint64_t best_seen_height = 0;
  std::uint64_t epoch = 0;
  std::uint64_t view = 0;
  std::uint64_t peers = 0;
  std::uint64_t validator_peers = 0;
  std::uint64_t pool_transactions = 0;
  std::uint64_t pool_bytes = 0;
  std::uint64_t inbox_tasks = 0;
  ports::NodeState state{};
  network::TransportCounters transport;
};

class Metrics {
 public:
  // Serves from then on; an address that cannot be bound is an error.
  // What the disk holds under `base_path` is looked up whenever somebody asks.
  static Result<std::unique_ptr<Metrics>, Error> start(const std::string& host, std::uint16_t port,
                                                       std::filesystem::path base_path);
  // Collects, and serves nobody.
  static std::unique_ptr<Metrics> unserved();
  ~Metrics();

  void sample(const MetricsSample& sample);
  // `latency_ms`: from the time in the header to now.
  void on_final(std::uint64_t transactions, std::int64_t latency_ms);
  void on_turn(double seconds);
  void on_alarm();
  void on_evidence();

 private:
  struct Impl;
  explicit Metrics(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tally::service
