// Each invariant is broken once by hand, and must be found.
#include <catch2/catch.hpp>

#include "modules/storage_registry/fixture_test.hpp"

namespace tally::storage_registry {
namespace {

// What the check says after `harm` to a state with Olga's 0 and 1 ("sim") and 2 ("other").
template <class Harm>
std::string after(Harm&& harm) {
  Fixture f;
  for (const char* label : {"sim", "sim", "other"}) {
    if (f.call(kOlga, record_of(label)) != "applied") throw std::logic_error("refused");
  }
  f.settle_state();
  harm(f.state());
  try {
    f.check();
  } catch (const std::logic_error& found) {
    return found.what();
  }
  return "holds";
}

Checkpoint read(Overlay& state, std::uint64_t index) {
  return *kCheckpoints.find(state, kOlga, CheckpointIndex(index));
}
void write(Overlay& state, std::uint64_t index, const Checkpoint& checkpoint) {
  kCheckpoints.put(state, kOlga, CheckpointIndex(index), checkpoint);
}

TEST_CASE("broken deposits are found") {
  CHECK(after([](Overlay&) {}) == "holds");
  CHECK(after([](Overlay& s) { kDeposits.put(s, Balance(1)); }) ==
        "Deposits is the sum of all deposits");
  CHECK(after([](Overlay& s) {
          Checkpoint c = read(s, 2);
          c.deposit = Balance(1);
          write(s, 2, c);
        }) == "what is recorded stays as it is");
  CHECK(after([](Overlay& s) {
          kCheckpoints.erase(s, kOlga, CheckpointIndex(2));
          kLatest.erase(s, kOlga, "other");
          Owner owner = kOwners.get(s, kOlga);
          owner.live.erase(owner.live.begin() + 2);
          kOwners.put(s, kOlga, owner);
        }) == "an account's deposits are what is held of it as storage deposit");
}

TEST_CASE("broken links and lists are found") {
  CHECK(after([](Overlay& s) { kLatest.put(s, kOlga, "sim", CheckpointIndex(0)); }) ==
        "latest is a live checkpoint of its label, and nothing is newer");
  CHECK(after([](Overlay& s) { kLatest.put(s, kOlga, "sim", CheckpointIndex(2)); }) ==
        "latest is a live checkpoint of its label, and nothing is newer");
  CHECK(after([](Overlay& s) { kLatest.erase(s, kOlga, "sim"); }) ==
        "latest goes with the last checkpoint of its label");
  CHECK(after([](Overlay& s) {
          Checkpoint c = read(s, 0);
          c.newer.reset();
          write(s, 0, c);
        }) == "latest is the checkpoint of its label that has no newer one");
  CHECK(after([](Overlay& s) {
          Checkpoint c = read(s, 1);
          c.older = CheckpointIndex(2);
          write(s, 1, c);
        }) == "an older neighbour is live, of the same label, and names its newer one");
  CHECK(after([](Overlay& s) {
          Checkpoint c = read(s, 0);
          c.newer = CheckpointIndex(2);
          write(s, 0, c);
        }) == "a newer neighbour is live, of the same label, and names its older one");
  CHECK(after([](Overlay& s) {
          Owner owner = kOwners.get(s, kOlga);
          owner.live.erase(owner.live.begin());
          kOwners.put(s, kOlga, owner);
        }) == "an owner's list counts its live checkpoints");
  CHECK(after([](Overlay& s) {
          Owner owner = kOwners.get(s, kOlga);
          owner.next = CheckpointIndex(1);
          kOwners.put(s, kOlga, owner);
        }) == "an owner's record stays, and its next index never falls");
}

TEST_CASE("an attestation that goes back is found") {
  const auto with = [](Availability availability) {
    return Attestation{availability, kAda, BlockNumber(1), TimestampMs(1)};
  };
  Fixture f;
  REQUIRE(f.call(kOlga, record_of("sim")) == "applied");
  REQUIRE(f.call(kAda, Attest{kOlga, CheckpointIndex(0), Availability::confirmed}) == "applied");
  f.settle_state();
  Checkpoint c = read(f.state(), 0);
  c.attestation = with(Availability::available);
  write(f.state(), 0, c);
  CHECK_NOTHROW(f.check());
  c.attestation = with(Availability::submitted);
  write(f.state(), 0, c);
  CHECK_THROWS_WITH(f.check(), "an attestation never goes back");
}

}  // namespace
}  // namespace tally::storage_registry
