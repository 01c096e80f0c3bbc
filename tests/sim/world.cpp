#include "tests/sim/world.hpp"

#include <algorithm>

#include "primitives/crypto/hash.hpp"
#include "tests/sim/lying_server.hpp"
#include "tests/sim/node_state.hpp"

namespace tally::sim {
namespace {

constexpr std::uint64_t kWallStart = 1'700'000'000'000;
constexpr std::uint64_t kSkewMs = 120;     // either way
constexpr std::uint64_t kWellMs = 12'000;  // after the faults, by when the chain must move again

ports::PeerId peer_id(std::size_t node) {
  ports::PeerId id;
  id.bytes[0] = static_cast<std::uint8_t>(node);
  id.bytes[1] = 0x51;
  return id;
}

}  // namespace

World::World(const WorldOptions& options, MachineFactory& factory)
    : options_(options),
      factory_(factory),
      random_(options.seed, "network"),
      checkers_({options.setup.nodes() + 1, factory.chain().genesis_hash,
                 options.setup.epoch_length, factory.chain().first, factory.chain().second,
                 [this](const Ed25519Key& key, ByteView message, const Ed25519Signature& by) {
                   return vrf_.holds(key, message, by);
                 }}),
      edge_random_(options.seed, "edges") {
  vrf_.real_votes = vrf_.real_proofs = factory.real_votes();
  faulty_ = options.faulty.value_or(Random(options.seed, "faulty").below(options.setup.validators));
  if (!options.restores.empty()) checkers_.judge_on_arrival(faulty_);
  make_nodes();
}

World::~World() = default;

bool World::honest(std::size_t node) const {
  return !nodes_[node]->byzantine;
}

bool World::lies_to_newcomers(std::size_t node) const {
  const auto& liars = options_.lying_servers;
  return std::find(liars.begin(), liars.end(), node) != liars.end();
}

void World::at(std::uint64_t time, std::function<void()> act) {
  events_.push({std::max(time, now_), sequence_++, std::move(act)});
}

void World::note(std::size_t node, std::string_view what, ByteView detail) {
  const std::uint64_t hash = xxhash64(detail, trace_hash_);
  trace_hash_ = xxhash64(as_bytes(what), hash ^ (now_ * 1'000'003) ^ node);
  if (options_.trace == nullptr) return;
  *options_.trace << now_ << " ms  node " << node << "  " << what;
  if (!detail.empty())
    *options_.trace << "  " << to_hex(detail.first(std::min<std::size_t>(detail.size(), 8)));
  *options_.trace << "\n";
}

void World::note_finality(std::size_t node, const Hash& extrinsic) {
  const auto found = submitted_.find(extrinsic);
  if (found == submitted_.end() || found->second.node != node) return;
  finality_ms_.push_back(now_ - found->second.at);
  submitted_.erase(found);
}

void World::make_nodes() {
  const bool twins = options_.adversary == AdversaryKind::twins;
  const std::size_t keys = options_.setup.validators + options_.setup.candidates;
  const std::size_t count = options_.setup.nodes() + (twins ? 1 : 0);
  links_.assign(count, std::vector<Link>(count));
  Random skew(options_.seed, "skew");
  const auto drift = static_cast<std::int64_t>(factory_.chain().parameters.max_drift.value);
  for (std::size_t i = 0; i < count; ++i) {
    auto state = std::make_unique<NodeState>(*this, i);
    NodeState* self = state.get();
    const bool twin = i == options_.setup.nodes();
    const std::size_t validator = twin ? faulty_ : i;
    state->byzantine = options_.adversary != AdversaryKind::none && validator == faulty_;
    if (state->byzantine) state->adversary = make_adversary(options_.adversary);
    if (options_.faults)
      state->skew_ms =
          static_cast<std::int64_t>(skew.below(2 * kSkewMs)) - static_cast<std::int64_t>(kSkewMs);
    NodeHooks hooks;
    hooks.send = [self](const ports::PeerId& to, ports::Channel channel, Bytes frame) {
      self->outbox.push_back({to, channel, std::move(frame)});
    };
    hooks.disconnect = [self](const ports::PeerId& peer, std::string_view reason) {
      self->world.note(self->index, reason, peer);
      self->world.judge_drop(self->index, self->world.index_of(peer), reason);
      self->drops.push_back(peer);
    };
    hooks.now = [this, self, drift] {
      std::int64_t ahead = self->skew_ms;
      if (self->adversary) ahead += self->adversary->clock_push_ms(now_, drift);
      return ports::Moment{ports::Instant(now_),
                           TimestampMs(kWallStart + now_ + static_cast<std::uint64_t>(ahead))};
    };
    hooks.checked = [this, self](std::uint64_t ticket, std::vector<bool> results) {
      const std::uint64_t incarnation = self->incarnation;
      at(now_ + 1, [this, self, incarnation, ticket, results = std::move(results)] {
        if (self->incarnation != incarnation) return;
        turn(self->index, [ticket, results](core::NodeCore& core) {
          core.on_signatures_checked(ticket, results);
        });
      });
    };
    hooks.listener = self;
    hooks.reporter = factory_.reporter(i);
    hooks.own_key_guard = !state->byzantine;  // nothing may keep an adversary from signing
    auto signer = validator < keys ? std::make_unique<FakeSigner>(validator, &vrf_) : nullptr;
    state->node = std::make_unique<SimNode>(peer_id(i), std::move(signer), std::move(hooks));
    nodes_.push_back(std::move(state));
  }
}

std::size_t World::index_of(const ports::PeerId& id) const {
  return id.bytes[0];
}

// Links end for what a peer sent, and an honest one sends nothing that ends a link.
void World::judge_drop(std::size_t by, std::size_t peer, std::string_view reason) {
  if (!honest(by) || !honest(peer) || lies_to_newcomers(peer)) return;
  checkers_.fail("node " + std::to_string(by) + " drops the honest node " + std::to_string(peer) +
                 ": " + std::string(reason));
}

void World::start_node(std::size_t index) {
  NodeState& state = *nodes_[index];
  if (state.node->running()) return;
  state.incarnation += 1;
  state.busy_until = now_;
  state.timer_at = ~std::uint64_t{0};
  note(index, "start", {});
  try {
    state.node->start(factory_, vrf_);
  } catch (const CrashNow&) {
    crash_node(index);
    return;
  } catch (const StopNode& stop) {
    stop_node(index, stop);
    return;
  }
  report_unseen(index);
  if (index + 1 == nodes_.size() && options_.newcomer_crashes > 0) {
    options_.newcomer_crashes -= 1;
    state.node->faults().crash_after = random_.below(60);
  }
  turn(index, [](core::NodeCore&) {});
  for (std::size_t other = 0; other < nodes_.size(); ++other) {
    if (other != index) connect(index, other);
  }
}

// Blocks that were durable before the crash, but of which nobody heard.
void World::report_unseen(std::size_t index) {
  NodeState& state = *nodes_[index];
  const auto store = state.node->read_store();
  const auto head = ports::find_head(*store);
  if (!head) return;
  const std::uint32_t oldest = ports::oldest_block(*store).value;
  if (checkers_.height(index) + 1 < oldest && oldest <= head->number.value) {
    const auto hash = ports::find_final(*store, BlockNumber(oldest));
    state.on_snapshot({hash.value_or(Hash{}), BlockNumber(oldest)});
  }
  for (std::uint32_t height = checkers_.height(index) + 1; height <= head->number.value; ++height) {
    const auto hash = ports::find_final(*store, BlockNumber(height));
    const auto block = hash ? ports::find_block(*store, *hash) : std::nullopt;
    if (!block) {
      checkers_.fail("node " + std::to_string(index) + " lost its final block at height " +
                     std::to_string(height));
      return;
    }
    consensus::Finalized final{*hash, block->header, {}};
    for (const Bytes& extrinsic : block->extrinsics) {
      final.extrinsics.push_back(blake2_256(extrinsic));
    }
    state.on_final(final);
  }
}

void World::crash_node(std::size_t index, std::optional<std::uint64_t> down_ms) {
  NodeState& state = *nodes_[index];
  note(index, "crash", {});
  state.incarnation += 1;
  state.node->crash(random_.next());
  for (std::size_t other = 0; other < nodes_.size(); ++other) {
    if (other != index && links_[index][other].up) link_down(index, other);
  }
  const std::uint64_t drawn = random_.between(200, 4'000);
  at(now_ + down_ms.value_or(drawn), [this, index] { start_node(index); });
}

void World::stop_node(std::size_t index, const StopNode& stop) {
  note(index, stop.reason, {});
  NodeState& state = *nodes_[index];
  crash_node(index, 1'000);
  if (!stop.replace_database) return;
  state.node->faults().damaged.reset();
  state.node->disk().lose_database();
}

TimestampMs World::latest_time() const {
  return TimestampMs(kWallStart + now_ + 2 * kSkewMs + factory_.chain().parameters.max_drift.value);
}

void World::connect(std::size_t a, std::size_t b) {
  at(now_ + random_.between(2, 60), [this, a, b] {
    if (nodes_[a]->node->running() && nodes_[b]->node->running() && !links_[a][b].up) {
      link_up(a, b);
    }
  });
}

void World::link_up(std::size_t a, std::size_t b) {
  for (const auto& [x, y] : {std::pair(a, b), std::pair(b, a)}) {
    links_[x][y].up = true;
    links_[x][y].generation += 1;
  }
  turn(a, [b](core::NodeCore& core) { core.on_peer_up(peer_id(b)); });
  if (!links_[a][b].up) return;  // the first one crashed over it
  turn(b, [a](core::NodeCore& core) { core.on_peer_up(peer_id(a)); });
}

void World::link_down(std::size_t a, std::size_t b) {
  for (const auto& [x, y] : {std::pair(a, b), std::pair(b, a)}) {
    links_[x][y].up = false;
    links_[x][y].generation += 1;
  }
  turn(a, [b](core::NodeCore& core) { core.on_peer_down(peer_id(b)); });
  turn(b, [a](core::NodeCore& core) { core.on_peer_down(peer_id(a)); });
}

void World::turn(std::size_t index, std::function<void(core::NodeCore&)> act) {
  NodeState& state = *nodes_[index];
  if (!state.node->running()) return;
  if (now_ < state.busy_until) {
    const std::uint64_t incarnation = state.incarnation;
    at(state.busy_until, [this, index, incarnation, act = std::move(act)] {
      if (nodes_[index]->incarnation == incarnation) turn(index, act);
    });
    return;
  }
  state.node->faults().spent_ms = 0;
  bool crashed = false;
  std::optional<StopNode> stopped;
  try {
    act(state.node->core());
    state.node->core().end_turn();
  } catch (const CrashNow&) {
    crashed = true;
    consensus::mark(consensus::Mark::crash_in_write);
  } catch (const StopNode& stop) {
    stopped = stop;
  }
  const DiskFaults& faults = state.node->faults();
  state.busy_until = now_ + faults.spent_ms + faults.cpu_ms;
  flush(index);
  if (stopped) {
    stop_node(index, *stopped);
  } else if (crashed) {
    crash_node(index);
  } else {
    arm(index);
  }
}

void World::flush(std::size_t index) {
  NodeState& state = *nodes_[index];
  const auto frames = std::move(state.outbox);
  state.outbox.clear();
  const auto drops = std::move(state.drops);
  state.drops.clear();
  const std::uint64_t departs = state.busy_until;
  const consensus::ChainSetup chain = state.adversary ? factory_.chain() : consensus::ChainSetup{};
  const bool lies = lies_to_newcomers(index);
  for (const NodeState::Frame& frame : frames) {
    if (lies) {
      const auto instead = lie_to_newcomers(random_, frame.bytes);
      if (instead) transmit(index, frame.to, *instead, departs);
      continue;
    }
    if (state.adversary && state.node->running()) {
      const consensus::Simplex& simplex = state.node->core().engine().simplex();
      AdversaryTools tools{
          random_,
          state.node->signer(),
          factory_.chain().genesis_hash,
          simplex.self().value_or(ValidatorIndex(0)),
          chain,
          simplex.setup().set,
          vrf_,
          {},
          [this] { return now_; },
          [&](const ports::PeerId& to, ports::Channel, Bytes bytes, std::uint64_t delay) {
            transmit(index, to, std::move(bytes), departs + delay);
          }};
      state.adversary->on_send(tools, frame.to, frame.channel, frame.bytes);
      continue;
    }
    if (!state.byzantine && frame.channel == ports::Channel::consensus) {
      checkers_.on_sent(index, state.node->key(), *decode<core::WireMessage>(frame.bytes));
    }
    transmit(index, frame.to, frame.bytes, departs);
  }
  for (const ports::PeerId& peer : drops) {
    const std::size_t other = index_of(peer);
    if (!links_[index][other].up) continue;
    at(departs, [this, index, other] {
      if (!links_[index][other].up) return;
      link_down(index, other);
      at(now_ + 500, [this, index, other] { connect(index, other); });
    });
  }
}

void World::arm(std::size_t index) {
  NodeState& state = *nodes_[index];
  const auto next = state.node->core().next_timer();
  if (!next) return;
  const std::uint64_t when = std::max(next->value, now_ + 1);
  if (when >= state.timer_at && state.timer_at > now_) return;
  state.timer_at = when;
  const std::uint64_t incarnation = state.incarnation;
  at(when, [this, index, incarnation, when] {
    NodeState& armed = *nodes_[index];
    if (armed.incarnation != incarnation || armed.timer_at != when) return;
    armed.timer_at = ~std::uint64_t{0};
    turn(index, [](core::NodeCore& core) { core.on_timer(); });
  });
}

void World::transmit(std::size_t from, const ports::PeerId& to, Bytes frame,
                     std::uint64_t departs) {
  const std::size_t other = index_of(to);
  if (!links_[from][other].up) return;
  if (!weather_.side.empty() && weather_.side[from] != weather_.side[other]) return;
  if (random_.chance(weather_.loss)) return;
  const std::uint64_t generation = links_[from][other].generation;
  const std::uint64_t copies = random_.chance(weather_.duplicate) ? 2 : 1;
  for (std::uint64_t i = 0; i < copies; ++i) {
    const std::uint64_t arrives = departs + random_.between(weather_.delay_min, weather_.delay_max);
    at(arrives,
       [this, from, other, frame, generation] { deliver(from, other, frame, generation); });
  }
}

void World::deliver(std::size_t from, std::size_t to, const Bytes& frame,
                    std::uint64_t generation) {
  if (links_[from][to].generation != generation || !links_[from][to].up) return;
  note(to, "frame", frame);
  if (checkers_.judges_on_arrival(from)) {
    const auto message = decode<core::WireMessage>(frame);
    if (message.ok()) checkers_.on_arrived(from, nodes_[from]->node->key(), *message);
  }
  turn(to, [frame, from](core::NodeCore& core) { core.on_frame(peer_id(from), frame); });
}

void World::workload() {
  Random random(options_.seed ^ now_, "workload");
  if (now_ + 2'000 < options_.duration_ms) {
    const bool pause = random.chance(30);
    at(now_ + (pause ? random.between(1'000, 5'000) : random.between(20, 400)),
       [this] { workload(); });
  }
  const Bytes extrinsic = factory_.transaction(random);
  waiting_[blake2_256(extrinsic)] = extrinsic;
  const std::size_t node = random.below(nodes_.size());
  submitted_[blake2_256(extrinsic)] = {node, now_};
  turn(node, [extrinsic](core::NodeCore& core) { core.submit(extrinsic, {}); });
}

// A client that saw nothing of its transaction asks another node.
void World::resubmit() {
  at(now_ + 3'000, [this] { resubmit(); });
  const std::size_t node = random_.below(nodes_.size());
  std::vector<Bytes> lost;
  for (const auto& [hash, extrinsic] : waiting_) lost.push_back(extrinsic);
  turn(node, [lost](core::NodeCore& core) {
    for (const Bytes& extrinsic : lost) core.submit(extrinsic, {});
  });
}

// Nodes that are behind hear of what was signed by a newer block than they know.
void World::wallets() {
  Random random(options_.seed ^ now_, "wallets");
  at(now_ + random.between(200, 1'200), [this] { wallets(); });
  const std::size_t node = random.below(nodes_.size());
  turn(node, [this, node, random](core::NodeCore& core) mutable {
    core.submit(factory_.wallets()->next(random, *nodes_[node]->node->chain()), {});
  });
}

WorldResult World::run() {
  (void)consensus::take_marks();
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const bool newcomer = i + 1 == nodes_.size() && options_.newcomer_ms > 0;
    at(newcomer ? options_.newcomer_ms : 0, [this, i] { start_node(i); });
  }
  at(200, [this] { workload(); });
  at(3'000, [this] { resubmit(); });
  if (factory_.wallets() != nullptr) at(500, [this] { wallets(); });
  if (options_.faults) draw_faults();
  for (const WorldOptions::Down& one : options_.down) {
    at(one.from_ms, [this, one] {
      if (nodes_[one.node]->node->running()) crash_node(one.node, one.to_ms - one.from_ms);
    });
  }
  for (const WorldOptions::Restore& one : options_.restores) {
    at(one.copy_ms, [this, one] { restore_folder(one); });
  }
  for (std::size_t i = 0; i < options_.partitions.size(); ++i) {
    at(kPartitionMs * i, [this, i] { weather_.side = options_.partitions[i]; });
  }
  at(options_.faults_until_ms, [this] { end_faults(); });
  const std::uint64_t well =
      std::min(kWellMs, (options_.duration_ms - options_.faults_until_ms) / 2);
  at(options_.faults_until_ms + well, [this] {
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      heights_when_well_.push_back(checkers_.height(i));
  });
  while (!events_.empty() && events_.top().at <= options_.duration_ms) {
    auto act = std::move(const_cast<Event&>(events_.top()).act);
    now_ = events_.top().at;
    events_.pop();
    act();
    if (!checkers_.failures().empty()) break;
  }
  if (checkers_.failures().empty()) judge_end();
  WorldResult result;
  result.failures = checkers_.failures();
  result.trace_hash = trace_hash_;
  result.height = checkers_.highest();
  result.transactions = checkers_.transactions();
  result.epochs = checkers_.epochs();
  result.set_changes = checkers_.set_changes();
  result.evidence = evidence_;
  result.snapshots = snapshots_;
  result.restores = restores_;
  if (factory_.wallets() != nullptr) result.mortal = factory_.wallets()->included();
  result.convicted = convicted_;
  result.disputes = factory_.disputes_ended();
  for (std::size_t i = 0; i < nodes_.size(); ++i) result.absences += factory_.times_out(i);
  result.finality_ms = finality_ms_;
  result.marks = consensus::take_marks();
  return result;
}

// Who was caught in time has lost its seat, by reports of the nodes themselves; nobody else has.
void World::judge_convictions(std::size_t index, const ports::Store& store) {
  if (!factory_.real_votes()) return;
  const std::string who = "node " + std::to_string(index) + ": ";
  for (std::size_t i = 0; i < options_.setup.validators + options_.setup.candidates; ++i) {
    const bool convicted = factory_.is_convicted(store, i);
    const bool faulty = i == faulty_ && options_.adversary != AdversaryKind::none;
    if (convicted && !faulty) checkers_.fail(who + "an honest validator was convicted");
    if (!convicted && i == faulty_ && caught_at_ && *caught_at_ + kWellMs < options_.duration_ms) {
      checkers_.fail(who + "an equivocator was caught and still has its bond");
    }
    convicted_ |= convicted;
  }
}

// Who never proposes is put out, where absence is judged and it serves all the time and leads often
// enough.
void World::judge_absence() {
  constexpr std::size_t kEnoughEpochs = 6;
  const bool leads = options_.setup.candidates == 0 &&
                     2 * options_.setup.validators <= options_.setup.epoch_length;
  const bool judged = options_.setup.downtime_views_min <= 3 && factory_.real_votes();
  if (options_.adversary != AdversaryKind::silent_leader || !leads || !judged) return;
  if (checkers_.epochs() >= kEnoughEpochs && factory_.times_out(faulty_) == 0) {
    checkers_.fail("a leader that never proposes was never put out");
  }
}

void World::judge_end() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (!honest(i)) continue;
    const std::string who = "node " + std::to_string(i);
    if (!nodes_[i]->node->running()) {
      checkers_.fail(who + " is not up at the end");
      continue;
    }
    // The heartbeat alone gives a block in two seconds.
    if (checkers_.height(i) < heights_when_well_[i] + 3) {
      checkers_.fail(who + " stands still at height " + std::to_string(checkers_.height(i)) +
                     " although all is well");
    }
    if (checkers_.height(i) + 5 < checkers_.highest()) {
      checkers_.fail(who + " is left behind at height " + std::to_string(checkers_.height(i)));
    }
    const auto store = nodes_[i]->node->read_store();
    std::vector<EpochProof> proofs;
    while (auto proof = ports::find_epoch_proof(*store, Epoch(proofs.size() + 1))) {
      proofs.push_back(*std::move(proof));
    }
    checkers_.on_epoch_proofs(i, proofs);
    judge_convictions(i, *store);
    if (const auto wrong = factory_.audit(*store)) checkers_.fail(who + ": " + *wrong);
  }
  if (checkers_.transactions() == 0) checkers_.fail("no transaction was ever final");
  judge_absence();
}

}  // namespace tally::sim
