#include <catch2/catch.hpp>
#include <map>

#include "primitives/crypto/hash.hpp"
#include "primitives/finality/certificate.hpp"
#include "primitives/finality/evidence.hpp"
#include "primitives/finality/proof.hpp"

namespace tally {
namespace {

Secret secret(std::size_t i) {
  return *Secret::from(blake2_256({as_bytes("finality-test"), encode(std::uint64_t{i})}));
}

ValidatorSet make_set(const std::vector<std::uint64_t>& weights) {
  ValidatorSet set;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    Validator validator;
    validator.consensus_key = ed25519_public(secret(i));
    validator.weight = weights[i];
    REQUIRE(set.members.push_back(validator));
  }
  return set;
}

const Hash kGenesis = blake2_256(as_bytes("genesis"));

Vote sign(std::size_t i, const Statement& statement) {
  return {statement, ValidatorIndex(static_cast<std::uint16_t>(i)),
          ed25519_sign(secret(i), statement_bytes(kGenesis, statement))};
}

Certificate certify(const ValidatorSet& set, const Statement& statement,
                    const std::vector<std::size_t>& signers) {
  std::vector<Vote> votes;
  for (const std::size_t i : signers) votes.push_back(sign(i, statement));
  return make_certificate(votes, set);
}

Statement statement(VoteKind kind, std::uint64_t view, const Hash& hash = {}) {
  return {Epoch(1), kind, View(view), hash};
}

Header make_header(const Header* parent, std::uint64_t view) {
  Header header;
  if (parent != nullptr) {
    header.parent_hash = block_hash(*parent);
    header.number = {parent->number.value.next()};
  }
  header.digest = {make_consensus_digest({Epoch(1), View(view), TimestampMs(view), {}})};
  return header;
}

}  // namespace

TEST_CASE("a statement is tag, genesis hash, epoch, kind, view and hash") {
  Hash hash;
  hash.bytes.fill(0xab);
  const Bytes bytes = statement_bytes(Hash{}, {Epoch(2), VoteKind::finalize, View(3), hash});
  const std::string tag = to_hex(as_bytes("tallystick/vote/v1"));
  CHECK(to_hex(bytes) ==
        tag + std::string(64, '0') + "0200000000000000" + "02" + "0300000000000000" + to_hex(hash));
}

TEST_CASE("a quorum is two thirds rounded down, plus one") {
  CHECK(make_set({1}).quorum() == 1);
  CHECK(make_set({1, 1, 1}).quorum() == 3);
  CHECK(make_set({1, 1, 1, 1}).quorum() == 3);
  CHECK(make_set({10, 20, 30, 40}).quorum() == 67);
}

TEST_CASE("a validator set has weight, bounded, and no key twice") {
  CHECK(make_set({1, 2}).check().ok());
  CHECK(ValidatorSet{}.check().error() == ValidatorSetError::empty);
  CHECK(make_set({1, 0}).check().error() == ValidatorSetError::zero_weight);
  CHECK(make_set({kTotalWeightLimit - 1, 1}).check().error() == ValidatorSetError::too_heavy);
  CHECK(make_set({~std::uint64_t{0}, 1}).check().error() == ValidatorSetError::too_heavy);
  CHECK(make_set({kTotalWeightLimit - 2, 1}).check().ok());
  ValidatorSet twice = make_set({1, 1});
  twice.members[1].consensus_key = twice.members[0].consensus_key;
  CHECK(twice.check().error() == ValidatorSetError::repeated_key);
}

TEST_CASE("leaders lead in proportion to weight, evenly spread, in an order the seed decides") {
  const ValidatorSet set = make_set({1, 2, 3, 4});
  LeaderSchedule schedule(set, blake2_256(as_bytes("seed")));
  std::map<std::uint16_t, std::size_t> counts;
  for (std::uint64_t view = 1; view <= 1'000; ++view) counts[schedule.leader(View(view)).value]++;
  CHECK(counts == std::map<std::uint16_t, std::size_t>{{0, 100}, {1, 200}, {2, 300}, {3, 400}});
  // Nobody of weight w in W leads more often than its share, plus one, in any window.
  for (std::uint64_t from = 1; from < 200; ++from) {
    std::map<std::uint16_t, std::size_t> window;
    for (std::uint64_t view = from; view < from + 10; ++view) {
      window[schedule.leader(View(view)).value]++;
    }
    for (const auto& [member, count] : window) CHECK(count <= member + 2u);
  }
  // Asking again, or for an earlier view, gives the same.
  LeaderSchedule again(set, blake2_256(as_bytes("seed")));
  CHECK(again.leader(View(777)) == schedule.leader(View(777)));
  CHECK(again.leader(View(3)) == schedule.leader(View(3)));
  // Golden: changing the sequence is a fork.
  LeaderSchedule equal(make_set({1, 1, 1, 1, 1, 1, 1}), Hash{});
  std::string order;
  for (std::uint64_t view = 1; view <= 14; ++view) {
    order += std::to_string(equal.leader(View(view)).value);
  }
  CHECK(order.substr(0, 7) == order.substr(7));
  CHECK(order.substr(0, 7) == "1530462");
}

TEST_CASE("a certificate holds for its statement, its set and its chain alone") {
  const ValidatorSet set = make_set({1, 1, 1, 1});
  const FinalityContext context{kGenesis, Epoch(1), &set};
  const Hash block = blake2_256(as_bytes("block"));
  const Certificate good = certify(set, statement(VoteKind::notarize, 7, block), {0, 1, 3});
  REQUIRE(verify(good, context).ok());
  CHECK(*decode<Certificate>(encode(good)) == good);
  CHECK(signers_of(good, 4).size() == 3);

  const auto refuses = [&](const Certificate& bad, CertificateError error) {
    const auto result = verify(bad, context);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error() == error);
  };
  Certificate bad = good;
  bad.statement.epoch = Epoch(2);
  refuses(bad, CertificateError::wrong_epoch);
  bad = good;
  bad.statement.view = View(8);
  refuses(bad, CertificateError::bad_signature);
  bad = good;
  bad.statement.kind = VoteKind::finalize;
  refuses(bad, CertificateError::bad_signature);
  bad = good;
  bad.statement.kind = VoteKind::nullify;
  refuses(bad, CertificateError::bad_hash);
  bad = good;
  bad.statement.hash = Hash{};
  refuses(bad, CertificateError::bad_hash);
  bad = good;
  REQUIRE(bad.signers.push_back(0));
  refuses(bad, CertificateError::bad_bitmap_size);
  bad = good;
  bad.signers = {};
  refuses(bad, CertificateError::bad_bitmap_size);
  bad = good;
  bad.signers[0] |= 0x10;
  refuses(bad, CertificateError::unknown_signer);
  bad = good;
  bad.signers[0] = 0x0f;
  refuses(bad, CertificateError::count_mismatch);
  bad = good;
  bad.signers[0] = 0x07;  // somebody else's signature under the third bit
  refuses(bad, CertificateError::bad_signature);
  bad = good;
  bad.signers[0] = 0x03;
  bad.signatures.erase(bad.signatures.begin() + 2);
  refuses(bad, CertificateError::below_quorum);
  CHECK_FALSE(verify(good, {blake2_256(as_bytes("other")), Epoch(1), &set}).ok());
}

TEST_CASE("weight decides, not the number of signers") {
  const ValidatorSet set = make_set({1, 1, 1, 7});
  const FinalityContext context{kGenesis, Epoch(1), &set};
  Certificate few = certify(set, statement(VoteKind::nullify, 2), {3});
  CHECK(verify(few, context).ok());
  few.signers[0] = 0x07;
  few.signatures = {};
  for (std::size_t i = 0; i < 3; ++i) {
    REQUIRE(few.signatures.push_back(sign(i, statement(VoteKind::nullify, 2)).signature));
  }
  CHECK(verify(few, context).error() == CertificateError::below_quorum);
}

TEST_CASE("evidence is two votes that one honest validator never signs both") {
  const Hash a = blake2_256(as_bytes("a"));
  const Hash b = blake2_256(as_bytes("b"));
  const Statement notarize_a = statement(VoteKind::notarize, 4, a);
  const Statement notarize_b = statement(VoteKind::notarize, 4, b);
  const Statement finalize_a = statement(VoteKind::finalize, 4, a);
  const Statement finalize_b = statement(VoteKind::finalize, 4, b);
  const Statement nullify = statement(VoteKind::nullify, 4);
  CHECK(conflict(notarize_a, notarize_b));
  CHECK(conflict(finalize_a, finalize_b));
  CHECK(conflict(nullify, finalize_a));
  CHECK(conflict(finalize_a, nullify));
  CHECK_FALSE(conflict(notarize_a, notarize_a));
  CHECK_FALSE(conflict(notarize_a, nullify));     // legal
  CHECK_FALSE(conflict(notarize_a, finalize_b));  // a late view of another block: legal
  CHECK_FALSE(conflict(nullify, statement(VoteKind::finalize, 5, a)));

  const ValidatorSet set = make_set({1, 1, 1, 1});
  const FinalityContext context{kGenesis, Epoch(1), &set};
  const Evidence good{sign(2, notarize_a), sign(2, notarize_b)};
  REQUIRE(verify(good, context).ok());
  CHECK(*verify(good, context) == ValidatorIndex(2));
  Evidence bad = good;
  bad.second.signer = ValidatorIndex(1);
  CHECK(verify(bad, context).error() == EvidenceError::not_a_conflict);
  bad = good;
  bad.second.signature.bytes[0] ^= 1;
  CHECK(verify(bad, context).error() == EvidenceError::bad_signature);
  bad.first.signer = bad.second.signer = ValidatorIndex(9);
  CHECK(verify(bad, context).error() == EvidenceError::unknown_signer);
}

TEST_CASE("a finality proof leads from a header to the block that was finalized") {
  const ValidatorSet set = make_set({1, 1, 1, 1});
  const FinalityContext context{kGenesis, Epoch(1), &set};
  const Header first = make_header(nullptr, 1);
  const Header second = make_header(&first, 2);
  const Header third = make_header(&second, 5);
  FinalityProof proof;
  proof.header = first;
  REQUIRE(proof.descendants.push_back(second));
  REQUIRE(proof.descendants.push_back(third));
  proof.finalization = certify(set, statement(VoteKind::finalize, 5, block_hash(third)), {0, 1, 2});
  REQUIRE(verify(proof, context).ok());

  FinalityProof bad = proof;
  bad.descendants.erase(bad.descendants.begin());
  CHECK(verify(bad, context).error() == ProofError::broken_chain);
  bad = proof;
  bad.finalization = certify(set, statement(VoteKind::notarize, 5, block_hash(third)), {0, 1, 2});
  CHECK(verify(bad, context).error() == ProofError::not_a_finalization);
  bad = proof;
  bad.finalization = certify(set, statement(VoteKind::finalize, 6, block_hash(third)), {0, 1, 2});
  CHECK(verify(bad, context).error() == ProofError::bad_view);
  bad = proof;
  bad.finalization.signatures[1].bytes[3] ^= 1;
  CHECK(verify(bad, context).error() == ProofError::bad_certificate);
}

TEST_CASE("an epoch proof names the set of the epoch after the next, above it stand fillers only") {
  const ValidatorSet set = make_set({1, 1, 1, 1});
  const ValidatorSet later = make_set({3, 2, 1});
  const FinalityContext context{kGenesis, Epoch(1), &set};
  Header last = make_header(nullptr, 3);
  last.number = {BlockNumber(9)};
  last.digest.push_back(make_set_item(later));
  const Header filler = make_filler(last, *consensus_digest(make_header(nullptr, 4)));
  const auto prove = [&](const Header& top, std::uint64_t view) {
    EpochProof proof;
    proof.header = last;
    REQUIRE(proof.descendants.push_back(top));
    proof.finalization =
        certify(set, statement(VoteKind::finalize, view, block_hash(top)), {1, 2, 3});
    return proof;
  };
  const EpochProof proof = prove(filler, 4);
  const auto named = verify_epoch_proof(proof, context, BlockNumber(9));
  REQUIRE(named.ok());
  CHECK(*named == later);
  CHECK(verify_epoch_proof(proof, context, BlockNumber(10)).error() == ProofError::not_epoch_end);

  const Header child = make_header(&last, 4);
  CHECK(verify_epoch_proof(prove(child, 4), context, BlockNumber(9)).error() ==
        ProofError::not_a_filler);
  Header other_root = filler;
  other_root.state_root.bytes[0] ^= 1;
  CHECK(verify_epoch_proof(prove(other_root, 4), context, BlockNumber(9)).error() ==
        ProofError::not_a_filler);
  Header other_last = filler;
  other_last.extrinsics_root.bytes[0] ^= 1;
  CHECK(verify_epoch_proof(prove(other_last, 4), context, BlockNumber(9)).error() ==
        ProofError::not_a_filler);
  last.digest.pop_back();
  CHECK(verify_epoch_proof(prove(filler, 4), context, BlockNumber(9)).error() ==
        ProofError::not_a_filler);
}

// Shown to fail with fillers that repeat the extrinsics root of the block below them: then every
// filler in between belongs into the proof, and their number has no bound.
TEST_CASE("one filler proves the last block, however many stand in between") {
  const ValidatorSet set = make_set({1, 1, 1, 1});
  const FinalityContext context{kGenesis, Epoch(1), &set};
  Header last = make_header(nullptr, 3);
  last.number = {BlockNumber(9)};
  last.digest.push_back(make_set_item(set));
  Header top = last;
  std::uint64_t view = 3;
  while (view < 10'000) {
    const Header next = make_filler(top, *consensus_digest(make_header(nullptr, ++view)));
    REQUIRE(is_filler_on(next, top));
    top = next;
  }
  EpochProof proof{last, {}, {}};
  REQUIRE(proof.descendants.push_back(top));
  proof.finalization =
      certify(set, statement(VoteKind::finalize, view, block_hash(top)), {0, 2, 3});
  CHECK(verify_epoch_proof(proof, context, BlockNumber(9)).ok());
  CHECK(verify(proof, context).ok());
  // A block may not follow a filler, nor a filler a filler.
  Header child = make_header(&top, view + 1);
  child.number = {BlockNumber(10)};
  for (const Header& above :
       {child, make_filler(top, *consensus_digest(make_header(nullptr, view + 1)))}) {
    EpochProof bad = proof;
    REQUIRE(bad.descendants.push_back(above));
    bad.finalization =
        certify(set, statement(VoteKind::finalize, view + 1, block_hash(above)), {0, 2, 3});
    CHECK_FALSE(verify(bad, context).ok());
    CHECK_FALSE(verify_epoch_proof(bad, context, BlockNumber(9)).ok());
  }
}

}  // namespace tally
