// The core thread: takes what waits in the inbox, hands it to the core, ends the turn, tells the
// world, waits. One turn is one sync of the disk, however many events it had.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "node/core/node_core.hpp"
#include "node/execution/application.hpp"
#include "node/log/log.hpp"
#include "node/network/transport.hpp"
#include "node/service/inbox.hpp"
#include "node/service/metrics.hpp"
#include "node/service/node.hpp"
#include "node/service/query.hpp"
#include "node/service/subscriptions.hpp"
#include "node/txpool/pool.hpp"

namespace tally::service {

class CoreLoop final : public core::Listener {
 public:
  struct Parts {
    Inbox& inbox;
    const ports::Clock& clock;
    txpool::TxPool& pool;
    const execution::ChainApplication& application;
    network::Transport& transport;
    Subscriptions& subscriptions;
    Log log;
    Metrics& metrics;
    std::function<void(Exit)> on_fatal;
    std::filesystem::path evidence_folder;  // where proofs of misbehaviour are kept
    bool validator = false;                 // has a validator's keys, in the set or not
    DurationMs idle_interval{};             // of the chain: a block is due this often
  };
  explicit CoreLoop(Parts parts) : parts_(std::move(parts)) {}
  ~CoreLoop() override { join(); }

  // The core must have been made with this loop as its listener.
  void start(core::NodeCore& core, NodeQuery& query);
  // After the inbox was closed: waits for the last turn.
  void join();

  static ports::Moment now();

  void on_final(const consensus::Finalized& block) override;
  void on_snapshot(const ports::ChainHead& head) override;
  void on_accepted(const Hash& extrinsic) override;
  void on_alarm(const std::string& text) override;
  void on_evidence(const Evidence& evidence) override;
  void on_evidence_news(const std::string& text) override;
  void on_violation(const consensus::SafetyViolation& violation) override;

 private:
  void keep_proof(const std::string& name, const Bytes& bytes);
  void run();
  void turn();
  void publish();
  void follow_sets();
  void follow_best();
  void tell_watchers();
  ports::NodeStatus judge_status(const core::CoreStatus& core, const Snapshot& shown);

  Parts parts_;
  core::NodeCore* core_ = nullptr;
  NodeQuery* query_ = nullptr;
  std::thread thread_;
  ports::Head best_;
  std::optional<Epoch> epoch_;  // whose set the next two are of
  std::shared_ptr<const ValidatorSet> set_;
  std::optional<std::uint32_t> place_;  // this node's in it
  bool had_peers_ = false;
  std::optional<std::string> stopped_;  // why this node cannot go on
  ports::Instant final_at_;             // when a block last became final, or the start
  std::optional<ports::NodeStatus> status_;
  consensus::Silence silence_{};  // that it was judged by
  std::vector<Hash> announced_;   // blocks of the best branch that watchers heard of, not yet final
};

}  // namespace tally::service
