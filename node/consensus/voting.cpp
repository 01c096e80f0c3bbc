// Signing and tallying. See simplex.hpp for the rules.
#include <algorithm>

#include "node/consensus/coverage.hpp"
#include "node/consensus/planted.hpp"
#include "node/consensus/simplex.hpp"

namespace tally::consensus {
namespace {

template <class T>
ports::LogRecord record(RecordKind kind, const T& value) {
  return {static_cast<std::uint8_t>(kind), encode(value)};
}

bool recorded(const OwnVotes::Signed& own, const Statement& statement) {
  switch (statement.kind) {
    case VoteKind::notarize:
      return own.notarized.has_value();
    case VoteKind::nullify:
      return own.nullified;
    case VoteKind::finalize:
      return own.finalized.has_value();
  }
  return true;
}

}  // namespace

// Signs and records; the caller sends. The vote leaves, and counts here, after the turn's sync.
bool Simplex::sign(const Statement& statement) {
  if (halted_ || !self_ || recorded(own_.in(statement.view), statement)) return false;
  if (!may_ask(statement)) return false;
  TALLY_ASSERT(statement.view > floor_.view);
  const auto signature = ports_.signer->try_sign(statement_bytes(setup_.genesis_hash, statement));
  if (!signature) {
    if (!ports_.signer->away()) refused_.insert({statement.view, statement.kind});
    return false;
  }
  own_.record(statement);
  const Vote vote{statement, *self_, *signature};
  actions_.records.push_back(record(RecordKind::own_vote, vote));
  actions_.high_water = own_.high_water(setup_.epoch);
  if (planted(Fault::last_vote_only)) {
    ports::HighWater last{setup_.epoch, statement.view, {}, false, {}};
    if (statement.kind == VoteKind::notarize) last.notarized = statement.hash;
    if (statement.kind == VoteKind::nullify) last.nullified = true;
    if (statement.kind == VoteKind::finalize) last.finalized = statement.hash;
    actions_.high_water = last;
  }
  if (statement.kind != VoteKind::nullify) actions_.store_bodies = true;
  own_signed_[statement.view].push_back(vote);
  unsynced_.push_back(vote);
  peers_.heard(*self_, now_.instant);
  return true;
}

void Simplex::nullify() {
  if (current_ <= floor_.view) return;
  if (!sign({setup_.epoch, VoteKind::nullify, current_, Hash{}})) return;
  broadcast(VoteMessage{own_signed_[current_].back()});
}

void Simplex::count_own() {
  const std::vector<Vote> votes = std::move(unsynced_);
  unsynced_.clear();
  for (const Vote& vote : votes) {
    if (vote.statement.view > floor_.view) tally(vote);
  }
}

void Simplex::on_vote(const PeerId& from, const Vote& vote) {
  const Statement& statement = vote.statement;
  if (statement.epoch != setup_.epoch) return;
  if (vote.signer == self_ && guard_.is_on()) return on_own_vote(from, vote);
  // Votes are taken from their signer's own link only: nobody can make us check another's.
  const PeerState* peer = peers_.find(from);
  if (peer == nullptr || peer->validator != vote.signer) return;
  if ((statement.kind == VoteKind::nullify) != statement.hash.is_zero()) {
    actions_.disconnects.push_back({from, "a vote whose hash does not fit its kind"});
    return;
  }
  // Late votes are a sign of life before they are dropped.
  peers_.heard(vote.signer, now_.instant);
  if (statement.view.value > current_.value + kViewWindow) return;
  const bool past = statement.view <= floor_.view;
  const bool counts = past ? table_.contradicts(vote) : table_.wants(vote);
  const std::vector<PeerId> copies = copies_to_tell(from, vote);
  if (!counts && copies.empty()) return;
  const Bytes message = statement_bytes(setup_.genesis_hash, statement);
  const Ed25519Key& key = setup_.set.at(vote.signer).consensus_key;
  if (!planted(Fault::unverified_vote) && !ports_.verifier->verify(key, message, vote.signature)) {
    actions_.disconnects.push_back({from, "a vote with a bad signature"});
    return;
  }
  if (!copies.empty()) {
    passed_on_[vote.signer] = statement;
    send(copies, VoteMessage{vote});
  }
  if (!counts) return;
  if (!past) {
    tally(vote);
  } else if (auto evidence = table_.convict(vote)) {
    mark(Mark::evidence_after_finality);
    convict(*std::move(evidence));
  }
}

// Where two nodes have one key, the one that listens hears the one that votes, also when that one
// is slower than a quorum and its vote is of no use any more. Each view once, so that nobody is
// told more than there is.
std::vector<PeerId> Simplex::copies_to_tell(const PeerId& from, const Vote& vote) const {
  const auto told = passed_on_.find(vote.signer);
  if (told != passed_on_.end()) {
    const Statement& last = told->second;
    const bool news = vote.statement.view > last.view ||
                      (vote.statement.view == last.view && vote.statement.kind > last.kind);
    if (!news) return {};
  }
  std::vector<PeerId> out = peers_.of(vote.signer);
  std::erase(out, from);
  return out;
}

// Above it this node knows all that it has signed. While it listens that stays so: it is told late
// what its key has signed in views that are final by then.
View Simplex::own_floor() const {
  const bool listening = guard_.mode() == KeyGuard::Mode::listening;
  return listening ? std::min(began_at_, floor_.view) : floor_.view;
}

// A reminder of what this node has signed, or what another copy of it has.
void Simplex::on_own_vote(const PeerId& from, const Vote& vote) {
  const Statement& statement = vote.statement;
  if (statement.view <= own_floor() || own_.holds(statement)) return;
  const Bytes message = statement_bytes(setup_.genesis_hash, statement);
  if (!ports_.verifier->verify(setup_.set.at(*self_).consensus_key, message, vote.signature)) {
    actions_.disconnects.push_back({from, "a vote with a bad signature"});
    return;
  }
  heard_own(statement, "by a peer");
}

// This node's key signed it. Votes below none_below are known to be lost.
void Simplex::heard_own(const Statement& statement, const std::string& where) {
  const View view = statement.view;
  if (view <= own_floor() || own_.limits().all() || view < own_.limits().none_below) return;
  if (own_.holds(statement)) return;
  guard_.heard_foreign("its key has signed a " + std::string(enumerator_name(statement.kind)) +
                       " in view " + std::to_string(view.value) + " of epoch " +
                       std::to_string(setup_.epoch.value) + ", shown " + where +
                       ", that this node's vote log does not hold");
}

bool Simplex::may_speak() const {
  return guard_.may_sign() && !ports_.signer->away();
}

bool Simplex::may_ask(const Statement& statement) const {
  return own_.may_sign(statement) && !refused_.contains({statement.view, statement.kind}) &&
         may_speak();
}

Standing Simplex::standing() const {
  Standing out;
  const bool listens = guard_.mode() == KeyGuard::Mode::listening;
  if (!self_) {
    out.silence = Silence::not_a_member;
  } else if (own_.limits().all()) {
    out.silence = own_.limits().muted;
  } else if (!guard_.may_sign() && !listens) {
    out = {Silence::another_copy, guard_.reason(), {}, {}};
  } else if (const auto away = ports_.signer->away()) {
    out = {Silence::signer_away, *away, {}, {}};
  } else if (listens) {
    out = {Silence::listening, {}, guard_.listened(now_.instant), guard_.listens_for()};
  } else if (!refused_.empty() && refused_.rbegin()->first >= current_) {
    out = {Silence::signer_refuses, ports_.signer->refused().value_or("no reason"), {}, {}};
  }
  return out;
}

void Simplex::convict(Evidence evidence) {
  const Vote& vote = evidence.second;
  const View view = vote.statement.view;
  if (view > floor_.view && vote.signer == leaders_.leader(view)) {
    leader_equivocated_.insert(view);
    mark(Mark::leader_equivocated);
  }
  const VoteKind kind = vote.statement.kind;
  if (kind != evidence.first.statement.kind) {
    mark(Mark::evidence_nullify_and_finalize);
  } else {
    mark(kind == VoteKind::notarize ? Mark::evidence_two_notarize : Mark::evidence_two_finalize);
  }
  actions_.evidence.push_back(std::move(evidence));
}

void Simplex::tally(const Vote& vote) {
  TallyResult result = table_.add(vote);
  if (result.evidence) convict(*std::move(result.evidence));
  if (result.made) accept_certificate(*result.made);
}

bool Simplex::take_certificate(const Certificate& certificate, bool verified) {
  const Statement& statement = certificate.statement;
  if (statement.epoch != setup_.epoch) return true;
  const auto known = floor_.finalization;
  const bool at_floor = known && statement.view == known->statement.view;
  if (statement.view <= floor_.view) {
    const bool excluded = at_floor && (statement.kind == VoteKind::nullify ||
                                       statement.hash != known->statement.hash);
    if (!excluded) return true;
    if (!verify(certificate, context_, *ports_.verifier).ok()) return false;
    violation("a certificate that excludes the newest final block", *known, certificate);
    return true;
  }
  if (const Certificate* held = table_.find(statement.view, statement.kind)) {
    if (held->statement == statement) return true;
  }
  if (planted(Fault::unverified_certificate)) verified |= check_shape(certificate, context_).ok();
  if (!verified && !verify(certificate, context_, *ports_.verifier).ok()) return false;
  accept_certificate(certificate);
  return true;
}

void Simplex::accept_certificate(const Certificate& certificate) {
  const auto conflict = table_.conflict_with(certificate);
  if (conflict) {
    actions_.records.push_back(record(RecordKind::certificate, certificate));
    for (Evidence& evidence : table_.absorb(certificate)) convict(std::move(evidence));
    violation("two certificates that exclude each other", conflict->first, conflict->second);
    return;
  }
  if (self_ && guard_.is_on()) {
    const auto signers = signers_of(certificate, setup_.set.size());
    if (std::find(signers.begin(), signers.end(), *self_) != signers.end()) {
      heard_own(certificate.statement, "in a certificate");
    }
  }
  if (!table_.insert(certificate)) return;
  const Statement& statement = certificate.statement;
  if (statement.kind == VoteKind::notarize && table_.has(statement.view, VoteKind::nullify)) {
    mark(Mark::notarization_after_nullification);
  }
  for (Evidence& evidence : table_.absorb(certificate)) {
    mark(Mark::evidence_from_certificate);
    convict(std::move(evidence));
  }
  actions_.records.push_back(record(RecordKind::certificate, certificate));
  forwards_.push_back({certificate, now_.instant + DurationMs(std::max<std::uint64_t>(
                                                       parameters_.delta.value / 4, 1))});
}

void Simplex::violation(std::string what, const Certificate& first, const Certificate& second) {
  halted_ = true;
  actions_.violation = SafetyViolation{std::move(what), first, second};
}

}  // namespace tally::consensus
