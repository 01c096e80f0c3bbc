// What a node notices of a validator that signs twice.
#include <catch2/catch.hpp>

#include "tests/sim/bench.hpp"

namespace tally::consensus {
namespace {

using sim::Bench;

const Hash kOne = *Hash::from(Bytes(32, 1));
const Hash kOther = *Hash::from(Bytes(32, 2));

void vote(Bench& bench, std::size_t from, VoteKind kind, View view, const Hash& hash = {}) {
  bench.receive(from, VoteMessage{bench.vote(from, kind, view, hash)});
}

}  // namespace

TEST_CASE("evidence: two votes on one link convict, once a view") {
  Bench bench;
  bench.start();
  const std::size_t liar = bench.others()[0];
  vote(bench, liar, VoteKind::notarize, View(1), kOne);
  vote(bench, liar, VoteKind::nullify, View(1));
  CHECK(bench.evidence().empty());  // that is legal
  vote(bench, liar, VoteKind::notarize, View(1), kOther);
  vote(bench, liar, VoteKind::finalize, View(1), kOther);
  REQUIRE(bench.evidence().size() == 1);
  CHECK(bench.evidence()[0].first.statement.hash == kOne);
  CHECK(bench.evidence()[0].second.statement.hash == kOther);
}

// Shown to fail without ViewTable::absorb().
TEST_CASE("evidence: a vote convicts beside one that came in a certificate") {
  for (const bool certificate_first : {true, false}) {
    Bench bench;
    bench.start();
    const std::size_t liar = bench.others()[0];
    const CertificateMessage message{bench.certificate(VoteKind::notarize, View(1), kOne)};
    if (certificate_first) bench.receive(bench.others()[1], message);
    vote(bench, liar, VoteKind::notarize, View(1), kOther);
    if (!certificate_first) bench.receive(bench.others()[1], message);
    REQUIRE(bench.evidence().size() == 1);
    CHECK(bench.evidence()[0].first.signer.value == liar);
  }
}

// Shown to fail when prune() forgets the votes.
TEST_CASE("evidence: a vote convicts after its view is final") {
  Bench bench;
  bench.start();
  const std::size_t liar = bench.others()[0];
  const Proposal proposal = bench.propose(View(1), bench.root());
  const Hash hash = bench.hash_of(proposal);
  bench.receive(bench.leader(View(1)), proposal);
  bench.receive(liar, CertificateMessage{bench.certificate(VoteKind::notarize, View(1), hash)});
  bench.receive_votes(VoteKind::finalize, View(1), hash, 3);
  REQUIRE(bench.finalized().size() == 1);
  vote(bench, liar, VoteKind::finalize, View(1), hash);
  CHECK(bench.evidence().empty());
  vote(bench, liar, VoteKind::nullify, View(1));
  REQUIRE(bench.evidence().size() == 1);
  vote(bench, liar, VoteKind::finalize, View(1), kOther);
  CHECK(bench.evidence().size() == 1);
  // And nobody can have a wrong signature called evidence.
  Vote forged = bench.vote(bench.others()[1], VoteKind::nullify, View(1));
  forged.signature.bytes[0] ^= 1;
  bench.receive(bench.others()[1], VoteMessage{forged});
  CHECK(bench.evidence().size() == 1);
  CHECK(bench.disconnects() == 1);
}

// Only validators beyond the fault bound can make it. Without the check in commit_to() there is no
// block to commit, and a list without any is read.
TEST_CASE("evidence: a Finalization of the newest final block in another view stops the node") {
  Bench bench;
  bench.start();
  const Proposal proposal = bench.propose(View(1), bench.root());
  const Hash hash = bench.hash_of(proposal);
  const std::size_t from = bench.others()[0];
  bench.receive(bench.leader(View(1)), proposal);
  bench.receive(from, CertificateMessage{bench.certificate(VoteKind::notarize, View(1), hash)});
  bench.receive(from, CertificateMessage{bench.certificate(VoteKind::finalize, View(1), hash)});
  REQUIRE(bench.finalized().size() == 1);
  REQUIRE_FALSE(bench.violation());
  bench.receive(from, CertificateMessage{bench.certificate(VoteKind::finalize, View(2), hash)});
  CHECK(bench.violation());
  CHECK(bench.finalized().size() == 1);
}

// A check each time, for nothing, if the sender's link stayed. Shown to fail where it does.
TEST_CASE(
    "evidence: a certificate against the newest final block that does not hold ends the link") {
  Bench bench;
  bench.start();
  const Proposal proposal = bench.propose(View(1), bench.root());
  const Hash hash = bench.hash_of(proposal);
  bench.receive(bench.leader(View(1)), proposal);
  const std::size_t liar = bench.others()[0];
  bench.receive(liar, CertificateMessage{bench.certificate(VoteKind::notarize, View(1), hash)});
  bench.receive_votes(VoteKind::finalize, View(1), hash, 3);
  REQUIRE(bench.finalized().size() == 1);
  REQUIRE(bench.disconnects() == 0);
  Certificate forged = bench.certificate(VoteKind::nullify, View(1));
  forged.signatures[0].bytes[3] ^= 1;
  bench.receive(liar, CertificateMessage{forged});
  CHECK(bench.disconnects() == 1);
  CHECK_FALSE(bench.violation());
}

}  // namespace tally::consensus
