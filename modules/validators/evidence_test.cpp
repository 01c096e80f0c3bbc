#include <catch2/catch.hpp>

#include "modules/validators/fixture_test.hpp"

namespace tally::validators {
namespace {

using People = std::vector<int>;

// Fails when take_all leaves waiting parts or delegations where they are.
TEST_CASE("evidence takes everything that is bound, a tenth of the own bond for the reporter") {
  Fixture f;
  REQUIRE(f.call(9, Delegate{person(3), {cc(500)}}).ok());
  REQUIRE(f.call(10, Delegate{person(3), {cc(70)}}).ok());
  REQUIRE(f.call(10, Undelegate{person(3), {cc(60)}}).ok());
  REQUIRE(f.call(3, Unbond{{cc(700)}}).ok());
  const Balance issued = f.issuance();
  const Balance reporter = f.free(8);
  REQUIRE(f.call(8, ReportEquivocation{f.evidence(3, 2, 1)}).ok());
  // Own bond 1,300 + 700 on its way out; delegations 500, 10 and 60 on its way out.
  CHECK(f.caused(EquivocationProved{person(3), Epoch(1), View(1), EvidenceKind::two_notarize,
                                    person(8), cc(200), cc(1'800 + 570)}));
  CHECK(f.free(8).micro - reporter.micro == cc(200).micro);
  CHECK(issued.micro - f.issuance().micro == cc(2'370).micro);
  for (const int who : {3, 9, 10}) CHECK(f.held(who).is_zero());
  CHECK_FALSE(find(f.state(), person(3)));
  CHECK_FALSE(find_delegation(f.state(), person(3), person(9)));
  f.to_epoch(2);
  CHECK(f.people_of(*set_of(f.state(), Epoch(3))) == People{1, 2, 4});
}

// Fails without the look into kOffences, and without `registered` (a new bond would be taken).
TEST_CASE("an offence is punished once") {
  Fixture f;
  const Evidence evidence = f.evidence(3, 2, 1);
  REQUIRE(f.call(8, ReportEquivocation{evidence}).ok());
  CHECK(refused(f.call(8, ReportEquivocation{evidence}), Error::already_reported));
  CHECK(refused(f.call(9, ReportEquivocation{{evidence.second, evidence.first}}),
                Error::already_reported));
  // Another offence of the same: nothing is left to take.
  CHECK(refused(f.call(8, ReportEquivocation{f.evidence(3, 2, 1, 2)}), Error::nothing_bound));
  // A bond that it registers later does not answer for what it did before.
  REQUIRE(f.call(3, Bond{f.keys_with(3, keys_of(50)), {cc(1'500)}}).ok());
  CHECK(refused(f.call(8, ReportEquivocation{evidence}), Error::already_reported));
  CHECK(refused(f.call(8, ReportEquivocation{f.evidence(3, 2, 1, 2)}), Error::nothing_bound));
  CHECK(f.held(3) == cc(1'500));
  // What it does afterwards, as a member of the set that was named before, is another matter.
  f.to_epoch(2);
  CHECK(f.call(8, ReportEquivocation{f.evidence(3, 2, 2)}).ok());
  CHECK(f.held(3).is_zero());
}

// Fails without evidence_is_late: the reporter would be paid from what no longer has to be there.
TEST_CASE("evidence counts while the bonds of its epoch are bound, and not later") {
  Fixture f;
  CHECK(refused(f.call(8, ReportEquivocation{f.evidence(3, 2, 2)}), Error::epoch_not_begun));
  f.to_epoch(2);
  f.pass(DurationMs(f.config().unbonding.value - 1));
  const Evidence evidence = f.evidence(3, 2, 1);
  f.pass(DurationMs(1));
  CHECK(refused(f.call(8, ReportEquivocation{evidence}), Error::too_late));
  f.to_epoch(4);  // the set of epoch 1 is forgotten
  CHECK_FALSE(set_of(f.state(), Epoch(1)));
  CHECK(refused(f.call(8, ReportEquivocation{evidence}), Error::too_late));
  CHECK(f.held(3) == cc(2'000));
}

// Fails when counted_until says 0 always: the bond would leave before its evidence expires.
TEST_CASE("the last moment for evidence is the last moment of the bond") {
  for (const std::uint64_t late : {0, 1}) {
    Fixture f;
    REQUIRE(f.call(3, Unbond{{cc(2'000)}}).ok());
    f.to_epoch(3);
    f.pass(DurationMs(f.config().unbonding.value - 1 + late));
    CHECK(f.call(3, Withdraw{person(3)}).ok() == (late == 1));
    CHECK(f.call(8, ReportEquivocation{f.evidence(3, 2, 2)}).ok() == (late == 0));
  }
}

// Fails without verify() in report_equivocation.
TEST_CASE("forged evidence, and votes that do not conflict, convict nobody") {
  Fixture f;
  const Evidence good = f.evidence(3, 2, 1);
  // Signed with another's key; one signature altered by a bit; signed for another chain.
  CHECK(refused(f.call(8, ReportEquivocation{f.evidence(2, 2, 1)}), Error::bad_signature));
  Evidence bad = good;
  bad.second.signature.bytes[7] ^= 1;
  CHECK(refused(f.call(8, ReportEquivocation{bad}), Error::bad_signature));
  bad = good;
  bad.first.signature =
      ed25519_sign(keys_of(3).consensus, statement_bytes(Hash{}, bad.first.statement));
  CHECK(refused(f.call(8, ReportEquivocation{bad}), Error::bad_signature));
  // One vote twice, two signers, two views, Notarize with Nullify.
  CHECK(refused(f.call(8, ReportEquivocation{{good.first, good.first}}), Error::not_a_conflict));
  bad = good;
  bad.second.signer = ValidatorIndex(1);
  CHECK(refused(f.call(8, ReportEquivocation{bad}), Error::not_a_conflict));
  bad = good;
  bad.second.statement.view = View(2);
  CHECK(refused(f.call(8, ReportEquivocation{bad}), Error::not_a_conflict));
  bad = good;
  bad.second.statement.kind = VoteKind::nullify;
  CHECK(refused(f.call(8, ReportEquivocation{bad}), Error::not_a_conflict));
  CHECK(refused(f.call(8, ReportEquivocation{f.evidence(3, 4, 1)}), Error::unknown_signer));
  CHECK(f.held(3) == cc(2'000));
  CHECK(f.call(8, ReportEquivocation{good}).ok());
}

TEST_CASE("evidence is judged by the set of its own epoch") {
  Fixture f;
  REQUIRE(f.bond(5, cc(9'000)).ok());
  f.to_epoch(3);
  REQUIRE(f.people_of(validator_set(f.state())) == People{5, 1, 2, 3});
  // In epoch 1 index 0 was 1; in epoch 3 it is 5. Votes are of one epoch each.
  CHECK(refused(f.call(8, ReportEquivocation{f.evidence(5, 0, 1)}), Error::bad_signature));
  CHECK(refused(f.call(8, ReportEquivocation{f.evidence(1, 0, 3)}), Error::bad_signature));
  // Of an epoch before it was a member, with its own key.
  CHECK(refused(f.call(8, ReportEquivocation{f.evidence(5, 3, 2)}), Error::bad_signature));
  CHECK(f.call(8, ReportEquivocation{f.evidence(4, 3, 1)}).ok());  // it served then
  CHECK(f.call(8, ReportEquivocation{f.evidence(5, 0, 3)}).ok());
  CHECK(f.held(4).is_zero());
  CHECK(f.held(1) == cc(2'000));
}

TEST_CASE("new keys do not hide what the old ones signed, and convicted keys serve nobody") {
  Fixture f;
  REQUIRE(f.call(3, SetKeys{f.keys_with(3, keys_of(50))}).ok());
  f.to_epoch(3);
  REQUIRE(f.call(8, ReportEquivocation{f.evidence(3, 2, 1)}).ok());
  CHECK_FALSE(find(f.state(), person(3)));
  CHECK(refused(f.call(3, Bond{f.keys_with(3, keys_of(50)), {cc(1'000)}}), Error::key_in_use));
}

TEST_CASE("every kind of conflict convicts") {
  for (const EvidenceKind kind : {EvidenceKind::two_notarize, EvidenceKind::two_finalize,
                                  EvidenceKind::nullify_and_finalize}) {
    Fixture f;
    Evidence evidence = f.evidence(2, 1, 1, 7);
    const auto change = [&](Vote& vote, VoteKind to) {
      vote.statement.kind = to;
      if (to == VoteKind::nullify) vote.statement.hash = Hash{};
      vote.signature = ed25519_sign(keys_of(2).consensus,
                                    statement_bytes(f.block().genesis_hash, vote.statement));
    };
    if (kind != EvidenceKind::two_notarize) change(evidence.first, VoteKind::finalize);
    if (kind == EvidenceKind::two_finalize) change(evidence.second, VoteKind::finalize);
    if (kind == EvidenceKind::nullify_and_finalize) change(evidence.second, VoteKind::nullify);
    REQUIRE(f.call(2, ReportEquivocation{evidence}).ok());
    CHECK(f.caused(
        EquivocationProved{person(2), Epoch(1), View(7), kind, person(2), cc(200), cc(1'800)}));
    CHECK(f.free(2) == cc(998'200));  // its own report costs nine tenths
  }
}

TEST_CASE("a chain whose only validator equivocated keeps the set it has") {
  Fixture f({.validators = 1, .bond = 1'000});
  REQUIRE(f.call(8, ReportEquivocation{f.evidence(1, 0, 1)}).ok());
  f.to_epoch(2);
  CHECK(f.caused(SetNamed{Epoch(3), 1, 1'000, true}));
  CHECK(f.people_of(*set_of(f.state(), Epoch(3))) == People{1});
  REQUIRE(f.bond(5, cc(1'000)).ok());
  f.to_epoch(4);
  CHECK(f.people_of(validator_set(f.state())) == People{5});
}

}  // namespace
}  // namespace tally::validators
