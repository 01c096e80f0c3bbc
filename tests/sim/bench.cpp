#include "tests/sim/bench.hpp"

#include <algorithm>

#include "node/ports/chain.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::sim {
namespace {

constexpr std::size_t kValidators = 4;
constexpr std::uint64_t kWallStart = 1'700'000'000'000;

Hash seed_of(const consensus::ChainSetup& chain, const Hash& beacon) {
  return blake2_256({domain_tag("epoch-seed"), chain.genesis_hash, encode(Epoch(1)), beacon});
}

}  // namespace

Bench::Bench(const BenchOptions& options)
    : own_key_guard_(options.own_key_guard),
      factory_(toy_machines({kValidators, options.epoch_length})) {
  for (std::size_t i = 0; i < kValidators; ++i) signers_.push_back(std::make_unique<FakeSigner>(i));
  verifier_ = std::make_unique<FakeVerifier>(vrf_, [](std::uint64_t, const std::vector<bool>&) {});
  builder_store_ = builder_disk_.store();
  builder_ = factory_->make(*builder_store_, *verifier_);
  const consensus::ChainSetup chain = factory_->chain();
  root_ = chain.genesis_hash;
  headers_[root_] = chain.genesis;
  views_[root_] = View(0);
  LeaderSchedule leaders(chain.first, seed_of(chain, builder_->application().beacon(root_)));
  if (options.leads) {
    self_ = leaders.leader(*options.leads).value;
  } else {
    // With equal weights the fourth of a round leads none of the first three views.
    self_ = leaders.leader(View(4)).value;
  }
  keys_ = std::make_unique<RemoteKeys>(*signers_[self_]);
}

ports::PeerId Bench::peer(std::size_t validator) {
  ports::PeerId id;
  id.bytes[0] = static_cast<std::uint8_t>(validator + 1);
  return id;
}

ports::PeerId Bench::copy() {
  return peer(kValidators);
}

ports::Moment Bench::moment() const {
  return {ports::Instant(now_), TimestampMs(kWallStart + now_)};
}

std::vector<std::size_t> Bench::others() const {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < kValidators; ++i) {
    if (i != self_) out.push_back(i);
  }
  return out;
}

std::size_t Bench::leader(View view) {
  return engine_->simplex().leader(view).value;
}

void Bench::start(std::optional<std::string> stopped) {
  store_ = disk_.store();
  log_ = disk_.vote_log();
  high_water_ = disk_.high_water();
  machine_ = factory_->make(*store_, *verifier_);
  const consensus::Ports ports{store_.get(), &machine_->application(), verifier_.get(),
                               keys_.get()};
  consensus::ChainSetup chain = factory_->chain();
  chain.own_key_guard = own_key_guard_;
  chain.stopped = std::move(stopped);
  engine_ =
      std::make_unique<consensus::Engine>(std::move(chain), ports, *log_, *high_water_, moment());
  turn();
  for (const std::size_t other : others()) {
    event(consensus::PeerUp{peer(other), signers_[other]->consensus_key()});
  }
}

void Bench::restart(std::optional<std::string> stopped) {
  engine_.reset();
  machine_.reset();
  log_.reset();
  high_water_.reset();
  store_.reset();
  disk_.crash(random_.next());
  start(std::move(stopped));
}

void Bench::turn() {
  consensus::TurnOutput output = engine_->end_turn(moment());
  std::move(output.sends.begin(), output.sends.end(), std::back_inserter(frames_));
  std::move(output.finalized.begin(), output.finalized.end(), std::back_inserter(finalized_));
  std::move(output.alarms.begin(), output.alarms.end(), std::back_inserter(alarms_));
  std::move(output.evidence.begin(), output.evidence.end(), std::back_inserter(evidence_));
  disconnects_ += output.disconnects.size();
  if (output.violation) violation_ = output.violation;
}

void Bench::event(const consensus::Event& event) {
  engine_->on_event(event, moment());
  turn();
}

void Bench::receive(std::size_t from, consensus::Message message) {
  const consensus::Hint hint{engine_->epoch(), current(), View(0)};
  event(consensus::Received{peer(from), {hint, std::move(message)}});
}

void Bench::hear_hint(std::size_t from, const consensus::Hint& hint) {
  engine_->on_hint(peer(from), hint, moment());
  turn();
}

void Bench::meet_copy_of(std::size_t validator) {
  event(consensus::PeerUp{copy(), signers_[validator]->consensus_key()});
}

void Bench::receive_votes(VoteKind kind, View view, const Hash& hash, std::size_t count) {
  const auto from = others();
  for (std::size_t i = 0; i < count; ++i) {
    receive(from[i], consensus::VoteMessage{vote(from[i], kind, view, hash)});
  }
}

void Bench::wait(std::uint64_t ms) {
  const std::uint64_t until = now_ + ms;
  for (;;) {
    const auto next = engine_->next_timer();
    if (!next || next->value > until) break;
    now_ = std::max(next->value, now_ + 1);
    if (now_ > until) break;
    event(consensus::TimerFired{});
  }
  now_ = until;
}

void Bench::submit() {
  machine_->pool().offer(factory_->transaction(random_), ports::PoolSource::local);
  event(consensus::PoolChanged{});
}

void Bench::find_signer() {
  keys_->gone = false;
  event(consensus::Claimed{});
}

Vote Bench::vote(std::size_t signer, VoteKind kind, View view, const Hash& hash) {
  const Statement statement{engine_->epoch(), kind, view, hash};
  return {statement, ValidatorIndex(static_cast<std::uint16_t>(signer)),
          signers_[signer]->sign(statement_bytes(factory_->chain().genesis_hash, statement))};
}

Certificate Bench::certificate(VoteKind kind, View view, const Hash& hash) {
  std::vector<Vote> votes;
  for (const std::size_t signer : others()) votes.push_back(vote(signer, kind, view, hash));
  const Certificate made = make_certificate(votes, factory_->chain().first);
  certificates_[view][kind] = made;
  return made;
}

consensus::Proposal Bench::propose(View view, const Hash& parent, const Wish& wish) {
  const std::size_t proposer = leader(view);
  const consensus::EpochSetup& setup = simplex().setup();
  const Header& below = headers_.at(parent);
  const ConsensusDigest digest{setup.epoch, view,
                               TimestampMs(kWallStart + 100 * view.value + wish.later_ms),
                               signers_[proposer]->prove(consensus::vrf_alpha(setup, view))};
  for (std::size_t i = 0; i < wish.transactions; ++i) {
    builder_->pool().offer(factory_->transaction(random_), ports::PoolSource::local);
  }
  consensus::Proposal out;
  if (below.number.value == setup.end) {
    out.block = {make_filler(below, digest), {}};
  } else {
    out.block = builder_->application().build({parent, digest, setup.set.members[proposer].account,
                                               below.number.value.next() == setup.end});
  }
  const Hash hash = hash_of(out);
  headers_[hash] = out.block.header;
  views_[hash] = view;
  out.notarize = vote(proposer, VoteKind::notarize, view, hash);
  if (!wish.justify) return out;
  const View parent_view = views_.at(parent);
  const auto& of_parent = certificates_[parent_view];
  if (of_parent.contains(VoteKind::notarize)) out.parent = of_parent.at(VoteKind::notarize);
  for (View at = parent_view.next(); at < view; at = at.next()) {
    const auto& held = certificates_[at];
    if (held.contains(VoteKind::nullify)) {
      TALLY_ASSERT(out.nullifications.push_back(held.at(VoteKind::nullify)));
    }
  }
  return out;
}

Hash Bench::hash_of(const consensus::Proposal& proposal) const {
  return block_hash(proposal.block.header);
}

bool Bench::sent_vote(VoteKind kind, View view, const Hash& hash) const {
  return std::any_of(frames_.begin(), frames_.end(), [&](const auto& frame) {
    const auto* sent = std::get_if<consensus::VoteMessage>(&frame.envelope.message);
    return sent != nullptr && sent->vote.signer.value == self_ &&
           sent->vote.statement.kind == kind && sent->vote.statement.view == view &&
           sent->vote.statement.hash == hash;
  });
}

bool Bench::sent_any_vote(VoteKind kind, View view) const {
  return std::any_of(frames_.begin(), frames_.end(), [&](const auto& frame) {
    const auto* sent = std::get_if<consensus::VoteMessage>(&frame.envelope.message);
    return sent != nullptr && sent->vote.signer.value == self_ &&
           sent->vote.statement.kind == kind && sent->vote.statement.view == view;
  });
}

bool Bench::asked_for(const Hash& block) const {
  return std::any_of(frames_.begin(), frames_.end(), [&](const auto& frame) {
    const auto* sent = std::get_if<consensus::BlockRequest>(&frame.envelope.message);
    return sent != nullptr && sent->hash == block;
  });
}

bool Bench::asked_for(VoteKind kind, View view) const {
  return std::any_of(frames_.begin(), frames_.end(), [&](const auto& frame) {
    const auto* sent = std::get_if<consensus::CertificateRequest>(&frame.envelope.message);
    return sent != nullptr && sent->kind == kind && sent->view == view;
  });
}

}  // namespace tally::sim
