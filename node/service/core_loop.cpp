#include "node/service/core_loop.hpp"

#include <algorithm>
#include <set>

#include "node/service/status.hpp"
#include "primitives/keystore/durable_file.hpp"

namespace tally::service {
namespace {

// Votes that came while a turn runs are part of it; other work is put off to the next turn after
// so long, since what a turn decides leaves only at its end.
constexpr std::size_t kTasksPerTurn = 512;
constexpr std::chrono::milliseconds kOthersPerTurn{8};

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Inbox::Deadline deadline_of(ports::Instant instant) {
  return Inbox::Deadline(std::chrono::milliseconds(instant.value));
}

}  // namespace

ports::Moment CoreLoop::now() {
  const auto steady = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
  return {ports::Instant(static_cast<std::uint64_t>(steady.count())),
          TimestampMs(static_cast<std::uint64_t>(wall_ms()))};
}

void CoreLoop::start(core::NodeCore& core, NodeQuery& query) {
  core_ = &core;
  query_ = &query;
  final_at_ = now().instant;
  publish();
  thread_ = std::thread([this] { run(); });
}

void CoreLoop::join() {
  if (thread_.joinable()) thread_.join();
}

void CoreLoop::run() {
  while (!parts_.inbox.finished()) {
    const auto timer = core_->next_timer();
    const auto deadline =
        timer ? std::optional(deadline_of(*timer)) : std::optional<Inbox::Deadline>();
    parts_.inbox.wait(deadline);
    turn();
  }
}

void CoreLoop::turn() {
  const auto began = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < kTasksPerTurn; ++i) {
    auto next = parts_.inbox.next();
    if (!next) break;
    next->task();
    next->task = nullptr;  // a frame counts as unread until its task is gone
    const auto took = std::chrono::steady_clock::now() - began;
    if (!next->urgent && took >= kOthersPerTurn) break;
  }
  const auto timer = core_->next_timer();
  if (timer && *timer <= now().instant) core_->on_timer();
  core_->end_turn();
  follow_best();
  tell_watchers();
  publish();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  parts_.metrics.on_turn(took.count());
}

void CoreLoop::on_final(const consensus::Finalized& block) {
  const BlockNumber number = block.header.number.value;
  final_at_ = now().instant;
  const auto digest = consensus_digest(block.header);
  const std::int64_t latency =
      digest ? wall_ms() - static_cast<std::int64_t>(digest->time.value) : 0;
  parts_.metrics.on_final(block.extrinsics.size(), latency);
  parts_.log.debug("block is final", {{"number", number.value},
                                      {"hash", to_hex(block.hash)},
                                      {"transactions", block.extrinsics.size()},
                                      {"latency_ms", latency}});
  parts_.pool.on_block({{number, block.hash}, true, block.extrinsics});
  std::erase(announced_, block.hash);
  parts_.subscriptions.tell_head(ports::HeadKind::finalized, {{number, block.hash}, block.header});
}

void CoreLoop::on_snapshot(const ports::ChainHead& head) {
  parts_.log.info("the state at an epoch's end was taken from peers; blocks follow from there",
                  {{"number", head.number.value}, {"hash", to_hex(head.hash)}});
  announced_.clear();
}

void CoreLoop::on_accepted(const Hash&) {}

void CoreLoop::on_alarm(const std::string& text) {
  parts_.metrics.on_alarm();
  parts_.log.warn(text);
}

void CoreLoop::on_evidence(const Evidence& evidence) {
  parts_.metrics.on_evidence();
  parts_.log.warn("a validator has broken the protocol",
                  {{"validator", evidence.first.signer.value},
                   {"epoch", evidence.first.statement.epoch.value},
                   {"view", evidence.first.statement.view.value}});
  const Statement& statement = evidence.first.statement;
  keep_proof("validator" + std::to_string(evidence.first.signer.value) + "-epoch" +
                 std::to_string(statement.epoch.value) + "-view" +
                 std::to_string(statement.view.value) + "-" +
                 std::string(enumerator_name(statement.kind)) + ".scale",
             encode(evidence));
}

void CoreLoop::on_evidence_news(const std::string& text) {
  parts_.log.warn(text);
}

// Places for the validators of this epoch and of the next, and a line when this node comes or goes.
void CoreLoop::follow_sets() {
  const consensus::Engine& engine = core_->engine();
  if (epoch_ == engine.epoch()) return;
  epoch_ = engine.epoch();
  set_ = std::make_shared<const ValidatorSet>(engine.current_set());
  std::vector<Ed25519Key> keys;
  for (const Validator& validator : set_->members) keys.push_back(validator.consensus_key);
  for (const Validator& validator : engine.next_set().members) {
    if (!set_->find(validator.consensus_key)) keys.push_back(validator.consensus_key);
  }
  parts_.transport.prefer_validators(std::move(keys));
  place_.reset();
  if (const auto self = engine.simplex().self()) place_ = self->value;
}

// Says a change of state in the log, in the words of the status.
ports::NodeStatus CoreLoop::judge_status(const core::CoreStatus& core, const Snapshot& shown) {
  StatusInputs in;
  in.has_keys = parts_.validator;
  in.core = core;
  in.peers = static_cast<std::uint32_t>(shown.peers.size());
  had_peers_ |= in.peers > 0;
  in.key_is_in_use = parts_.transport.key_is_in_use();
  in.had_peers = had_peers_;
  std::set<std::uint16_t> linked;
  for (const core::PeerStatus& peer : shown.peers) {
    const auto place = peer.validator ? set_->find(*peer.validator) : std::nullopt;
    if (!place || place->value == place_) continue;
    if (linked.insert(place->value).second) in.linked_weight += set_->at(*place).weight;
  }
  in.validator_peers = static_cast<std::uint32_t>(linked.size());
  if (place_) {
    in.linked_weight += set_->at(ValidatorIndex(static_cast<std::uint16_t>(*place_))).weight;
  }
  in.quorum = set_->quorum();
  in.since_final = ports::elapsed(final_at_, now().instant);
  in.idle_interval = parts_.idle_interval;
  in.stopped = stopped_;

  const Judgement judged = judge(in);
  ports::NodeStatus out;
  out.state = judged.state;
  out.reason = judged.reason;
  out.advice = judged.advice;
  out.progress = judged.progress;
  out.peers = in.peers;
  out.validator_peers = in.validator_peers;
  out.finalized = core.head.number;
  out.sync_target = sync_target(in);
  const auto silence = core.standing.silence;
  const bool changed = !status_ || status_->state != out.state || silence_ != silence;
  silence_ = silence;
  out.since = changed ? TimestampMs(static_cast<std::uint64_t>(wall_ms())) : status_->since;
  if (changed) {
    const std::string state(enumerator_name(out.state));
    const bool bad =
        out.state == ports::NodeState::not_voting || out.state == ports::NodeState::stopped;
    if (bad) {
      parts_.metrics.on_alarm();
      parts_.log.warn("node is " + state, {{"reason", out.reason}, {"advice", out.advice}});
    } else {
      parts_.log.info("node is " + state, {{"reason", out.reason}, {"advice", out.advice}});
    }
  }
  status_ = out;
  return out;
}

void CoreLoop::keep_proof(const std::string& name, const Bytes& bytes) {
  std::error_code error;
  std::filesystem::create_directories(parts_.evidence_folder, error);
  const auto path = parts_.evidence_folder / name;
  if (std::filesystem::exists(path, error)) return;
  const auto written = write_private_file(path, as_text(bytes), false);
  if (written.ok()) {
    parts_.log.warn("a proof was kept", {{"file", path.string()}});
  } else {
    parts_.log.error("a proof could not be kept",
                     {{"reason", written.error().message}, {"bytes", to_hex(bytes)}});
  }
}

void CoreLoop::on_violation(const consensus::SafetyViolation& violation) {
  parts_.log.error(
      "validators with a third of the weight have broken the protocol; this node signs "
      "nothing more and stops: keep its data folder, it holds the proof",
      {{"what", violation.what}});
  stopped_ = "validators with a third of the weight have broken the protocol: " + violation.what;
  keep_proof(std::string(kViolationFile), encode(std::pair(violation.first, violation.second)));
  parts_.on_fatal(Exit::safety_violation);
}

// The highest certified block may change its branch; each block is announced once.
void CoreLoop::follow_best() {
  const consensus::Floor& floor = core_->engine().simplex().floor();
  const Hash hash = core_->engine().simplex().best_certified().second;
  const auto* pending = parts_.application.find_pending(hash);
  if (pending == nullptr) {  // it is final, or a filler of an epoch that has ended
    best_ = {{floor.header.number.value, floor.hash}, floor.header};
    return;
  }
  if (best_.block.hash == hash) return;
  best_ = {{pending->number(), hash}, pending->header};
  std::vector<const execution::PendingBlock*> fresh;
  for (const auto* block = pending; block != nullptr;
       block = parts_.application.find_pending(block->header.parent_hash)) {
    if (std::find(announced_.begin(), announced_.end(), block->hash) != announced_.end()) break;
    fresh.push_back(block);
  }
  for (auto it = fresh.rbegin(); it != fresh.rend(); ++it) {
    announced_.push_back((*it)->hash);
    parts_.pool.on_block({{(*it)->number(), (*it)->hash}, false, (*it)->extrinsics});
  }
  std::erase_if(announced_, [&](const Hash& entry) {
    return parts_.application.find_pending(entry) == nullptr;
  });
  parts_.subscriptions.tell_head(ports::HeadKind::best, best_);
}

void CoreLoop::tell_watchers() {
  for (const txpool::Event& event : parts_.pool.take_events()) {
    parts_.subscriptions.tell_transaction(event.extrinsic, event.status);
  }
}

void CoreLoop::publish() {
  const core::CoreStatus status = core_->status();
  if (best_.block.hash.is_zero()) follow_best();
  Snapshot out;
  out.best = best_;
  out.finalized = {status.head.number, status.head.hash};
  out.epoch = status.hint.epoch;
  out.view = status.hint.view;
  out.pool = {parts_.pool.size(), parts_.pool.bytes(), parts_.pool.limits().transactions,
              parts_.pool.limits().bytes};
  out.peers = core_->peer_statuses();
  follow_sets();
  out.set = set_;
  out.validator = place_;
  out.status = judge_status(status, out);
  out.best_seen = out.status.sync_target;

  MetricsSample sample;
  sample.finalized_height = out.finalized.number.value;
  sample.best_height = out.best.block.number.value;
  sample.best_seen_height = out.best_seen.value;
  sample.epoch = out.epoch.value;
  sample.view = out.view.value;
  sample.peers = out.peers.size();
  sample.validator_peers = static_cast<std::uint64_t>(std::count_if(
      out.peers.begin(), out.peers.end(), [](const auto& peer) { return peer.validator; }));
  sample.pool_transactions = out.pool.transactions;
  sample.pool_bytes = out.pool.bytes;
  sample.inbox_tasks = parts_.inbox.size();
  sample.state = out.status.state;
  sample.transport = parts_.transport.counters();
  parts_.metrics.sample(sample);
  query_->publish(std::move(out));
}

}  // namespace tally::service
