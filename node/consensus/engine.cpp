#include "node/consensus/engine.hpp"

#include <algorithm>
#include <stdexcept>

#include "node/consensus/coverage.hpp"
#include "node/consensus/planted.hpp"
#include "node/ports/chain.hpp"

namespace tally::consensus {
namespace {

constexpr std::size_t kCompactAfter = 4'096;  // records
constexpr std::string_view kBegunKey = "votes-begun";

Epoch epoch_after(BlockNumber head, std::uint32_t length) {
  return Epoch(head.value / length + 1);
}

template <class T>
std::optional<T> payload_of(const ports::LogRecord& entry, RecordKind kind) {
  if (entry.kind != static_cast<std::uint8_t>(kind)) return std::nullopt;
  auto value = decode<T>(entry.payload);
  if (!value.ok()) return std::nullopt;
  return *std::move(value);
}

// Takes what belongs to the epoch; false when the record is none that this node writes.
bool read(const ports::LogRecord& entry, Epoch epoch, Recovered& out) {
  if (const auto vote = payload_of<Vote>(entry, RecordKind::own_vote)) {
    if (vote->statement.epoch == epoch) out.own_votes.push_back(*vote);
    return true;
  }
  if (const auto certificate = payload_of<Certificate>(entry, RecordKind::certificate)) {
    if (certificate->statement.epoch == epoch) out.certificates.push_back(*certificate);
    return true;
  }
  if (const auto entered = payload_of<EnteredRecord>(entry, RecordKind::entered)) {
    if (entered->epoch == epoch) out.entered = std::max(out.entered, entered->view);
    return true;
  }
  if (const auto limits = payload_of<LimitsRecord>(entry, RecordKind::limits)) {
    View& none_below = out.limits.none_below;
    if (limits->epoch == epoch) none_below = std::max(none_below, limits->none_below);
    return true;
  }
  return false;
}

bool log_lacks(const std::vector<Statement>& said, const std::vector<Vote>& votes) {
  return std::any_of(said.begin(), said.end(), [&](const Statement& wanted) {
    return std::none_of(votes.begin(), votes.end(),
                        [&](const Vote& vote) { return vote.statement == wanted; });
  });
}

}  // namespace

Engine::Engine(ChainSetup chain, const Ports& ports, ports::VoteLog& log,
               ports::HighWaterFile& high_water, const Moment& now)
    : chain_(std::move(chain)), ports_(ports), log_(log), high_water_(high_water) {
  if (!ports::find_head(*ports_.store)) {
    ports_.store->write({ports::put_block(chain_.genesis_hash, {chain_.genesis, {}}),
                         ports::put_height(BlockNumber(0), chain_.genesis_hash),
                         ports::put_head({chain_.genesis_hash, BlockNumber(0)})},
                        ports::Durability::synced);
  }
  if (!ports::find_epoch_beacon(*ports_.store, Epoch(1))) {
    ports_.store->write(
        {ports::put_epoch_beacon(Epoch(1), ports_.application->beacon(chain_.genesis_hash))},
        ports::Durability::synced);
  }
  const auto head = ports::find_head(*ports_.store);
  const Epoch epoch = epoch_after(head->number, chain_.parameters.epoch_length);
  start_epoch(now, recover(epoch));
}

ValidatorSet Engine::set_of(Epoch epoch) const {
  if (planted(Fault::next_epochs_set) && epoch > Epoch(2)) epoch = Epoch(epoch.value - 1);
  if (epoch == Epoch(1)) return chain_.first;
  if (epoch == Epoch(2)) return chain_.second;
  const auto proof = ports::find_epoch_proof(*ports_.store, Epoch(epoch.value - 2));
  TALLY_ASSERT(proof.has_value());
  auto set = named_set(proof->header);
  TALLY_ASSERT(set && set->check().ok());
  return *std::move(set);
}

void Engine::start_epoch(const Moment& now, const Recovered& recovered) {
  const auto head = ports::find_head(*ports_.store);
  const std::uint32_t length = chain_.parameters.epoch_length;
  const Epoch epoch = epoch_after(head->number, length);
  const auto block = ports::find_block(*ports_.store, head->hash);
  const auto root = ports::find_final(*ports_.store, epoch_end(Epoch(epoch.value - 1), length));
  const auto beacon = ports::find_epoch_beacon(*ports_.store, epoch);
  TALLY_ASSERT(block && root && beacon);
  if (planted(Fault::refuse_empty_block) && head->hash != *root && block->extrinsics.empty()) {
    throw std::runtime_error("a final block without extrinsics");
  }
  EpochSetup setup{chain_.genesis_hash,
                   epoch,
                   set_of(epoch),
                   epoch_seed({chain_.genesis_hash, epoch, *beacon}),
                   epoch_end(epoch, length),
                   chain_.genesis_time,
                   *root};
  Floor floor{head->hash, View(0), block->header, std::nullopt};
  if (head->hash != *root) {
    floor.view = consensus_digest(block->header)->view;
    floor.finalization = ports::find_certificate(*ports_.store, head->hash);
  }
  const auto contacts = simplex_ ? simplex_->contacts() : std::map<Ed25519Key, Contact>{};
  simplex_ = std::make_unique<Simplex>(std::move(setup), chain_.parameters, ports_,
                                       std::move(floor), recovered, now);
  simplex_->carry_over(contacts);
  ticket_at_ = now.instant + DurationMs(kRetryMsMin);
  for (const auto& [peer, info] : peers_) run(PeerUp{peer, info.validator}, now);
  run(TimerFired{}, now);
}

Recovered Engine::recover(Epoch epoch) {
  Recovered out;
  if (planted(Fault::forget_own_votes)) return out;
  const bool begun = ports_.store->get(ports::Column::meta, as_bytes(kBegunKey)).has_value();
  const ports::LogReplay replay = log_.replay();
  bool damaged = replay.state == ports::LogState::damaged;
  for (const ports::LogRecord& entry : replay.records) {
    damaged |= !read(entry, epoch, out);
    const auto vote = payload_of<Vote>(entry, RecordKind::own_vote);
    if (vote) signed_up_to_ = std::max(signed_up_to_, vote->statement.epoch);
    // They stand for votes that a compacted log no longer holds.
    const auto limits = payload_of<LimitsRecord>(entry, RecordKind::limits);
    if (limits) signed_up_to_ = std::max(signed_up_to_, limits->epoch);
  }
  const ports::HighWaterRead high = high_water_.read();
  if (high.state == ports::HighWaterState::intact) {
    signed_up_to_ = std::max(signed_up_to_, high.value.epoch);
  }
  appended_ = replay.records.size();
  const bool log_missing = replay.state == ports::LogState::missing;
  if (damaged) {
    mark(Mark::log_damaged);
    out.limits.muted = Silence::log_damaged;
    output_.alarms.push_back(
        "the vote log is damaged: this node signs nothing before the next epoch");
  } else if (log_missing && high_water_.read().state != ports::HighWaterState::intact && begun &&
             !chain_.trust_missing_votes) {
    out.limits.muted = Silence::votes_missing;
    output_.alarms.push_back(
        "the vote log and the high-water file are missing: this node signs nothing before the next "
        "epoch, unless it is told that no vote was lost");
  } else {
    if (log_missing) log_.rewrite({});
    apply_high_water(out, epoch);
  }
  keeps_log_ = !out.limits.all();
  const bool guarded =
      ports_.signer != nullptr && chain_.own_key_guard && !planted(Fault::guard_off);
  out.guard.mode = guarded ? KeyGuard::Mode::listening : KeyGuard::Mode::off;
  out.guard.fresh = !begun && ports::find_head(*ports_.store)->number == BlockNumber(0);
  out.guard.blank = guarded && out.limits.muted == Silence::votes_missing;
  if (guarded && chain_.stopped) out.guard = {KeyGuard::Mode::shut, false, *chain_.stopped};
  if (!begun) {
    ports_.store->write({{ports::Column::meta, to_bytes(as_bytes(kBegunKey)), Bytes{1}}},
                        ports::Durability::synced);
  }
  return out;
}

// Brings the second file up to the log, or notices that the log has lost its end.
void Engine::apply_high_water(Recovered& recovered, Epoch epoch) {
  if (signed_up_to_ > epoch) {
    mark(Mark::database_behind_votes);
    recovered.limits.muted = Silence::database_behind;
    if (!simplex_) {  // else it was said at the start, and this is the way there
      output_.alarms.push_back("this node has signed in a later epoch than its database knows of");
    }
    return;
  }
  const ports::HighWaterRead read = high_water_.read();
  const bool intact = read.state == ports::HighWaterState::intact;
  const ports::HighWater& high = read.value;
  const auto said =
      statements_of(high.epoch, high.view, {high.notarized, high.nullified, high.finalized});
  // A log that was rewritten keeps no votes below what it says none is signed below.
  const bool open = high.view >= recovered.limits.none_below;
  if (intact && high.epoch == epoch && open && log_lacks(said, recovered.own_votes)) {
    mark(Mark::log_behind_high_water);
    recovered.limits.none_below = std::max(recovered.limits.none_below, high.view);
    output_.alarms.push_back("the vote log lost its end: nothing is signed below view " +
                             std::to_string(high.view.value));
    // Kept in the log: after the next vote the file alone would no longer show it.
    log_.append({static_cast<std::uint8_t>(RecordKind::limits),
                 encode(LimitsRecord{epoch, recovered.limits.none_below})});
    for (const Statement& statement : said) {
      // Without its signature, which is made anew.
      recovered.own_votes.push_back({statement, {}, {}});
      log_.append(
          {static_cast<std::uint8_t>(RecordKind::own_vote), encode(recovered.own_votes.back())});
    }
    log_.sync();
    return;
  }
  OwnVotes logged;
  for (const Vote& vote : recovered.own_votes) logged.restore(vote.statement);
  const auto top = logged.high_water(epoch);
  if (top && (!intact || high.epoch < epoch || high.view <= top->view)) {
    high_water_.write(*top);
  }
}

void Engine::on_event(const Event& event, const Moment& now) {
  if (const auto* up = std::get_if<PeerUp>(&event)) {
    peers_[up->peer].validator = up->validator;
  } else if (const auto* down = std::get_if<PeerDown>(&event)) {
    peers_.erase(down->peer);
  } else if (const auto* received = std::get_if<Received>(&event)) {
    on_received(*received, now);
    return;
  }
  run(event, now);
  if (std::holds_alternative<TimerFired>(event)) offer_ticket(now);
}

void Engine::on_hint(const PeerId& peer, const Hint& hint, const Moment& now) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return;
  found->second.epoch = hint.epoch;
  // Who is not in the set of an epoch that has just ended has nothing to say in it, so nobody tells
  // it. Further behind, block sync is at work.
  if (hint.epoch == epoch().next()) ask_for_proof(peer, found->second, now);
  run(Hinted{peer, hint}, now);
}

// What answers a request from an earlier epoch is the proof of how that ended.
void Engine::ask_for_proof(const PeerId& peer, PeerInfo& info, const Moment& now) {
  const DurationMs pause = chain_.parameters.delta;
  if (info.proof_asked && elapsed(*info.proof_asked, now.instant) < pause) return;
  info.proof_asked = now.instant;
  output_.sends.push_back(
      {{peer}, {Hint{}, CertificateRequest{epoch(), simplex_->current(), VoteKind::finalize}}});
}

void Engine::run(const Event& event, const Moment& now) {
  merge(simplex_->step(event, now), now);
}

void Engine::merge(Actions actions, const Moment&) {
  std::move(actions.records.begin(), actions.records.end(), std::back_inserter(records_));
  if (actions.high_water) high_ = actions.high_water;
  store_bodies_ |= actions.store_bodies;
  for (Outgoing& out : actions.sends) {
    output_.sends.push_back({std::move(out.to), {Hint{}, std::move(out.message)}});
  }
  const auto take = [](auto& to, auto& from) {
    std::move(from.begin(), from.end(), std::back_inserter(to));
  };
  take(output_.disconnects, actions.disconnects);
  take(output_.finalized, actions.finalized);
  take(output_.evidence, actions.evidence);
  take(output_.alarms, actions.alarms);
  if (actions.violation) output_.violation = std::move(actions.violation);
  if (actions.epoch_over) epoch_over_ = std::move(actions.epoch_over);
}

void Engine::persist() {
  if (store_bodies_) ports_.store->sync();
  store_bodies_ = false;
  if (keeps_log_) {
    appended_ += records_.size();
    for (ports::LogRecord& entry : records_) log_.append(std::move(entry));
    if (!planted(Fault::unsynced_votes)) {
      log_.sync();
      if (high_) high_water_.write(*high_);
    }
  }
  records_.clear();
  high_.reset();
}

TurnOutput Engine::end_turn(const Moment& now) {
  for (;;) {
    if (!records_.empty() || store_bodies_) {
      persist();
      if (!epoch_over_) {
        run(Synced{}, now);
        continue;
      }
    }
    if (!epoch_over_) break;
    epoch_over_.reset();
    Recovered next;
    const KeyGuard::Start guard = simplex_->guard().carried();
    if (guard.blank) {
      // What was lost may be of this epoch. The files stay missing, so that a new start says so.
      next.limits.muted = Silence::votes_missing;
    } else if (epoch().next() <= signed_up_to_) {
      // The database was lost and the votes were not: in this epoch they bind the node again.
      next = recover(epoch().next());
    } else {
      // Old records are gone before the new instance signs; its limits died with the epoch.
      log_.rewrite({});
      appended_ = 0;
      keeps_log_ = true;
    }
    next.guard = guard;
    start_epoch(now, next);
  }
  if (keeps_log_ && appended_ > kCompactAfter) {
    auto records = simplex_->log_records();
    appended_ = 0;
    log_.rewrite(std::move(records));
  }
  const Hint hint = simplex_->hint();
  for (TurnOutput::Frame& frame : output_.sends) frame.envelope.hint = hint;
  TurnOutput out = std::move(output_);
  output_ = {};
  return out;
}

std::optional<Instant> Engine::next_timer() const {
  auto first = simplex_->next_timer();
  const bool first_view = epoch() > Epoch(1) && simplex_->current() == View(1);
  if (first_view && ticket_at_ && (!first || *ticket_at_ < *first)) first = ticket_at_;
  return first;
}

void Engine::on_received(const Received& received, const Moment& now) {
  const auto found = peers_.find(received.from);
  if (found == peers_.end()) return;
  PeerInfo& peer = found->second;
  const Epoch theirs = received.envelope.hint.epoch;
  peer.epoch = theirs;
  const DurationMs pause = chain_.parameters.delta;
  if (theirs < epoch() && theirs > Epoch(0) &&
      (!peer.proof_sent || elapsed(*peer.proof_sent, now.instant) >= pause)) {
    peer.proof_sent = now.instant;
    send_proof(received.from, theirs, now);
  }
  if (const auto* proof = std::get_if<EpochProofMessage>(&received.envelope.message)) {
    on_epoch_proof(received.from, *proof, now);
    return;
  }
  if (theirs > epoch()) ask_for_proof(received.from, peer, now);
  run(received, now);
}

void Engine::send_proof(const PeerId& peer, Epoch epoch, const Moment&) {
  auto proof = ports::find_epoch_proof(*ports_.store, epoch);
  if (!proof) return;
  output_.sends.push_back({{peer}, {Hint{}, EpochProofMessage{epoch, *std::move(proof)}}});
}

void Engine::on_epoch_proof(const PeerId& from, const EpochProofMessage& message,
                            const Moment& now) {
  const EpochSetup& setup = simplex_->setup();
  if (message.epoch != setup.epoch) return;
  FinalityContext context{setup.genesis_hash, setup.epoch, &setup.set};
  if (planted(Fault::old_epoch_proof)) context.set = &chain_.first;
  if (!planted(Fault::unverified_epoch_proof) &&
      !verify_epoch_proof(message.proof, context, setup.end, *ports_.verifier).ok()) {
    output_.disconnects.push_back({from, "a bad epoch proof"});
    return;
  }
  mark(Mark::epoch_proof_taken);
  Supplied supplied;
  supplied.verified = true;
  for (const Header& header : message.proof.descendants) supplied.blocks.push_back({header, {}});
  supplied.finalization = message.proof.finalization;
  run(supplied, now);
}

// In view 1 the proof of the last epoch is the ticket that retries resend.
void Engine::offer_ticket(const Moment& now) {
  const bool first_view = epoch() > Epoch(1) && simplex_->current() == View(1);
  if (!first_view || !ticket_at_ || now.instant < *ticket_at_) return;
  ticket_at_ = now.instant + DurationMs(kRetryMsMin);
  for (const auto& [peer, info] : peers_) {
    if (info.epoch >= epoch()) continue;
    mark(Mark::epoch_proof_offered);
    send_proof(peer, Epoch(epoch().value - 1), now);
  }
}

}  // namespace tally::consensus
