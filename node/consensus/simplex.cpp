#include "node/consensus/simplex.hpp"

#include <algorithm>

#include "node/consensus/coverage.hpp"
#include "node/consensus/planted.hpp"
#include "node/ports/chain.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::consensus {
namespace {

// A leader is silent after this many Δ₀ without anything signed by it.
constexpr std::uint64_t kSilenceDeltas = 5;

template <class T>
ports::LogRecord record(RecordKind kind, const T& value) {
  return {static_cast<std::uint8_t>(kind), encode(value)};
}

std::optional<Instant> earlier(std::optional<Instant> a, std::optional<Instant> b) {
  if (!a) return b;
  if (!b) return a;
  return std::min(*a, *b);
}

}  // namespace

Bytes vrf_alpha(const EpochSetup& setup, View view) {
  Bytes out = domain_tag("vrf");
  append(out, setup.genesis_hash);
  append(out, setup.seed);
  append(out, encode(view));
  return out;
}

Simplex::Simplex(EpochSetup setup, const Parameters& parameters, const Ports& ports, Floor floor,
                 const Recovered& recovered, const Moment& now)
    : setup_(std::move(setup)),
      parameters_(parameters),
      ports_(ports),
      leaders_(setup_.set, setup_.seed),
      context_{setup_.genesis_hash, setup_.epoch, &setup_.set},
      now_(now),
      floor_(std::move(floor)),
      began_at_(floor_.view),
      pacemaker_(parameters, now.instant),
      table_(setup_.set),
      own_(recovered.limits),
      guard_(recovered.guard, parameters, now.instant),
      fetcher_(DurationMs(std::max<std::uint64_t>(parameters.delta.value / 2, 1))) {
  if (ports_.signer != nullptr) self_ = setup_.set.find(ports_.signer->consensus_key());
  recover(recovered);
}

void Simplex::recover(const Recovered& recovered) {
  current_ = std::max(floor_.view.next(), recovered.entered);
  for (const Certificate& certificate : recovered.certificates) {
    if (certificate.statement.view <= floor_.view) continue;
    if (verify(certificate, context_, *ports_.verifier).ok()) table_.insert(certificate);
  }
  const auto restore = [&](const Vote& logged) {
    const Statement& statement = logged.statement;
    if (statement.view <= floor_.view || !self_) return;
    own_.restore(statement);
    current_ = std::max(current_, statement.view);
    const Bytes message = statement_bytes(setup_.genesis_hash, statement);
    const Ed25519Key& key = setup_.set.at(*self_).consensus_key;
    std::optional<Ed25519Signature> signature = logged.signature;
    if (!ports_.verifier->verify(key, message, logged.signature)) {
      signature = ports_.signer->try_sign(message);
    }
    if (!signature) return;  // it is not said again, and is still not contradicted
    const Vote vote{statement, *self_, *signature};
    auto& votes = own_signed_[statement.view];
    if (std::find(votes.begin(), votes.end(), vote) != votes.end()) return;
    votes.push_back(vote);
    // Synced before the crash, so it counts: were it left out, all nodes restarting after Nullify
    // would wait for each other for ever.
    const TallyResult result = table_.add(vote);
    if (result.made) table_.insert(*result.made);
  };
  if (!planted(Fault::forget_own_votes)) {
    for (const Vote& vote : recovered.own_votes) restore(vote);
  }
  if (own_signed_.contains(current_)) mark(Mark::restarted_within_view);
  pacemaker_.enter(current_, floor_.view, now_.instant);
}

Actions Simplex::step(const Event& event, const Moment& now) {
  now_ = now;
  actions_ = {};
  if (halted_ || over_) return {};
  dispatch(event);
  if (!halted_) advance();
  return std::move(actions_);
}

void Simplex::dispatch(const Event& event) {
  struct Visitor {
    Simplex& self;
    void operator()(const PeerUp& up) const { self.on_peer_up(up); }
    void operator()(const PeerDown& down) const {
      self.peers_.down(down.peer);
      self.guard_.down(self.peers_);
    }
    void operator()(const Received& received) const { self.on_received(received); }
    void operator()(const Hinted& hinted) const { self.note_hint(hinted.peer, hinted.hint); }
    void operator()(const TimerFired&) const {}
    void operator()(const Synced&) const { self.count_own(); }
    void operator()(const PoolChanged&) const {}
    void operator()(const Claimed&) const { self.guard_.begin_anew(self.now_.instant); }
    void operator()(const Supplied& supplied) const { self.on_supplied(supplied); }
  };
  std::visit(Visitor{*this}, event);
}

// Takes every consequence of what is known now. Own votes count only after their sync, so a step
// never makes more than one view change of its own.
void Simplex::advance() {
  fetcher_.begin();
  wake_.reset();
  for (bool changed = true; changed && !over_ && !halted_;) {
    changed = try_commit();
    if (over_ || halted_) break;
    changed |= try_certify();
    changed |= try_enter();
  }
  if (over_ || halted_) return;
  // Without signatures no link proves whose this node is, and nobody reminds it.
  if (guard_.mode() == KeyGuard::Mode::listening && ports_.signer->away()) {
    guard_.begin_anew(now_.instant);
  }
  // What was signed before the start is heard again at once. One that does not know what it has
  // signed would not know another's votes from its own: it goes on listening in the next epoch, and
  // does not open in this one.
  const bool listens = guard_.blank() || !own_.limits().all();
  if (listens && guard_.listen({setup_.set, peers_, hint(), self_}, now_.instant)) retry();
  const bool always = planted(Fault::timers_always);
  if (!pacemaker_.expected() && (always || block_expected())) pacemaker_.expect(now_.instant);
  watch_silence();
  try_notarize();
  try_lead();
  run_timers();
  request_missing();
  pass_on();
}

bool Simplex::try_enter() {
  View next = std::max(current_, floor_.view.next());
  const auto ticket = [&](std::optional<View> view) {
    if (view && *view >= next) next = view->next();
  };
  ticket(table_.highest(VoteKind::nullify));
  ticket(table_.highest(VoteKind::finalize));
  if (!certified_.empty()) ticket(certified_.rbegin()->first);
  if (next == current_) return false;
  enter(next);
  return true;
}

void Simplex::enter(View view) {
  TALLY_ASSERT(view > current_);
  current_ = view;
  pacemaker_.enter(view, floor_.view, now_.instant);
  actions_.records.push_back(record(RecordKind::entered, EnteredRecord{setup_.epoch, view}));
  if (proposals_.contains(view)) {
    pacemaker_.expect(now_.instant);
    pacemaker_.proposal_seen();
  }
}

std::pair<View, Hash> Simplex::best_certified() const {
  if (certified_.empty()) return {floor_.view, floor_.hash};
  return *certified_.rbegin();
}

std::optional<View> Simplex::highest_finalization() const {
  return table_.highest(VoteKind::finalize);
}

bool Simplex::block_expected() {
  if (elapsed(pacemaker_.entered(), now_.instant) >= parameters_.idle_interval) return true;
  const Hash best = best_certified().second;
  bool unfinished = false;
  for (Hash hash = best; hash != floor_.hash;) {
    const TreeEntry* entry = tree_.find(hash);
    if (entry == nullptr) break;
    if (entry->block.header.number.value == setup_.end) return true;  // the epoch has ended
    unfinished |= !entry->block.extrinsics.empty();
    hash = entry->block.header.parent_hash;
  }
  if (unfinished && elapsed(pacemaker_.entered(), now_.instant) >= parameters_.delta) return true;
  return ports_.application->has_ready(best) || ports_.application->deadline_due(best, now_.wall);
}

std::optional<Instant> Simplex::next_expectation() const {
  if (pacemaker_.expected()) return std::nullopt;
  const Instant idle = pacemaker_.entered() + parameters_.idle_interval;
  const Instant unfinished = pacemaker_.entered() + parameters_.delta;
  return now_.instant < unfinished ? std::min(unfinished, idle) : idle;
}

std::map<Ed25519Key, Contact> Simplex::contacts() const {
  std::map<Ed25519Key, Contact> out;
  for (std::size_t i = 0; i < setup_.set.size(); ++i) {
    const ValidatorIndex validator(static_cast<std::uint16_t>(i));
    out[setup_.set.at(validator).consensus_key] = {
        peers_.listening_since(validator).value_or(pacemaker_.started()),
        peers_.last_heard(validator)};
  }
  return out;
}

void Simplex::carry_over(const std::map<Ed25519Key, Contact>& contacts) {
  for (std::size_t i = 0; i < setup_.set.size(); ++i) {
    const ValidatorIndex validator(static_cast<std::uint16_t>(i));
    const auto known = contacts.find(setup_.set.at(validator).consensus_key);
    if (known != contacts.end()) peers_.carry_over(validator, known->second);
  }
}

bool Simplex::leader_is_silent(ValidatorIndex leader) const {
  const DurationMs limit(kSilenceDeltas * parameters_.delta.value);
  if (planted(Fault::silence_in_views)) {
    const auto heard = peers_.last_heard(leader);
    return heard && *heard < pacemaker_.entered();
  }
  const Instant since = peers_.listening_since(leader).value_or(pacemaker_.started());
  if (elapsed(since, now_.instant) < limit) return false;
  const auto recent = [&](ValidatorIndex validator) {
    const auto at = peers_.last_heard(validator);
    return at && elapsed(*at, now_.instant) < limit;
  };
  if (recent(leader)) return false;
  std::uint64_t weight = 0;
  for (std::size_t i = 0; i < setup_.set.size(); ++i) {
    const ValidatorIndex validator(static_cast<std::uint16_t>(i));
    if (validator == self_ || recent(validator)) weight += setup_.set.at(validator).weight;
  }
  return weight >= setup_.set.quorum();
}

void Simplex::watch_silence() {
  const ValidatorIndex leader = leaders_.leader(current_);
  if (leader == self_ || pacemaker_.has_proposal() || !pacemaker_.expected()) return;
  if (!leader_is_silent(leader)) return;
  mark(Mark::leader_silent);
  pacemaker_.leader_silent();
}

void Simplex::run_timers() {
  const bool leader_gave_up =
      table_.vote_of(current_, VoteKind::nullify, leaders_.leader(current_)).has_value();
  if (leader_gave_up || pacemaker_.leader_due(now_.instant) ||
      pacemaker_.advance_due(now_.instant)) {
    nullify();
  }
  if (planted(Fault::no_retry)) return;
  if (pacemaker_.take_retry(now_.instant)) retry();
}

std::optional<Instant> Simplex::next_timer() const {
  if (halted_ || over_) return std::nullopt;
  const bool may_nullify = self_ && may_ask({setup_.epoch, VoteKind::nullify, current_, {}}) &&
                           !own_.in(current_).nullified;
  std::optional<Instant> first = pacemaker_.next(may_nullify);
  first = earlier(first, next_expectation());
  first = earlier(first, fetcher_.next());
  first = earlier(first, guard_.next(now_.instant));
  first = earlier(first, wake_);
  for (const Forward& forward : forwards_) first = earlier(first, forward.at);
  return first;
}

// Without a signature where the holder of the keys did not make it again after the start.
Vote Simplex::own_vote(const Statement& statement) const {
  Vote out{statement, *self_, {}};
  const auto found = own_signed_.find(statement.view);
  if (found == own_signed_.end()) return out;
  for (const Vote& vote : found->second) {
    if (vote.statement == statement) out.signature = vote.signature;
  }
  return out;
}

std::vector<ports::LogRecord> Simplex::log_records() const {
  std::vector<ports::LogRecord> out;
  // Own votes below the floor are dropped here; were the database to lose its end, nothing else
  // would say that they were cast.
  const View above = floor_.view > View(0) ? floor_.view.next() : View(0);
  const View none_below = std::max(own_.limits().none_below, above);
  if (none_below > View(0)) {
    out.push_back(record(RecordKind::limits, LimitsRecord{setup_.epoch, none_below}));
  }
  out.push_back(record(RecordKind::entered, EnteredRecord{setup_.epoch, current_}));
  for (const auto& [view, own] : own_.all()) {
    if (view <= floor_.view) continue;
    for (const Statement& statement : statements_of(setup_.epoch, view, own)) {
      out.push_back(record(RecordKind::own_vote, own_vote(statement)));
    }
  }
  for (const Certificate& certificate : table_.certificates()) {
    out.push_back(record(RecordKind::certificate, certificate));
  }
  return out;
}

const Block* Simplex::find_block(const Hash& hash) {
  const TreeEntry* entry = body(hash);
  return entry == nullptr ? nullptr : &entry->block;
}

}  // namespace tally::consensus
