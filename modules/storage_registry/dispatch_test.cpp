#include <catch2/catch.hpp>

#include "modules/storage_registry/fixture_test.hpp"

namespace tally::storage_registry {
namespace {

RemoveCheckpoint remove(std::uint64_t index) {
  return {CheckpointIndex(index)};
}
Attest attest(const AccountId& owner, std::uint64_t index, Availability availability) {
  return {owner, CheckpointIndex(index), availability};
}
std::optional<CheckpointIndex> at(std::uint64_t index) {
  return CheckpointIndex(index);
}

TEST_CASE("a checkpoint is recorded as its owner says, and becomes its label's latest") {
  Fixture f;
  RecordCheckpoint call = record_of("sim", 5);
  call.store = StoreKind::arweave;
  call.content_id = "TKRzBgbcCQg1nV4YLUaXbJ7PiHrrTzUpuXnHXBzqCjE";
  REQUIRE(f.call(kOlga, call) == "applied");
  const auto recorded = f.checkpoint(kOlga, 0);
  REQUIRE(recorded.has_value());
  CHECK(recorded->label == "sim");
  CHECK(recorded->state_hash == hash_of(5));
  CHECK(recorded->store == StoreKind::arweave);
  CHECK(recorded->content_id == call.content_id);
  CHECK(recorded->size_bytes == 1'000);
  CHECK(recorded->deposit == Balance(10'000));
  CHECK(recorded->block == BlockNumber(7));
  CHECK(recorded->time == TimestampMs(2'000));
  CHECK_FALSE(recorded->attestation.has_value());
  CHECK(f.latest(kOlga, "sim") == 0);
  CHECK(f.latest(kOlga, "other") == -1);
  CHECK(f.latest(kOtto, "sim") == -1);
  CHECK(f.held(kOlga) == Balance(10'000));
}

TEST_CASE("the deposit comes back once, to whom it was held of, and only for the owner") {
  Fixture f;
  const Balance before = f.free(kOlga);
  REQUIRE(f.call(kOlga, record_of("sim")) == "applied");
  CHECK(f.free(kOlga) == Balance(before.micro - 10'000));
  CHECK(f.call(kOtto, remove(0)) == "unknown_checkpoint");
  CHECK(f.call(kAda, remove(0)) == "unknown_checkpoint");
  REQUIRE(f.call(kOlga, remove(0)) == "applied");
  CHECK(f.free(kOlga) == before);
  CHECK(f.held(kOlga).is_zero());
  CHECK(f.call(kOlga, remove(0)) == "unknown_checkpoint");
  CHECK(f.free(kOlga) == before);
}

TEST_CASE("an index is never used again") {
  Fixture f;
  REQUIRE(f.call(kOlga, record_of("sim")) == "applied");
  REQUIRE(f.call(kOlga, remove(0)) == "applied");
  REQUIRE(f.call(kOlga, record_of("sim")) == "applied");
  CHECK_FALSE(f.checkpoint(kOlga, 0).has_value());
  CHECK(f.latest(kOlga, "sim") == 1);
}

TEST_CASE("latest falls back to the newest that is left") {
  Fixture f;
  for (int i = 0; i < 4; ++i) REQUIRE(f.call(kOlga, record_of("sim")) == "applied");
  REQUIRE(f.call(kOlga, record_of("other")) == "applied");
  CHECK(f.latest(kOlga, "sim") == 3);
  REQUIRE(f.call(kOlga, remove(1)) == "applied");  // from the middle
  CHECK(f.latest(kOlga, "sim") == 3);
  CHECK(f.checkpoint(kOlga, 2)->older == at(0));
  CHECK(f.checkpoint(kOlga, 0)->newer == at(2));
  REQUIRE(f.call(kOlga, remove(3)) == "applied");  // the newest
  CHECK(f.latest(kOlga, "sim") == 2);
  CHECK_FALSE(f.checkpoint(kOlga, 2)->newer.has_value());
  REQUIRE(f.call(kOlga, remove(0)) == "applied");  // the oldest
  CHECK_FALSE(f.checkpoint(kOlga, 2)->older.has_value());
  REQUIRE(f.call(kOlga, remove(2)) == "applied");  // the last
  CHECK(f.latest(kOlga, "sim") == -1);
  CHECK(f.latest(kOlga, "other") == 4);
  REQUIRE(f.call(kOlga, record_of("sim")) == "applied");
  CHECK_FALSE(f.checkpoint(kOlga, 5)->older.has_value());
}

TEST_CASE("a parent is a live checkpoint of the same owner") {
  Fixture f;
  RecordCheckpoint child = record_of("branch");
  child.parent = CheckpointIndex(0);
  CHECK(f.call(kOlga, child) == "unknown_parent");
  REQUIRE(f.call(kOlga, record_of("sim")) == "applied");
  CHECK(f.call(kOtto, child) == "unknown_parent");
  REQUIRE(f.call(kOlga, child) == "applied");
  REQUIRE(f.call(kOlga, remove(0)) == "applied");
  CHECK(f.checkpoint(kOlga, 1)->parent == at(0));  // says what it went on from, for good
  CHECK(f.call(kOlga, child) == "unknown_parent");
}

TEST_CASE("labels have 1 to 64 printable characters") {
  Fixture f;
  CHECK(f.call(kOlga, record_of("")) == "bad_label");
  CHECK(f.call(kOlga, record_of(std::string(65, 'a'))) == "bad_label");
  CHECK(f.call(kOlga, record_of(std::string(100'000, 'a'))) == "bad_label");
  CHECK(f.call(kOlga, record_of("two words")) == "bad_label");
  CHECK(f.call(kOlga, record_of("line\n")) == "bad_label");
  CHECK(f.call(kOlga, record_of("größe")) == "bad_label");
  CHECK(f.call(kOlga, record_of(std::string("nul\0", 4))) == "bad_label");
  CHECK(f.call(kOlga, record_of(std::string(64, '~'))) == "applied");
  CHECK(f.call(kOlga, record_of("!")) == "applied");
}

TEST_CASE("a content id has the form of its store") {
  Fixture f;
  RecordCheckpoint call = record_of("sim");
  const std::string raw = call.content_id;
  const std::string dag = "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n";
  const std::string transaction(43, 'A');
  const auto record = [&](StoreKind store, const std::string& id) {
    call.store = store;
    call.content_id = id;
    return f.call(kOlga, call);
  };
  CHECK(record(StoreKind::directory, "") == "bad_content_id");
  CHECK(record(StoreKind::directory, std::string(100'000, 'b')) == "bad_content_id");
  CHECK(record(StoreKind::directory, dag) == "bad_content_id");
  CHECK(record(StoreKind::arweave, raw) == "bad_content_id");
  CHECK(record(StoreKind::ipfs, transaction) == "bad_content_id");
  CHECK(record(StoreKind::filecoin, transaction) == "bad_content_id");
  CHECK(record(StoreKind::directory, raw) == "applied");
  CHECK(record(StoreKind::arweave, transaction) == "applied");
  CHECK(record(StoreKind::ipfs, dag) == "applied");
  CHECK(record(StoreKind::filecoin, raw) == "applied");
}

TEST_CASE("an account has 1024 live checkpoints, and room again when one goes") {
  Fixture f({.endowment = Balance(100 * kCredit.micro)});
  for (std::size_t i = 0; i < kMaxCheckpoints; ++i) {
    // The invariants would be checked over all of them after each call.
    f.settle_state();
    REQUIRE(f.call(kOlga, record_of("sim" + std::to_string(i % 3))) == "applied");
  }
  CHECK(f.held(kOlga) == Balance(10'240'000));
  CHECK(f.call(kOlga, record_of("sim")) == "too_many_checkpoints");
  CHECK(f.call(kOtto, record_of("sim")) == "applied");
  REQUIRE(f.call(kOlga, remove(512)) == "applied");
  REQUIRE(f.call(kOlga, record_of("sim")) == "applied");
  CHECK(f.call(kOlga, record_of("sim")) == "too_many_checkpoints");
  CHECK(f.latest(kOlga, "sim") == 1'024);
}

TEST_CASE("without the deposit nothing is recorded") {
  Fixture f({.endowment = Balance(10'009)});  // a deposit, and not all of the existential deposit
  CHECK(f.call(kOlga, record_of("sim")) == "credits");
  CHECK(f.latest(kOlga, "sim") == -1);
  Fixture enough({.endowment = Balance(10'010)});
  CHECK(enough.call(kOlga, record_of("sim")) == "applied");
  CHECK(enough.call(kOlga, record_of("sim")) == "credits");
}

TEST_CASE("attesters of the genesis say what they know, and only go forward") {
  Fixture f;
  REQUIRE(f.call(kOlga, record_of("sim")) == "applied");
  CHECK(f.call(kOlga, attest(kOlga, 0, Availability::available)) == "not_an_attester");
  CHECK(f.call(kAda, attest(kOlga, 1, Availability::available)) == "unknown_checkpoint");
  CHECK(f.call(kAda, attest(kOtto, 0, Availability::available)) == "unknown_checkpoint");
  REQUIRE(f.call(kAda, attest(kOlga, 0, Availability::submitted)) == "applied");
  REQUIRE(f.call(kAda, attest(kOlga, 0, Availability::available)) == "applied");
  CHECK(f.call(kAda, attest(kOlga, 0, Availability::available)) == "not_a_step_forward");
  CHECK(f.call(kAda, attest(kOlga, 0, Availability::confirmed)) == "not_a_step_forward");
  const auto said = f.checkpoint(kOlga, 0)->attestation;
  REQUIRE(said.has_value());
  CHECK(*said == Attestation{Availability::available, kAda, BlockNumber(7), TimestampMs(2'000)});
  // It changes neither the deposit nor who may remove.
  CHECK(f.call(kAda, remove(0)) == "unknown_checkpoint");
  REQUIRE(f.call(kOlga, remove(0)) == "applied");
  CHECK(f.held(kOlga).is_zero());
}

TEST_CASE("the first reason in the list of errors is the one that is told") {
  Fixture f({.config = {.deposit = Balance(10'000), .checkpoints_max = 0}});
  RecordCheckpoint call = record_of("");
  call.content_id = "x";
  call.parent = CheckpointIndex(9);
  CHECK(f.call(kOlga, call) == "bad_label");
  call.label = "sim";
  CHECK(f.call(kOlga, call) == "bad_content_id");
  call.content_id = raw_cid(Bytes{1}).to_text();
  CHECK(f.call(kOlga, call) == "unknown_parent");
  call.parent.reset();
  CHECK(f.call(kOlga, call) == "too_many_checkpoints");
  CHECK(f.call(kOlga, attest(kOlga, 0, Availability::submitted)) == "not_an_attester");
}

}  // namespace
}  // namespace tally::storage_registry
