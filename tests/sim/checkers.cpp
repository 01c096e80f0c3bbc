#include "tests/sim/checkers.hpp"

#include <algorithm>

#include "primitives/crypto/hash.hpp"

namespace tally::sim {

Checkers::Checkers(CheckedChain chain) : about_(std::move(chain)), heights_(about_.nodes) {
  sets_.emplace(1, about_.first);
  sets_.emplace(2, about_.second);
}

const ValidatorSet* Checkers::set_of(Epoch epoch) const {
  const auto found = sets_.find(epoch.value);
  return found == sets_.end() ? nullptr : &found->second;
}

bool Checkers::can_spare_one() const {
  const std::uint32_t lowest = *std::min_element(heights_.begin(), heights_.end());
  const auto serving = sets_.lower_bound(lowest / about_.epoch_length + 1);
  return std::all_of(serving, sets_.end(),
                     [](const auto& entry) { return entry.second.size() >= 4; });
}

std::size_t Checkers::set_changes() const {
  std::size_t changes = 0;
  for (auto it = sets_.begin(); std::next(it) != sets_.end(); ++it) {
    changes += it->second != std::next(it)->second ? 1 : 0;
  }
  return changes;
}

// The last block of an epoch names a set in its second digest item; no other block does.
void Checkers::on_set_item(const std::string& where, const consensus::Finalized& block) {
  const std::uint32_t height = block.header.number.value.value;
  const bool last = height > 0 && height % about_.epoch_length == 0;
  if (height > 0 && block.header.digest.size() != (last ? 2 : 1)) {
    fail(where + "a digest of " + std::to_string(block.header.digest.size()) + " items");
    return;
  }
  if (!last) return;
  const auto* item = std::get_if<DigestConsensus>(&block.header.digest[1]);
  const auto set = item != nullptr ? decode<ValidatorSet>(item->data)
                                   : Result<ValidatorSet, DecodeError>(ValidatorSet{});
  if (!set.ok() || set->members.empty()) {
    fail(where + "the last block of an epoch names no set");
    return;
  }
  sets_.try_emplace(height / about_.epoch_length + 2, *set);
}

// More than two thirds of the weight of the epoch's set, by name and with their signatures.
void Checkers::on_certificate(const std::string& where, const Certificate& certificate) {
  if (!seen_.insert(blake2_256(encode(certificate))).second) return;
  const Statement& statement = certificate.statement;
  const std::string what = where + "a certificate of epoch " +
                           std::to_string(statement.epoch.value) + ", view " +
                           std::to_string(statement.view.value) + ", ";
  const ValidatorSet* set = set_of(statement.epoch);
  if (set == nullptr) return fail(what + "whose set nobody has named");
  const Bytes message = statement_bytes(about_.genesis_hash, statement);
  std::uint64_t total = 0;
  std::uint64_t weight = 0;
  std::size_t next = 0;
  for (std::size_t i = 0; i < set->members.size(); ++i) {
    const Validator& member = set->members[i];
    total += member.weight;
    const std::size_t byte = i / 8;
    if (byte >= certificate.signers.size() || (certificate.signers[byte] >> (i % 8) & 1) == 0) {
      continue;
    }
    if (next >= certificate.signatures.size() ||
        !about_.signed_by(member.consensus_key, message, certificate.signatures[next++])) {
      return fail(what + "with a signature that is not of the epoch's set");
    }
    weight += member.weight;
  }
  if (next != certificate.signatures.size() || 3 * weight <= 2 * total) {
    fail(what + "without two thirds of the epoch's set");
  }
}

void Checkers::on_epoch_proof(const std::string& where, Epoch epoch, const EpochProof& proof) {
  on_certificate(where, proof.finalization);
  const Hash last = blake2_256(encode(proof.header));
  const auto height = static_cast<std::uint32_t>(epoch.value * about_.epoch_length);
  const auto known = chain_.find(height);
  if (known == chain_.end() || known->second.hash != last) {
    return fail(where + "an epoch proof of another block than the final one");
  }
  Hash top = last;
  for (const Header& header : proof.descendants) {
    if (header.extrinsics_root != last) return fail(where + "a filler of another block");
    top = blake2_256(encode(header));
  }
  const Statement& statement = proof.finalization.statement;
  if (proof.descendants.size() > 1 || statement.hash != top || statement.epoch != epoch ||
      statement.kind != VoteKind::finalize) {
    fail(where + "an epoch proof that proves something else");
  }
}

void Checkers::on_epoch_proofs(std::size_t node, const std::vector<EpochProof>& proofs) {
  const std::string where = "node " + std::to_string(node) + ": ";
  for (std::size_t i = 0; i < proofs.size(); ++i) on_epoch_proof(where, Epoch(i + 1), proofs[i]);
  if (proofs.size() < heights_[node] / about_.epoch_length) {
    fail(where + "the proof of an epoch's end is missing");
  }
}

void Checkers::on_final(std::size_t node, const consensus::Finalized& block, TimestampMs latest) {
  const std::uint32_t height = block.header.number.value.value;
  const std::string where =
      "node " + std::to_string(node) + ", height " + std::to_string(height) + ": ";
  if (height > heights_[node] + 1) fail(where + "a height was left out");
  Final final{block.hash, block.header.state_root, block.header.parent_hash, {}};
  if (const auto digest = consensus_digest(block.header)) final.time = digest->time;
  const auto [found, fresh] = chain_.try_emplace(height, final);
  if (!fresh && found->second.hash != final.hash) fail(where + "two final blocks");
  if (found->second.state_root != final.state_root) fail(where + "two state roots");
  const auto below = chain_.find(height - 1);
  if (below != chain_.end() && below->second.hash != final.parent) {
    fail(where + "does not stand on the final block below it");
  }
  if (below != chain_.end() && height > 0 && final.time <= below->second.time) {
    fail(where + "a time that is not above its parent's");
  }
  if (final.time > latest) fail(where + "a time that no honest clock has come near");
  heights_[node] = std::max(heights_[node], height);
  if (!fresh) return;
  on_set_item(where, block);
  transactions_ += block.extrinsics.size();
  if (const auto digest = consensus_digest(block.header)) epochs_.insert(digest->epoch.value);
}

void Checkers::on_snapshot(std::size_t node, const ports::ChainHead& head) {
  const std::uint32_t height = head.number.value;
  const auto known = chain_.find(height);
  if (known == chain_.end() || known->second.hash != head.hash) {
    fail("node " + std::to_string(node) + " took a snapshot at height " + std::to_string(height) +
         " of a block that is not final");
  }
  heights_[node] = std::max(heights_[node], height);
}

void Checkers::on_sent(std::size_t node, const std::optional<Ed25519Key>& key,
                       const core::WireMessage& message) {
  const auto* frame = std::get_if<core::ConsensusFrame>(&message);
  if (frame == nullptr) return;
  const std::string where = "node " + std::to_string(node) + ": ";
  const auto& content = frame->envelope.message;
  if (const auto* vote = std::get_if<consensus::VoteMessage>(&content)) {
    if (!is_reminder(key, vote->vote)) on_vote(node, key, vote->vote);
  } else if (const auto* made = std::get_if<consensus::Proposal>(&content)) {
    on_vote(node, key, made->notarize);
    if (made->parent) on_certificate(where, *made->parent);
    for (const Nullification& one : made->nullifications) on_certificate(where, one);
  } else if (const auto* held = std::get_if<consensus::CertificateMessage>(&content)) {
    on_certificate(where, held->certificate);
  } else if (const auto* over = std::get_if<consensus::EpochProofMessage>(&content)) {
    on_epoch_proof(where, over->epoch, over->proof);
  }
}

// Of what another has signed; it proves itself.
bool Checkers::is_reminder(const std::optional<Ed25519Key>& key, const Vote& vote) const {
  const ValidatorSet* set = set_of(vote.statement.epoch);
  if (set == nullptr || vote.signer.value >= set->members.size()) return false;
  const Ed25519Key& signer = set->members[vote.signer.value].consensus_key;
  return signer != key &&
         about_.signed_by(signer, statement_bytes(about_.genesis_hash, vote.statement),
                          vote.signature);
}

void Checkers::on_vote(std::size_t node, const std::optional<Ed25519Key>& key, const Vote& vote) {
  const Statement& statement = vote.statement;
  const ValidatorSet* set = set_of(statement.epoch);
  const bool member = set != nullptr && key && vote.signer.value < set->members.size() &&
                      set->members[vote.signer.value].consensus_key == *key;
  if (!member) {
    fail("node " + std::to_string(node) + " votes in epoch " +
         std::to_string(statement.epoch.value) + " and is not in its set");
  }
  if (!judges_on_arrival(node)) bind(node, statement);
}

void Checkers::on_arrived(std::size_t from, const std::optional<Ed25519Key>& key,
                          const core::WireMessage& message) {
  const auto* frame = std::get_if<core::ConsensusFrame>(&message);
  if (frame == nullptr) return;
  const auto& content = frame->envelope.message;
  if (const auto* vote = std::get_if<consensus::VoteMessage>(&content)) {
    if (!is_reminder(key, vote->vote)) bind(from, vote->vote.statement);
  } else if (const auto* made = std::get_if<consensus::Proposal>(&content)) {
    bind(from, made->notarize.statement);
  }
}

// "Never" of consensus.
void Checkers::bind(std::size_t node, const Statement& statement) {
  Cast& cast = cast_[{node, statement.epoch.value, statement.view.value}];
  const std::string where = "node " + std::to_string(node) + ", epoch " +
                            std::to_string(statement.epoch.value) + ", view " +
                            std::to_string(statement.view.value) + ": ";
  switch (statement.kind) {
    case VoteKind::notarize:
      if (cast.notarize && *cast.notarize != statement.hash) fail(where + "two Notarize");
      cast.notarize = statement.hash;
      break;
    case VoteKind::nullify:
      cast.nullify = true;
      break;
    case VoteKind::finalize:
      if (cast.finalize && *cast.finalize != statement.hash) fail(where + "two Finalize");
      cast.finalize = statement.hash;
      break;
  }
  if (cast.nullify && cast.finalize) fail(where + "Nullify and Finalize");
}

void Checkers::on_violation(std::size_t node, const std::string& what) {
  fail("node " + std::to_string(node) + " saw the fault bound broken: " + what);
}

std::uint32_t Checkers::highest() const {
  return *std::max_element(heights_.begin(), heights_.end());
}

}  // namespace tally::sim
