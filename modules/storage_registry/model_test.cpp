// The module against a model of plain lists: random sequences of every call by three accounts.
// After each step both agree on whether it was refused, on every checkpoint, every label's latest
// and everybody's money. It fails when unlink() forgets a neighbour, when a deposit is given back
// to the caller instead of the owner, and when latest is erased while an older one lives.
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <array>
#include <map>
#include <set>

#include "modules/storage_registry/fixture_test.hpp"

namespace tally::storage_registry {
namespace {

constexpr int kAccounts = 3;
constexpr std::uint64_t kEach = 55'000;  // five deposits, and not a sixth
constexpr std::uint64_t kDeposit = 10'000;
constexpr std::uint32_t kLiveMax = 4;
const std::array<std::string, 3> kLabels{"a", "b", "a/b"};

AccountId account_of(int number) {
  return test_account(static_cast<std::uint8_t>(number + 1));
}

struct Kept {
  std::string label;
  std::uint8_t state = 0;
  std::optional<std::uint64_t> parent;
  int attested = -1;
};
struct Model {
  std::array<std::map<std::uint64_t, Kept>, kAccounts> live;
  std::array<std::uint64_t, kAccounts> next{};

  std::string record(int who, const Kept& kept) {
    if (kept.parent && !live[who].contains(*kept.parent)) return "unknown_parent";
    if (live[who].size() >= kLiveMax) return "too_many_checkpoints";
    if ((live[who].size() + 1) * kDeposit + 10 > kEach) return "credits";
    live[who][next[who]++] = kept;
    return "applied";
  }
  std::string remove(int who, std::uint64_t index) {
    return live[who].erase(index) == 1 ? "applied" : "unknown_checkpoint";
  }
  std::string attest(int by, int owner, std::uint64_t index, int availability) {
    if (account_of(by) != kAda) return "not_an_attester";
    const auto found = live[owner].find(index);
    if (found == live[owner].end()) return "unknown_checkpoint";
    if (found->second.attested >= availability) return "not_a_step_forward";
    found->second.attested = availability;
    return "applied";
  }
  std::int64_t latest(int who, const std::string& label) const {
    std::int64_t newest = -1;
    for (const auto& [index, kept] : live[who]) {
      if (kept.label == label) newest = static_cast<std::int64_t>(index);
    }
    return newest;
  }
};

void compare(const Model& model, Fixture& chain) {
  for (int who = 0; who < kAccounts; ++who) {
    const AccountId account = account_of(who);
    const auto& live = model.live[who];
    RC_ASSERT(chain.held(account) == Balance(live.size() * kDeposit));
    RC_ASSERT(chain.free(account) == Balance(kEach - live.size() * kDeposit));
    for (const std::string& label : kLabels) {
      RC_ASSERT(chain.latest(account, label) == model.latest(who, label));
    }
    for (std::uint64_t index = 0; index <= model.next[who]; ++index) {
      const auto found = chain.checkpoint(account, index);
      const auto kept = live.find(index);
      RC_ASSERT(found.has_value() == (kept != live.end()));
      if (!found) continue;
      RC_ASSERT(found->label == kept->second.label);
      RC_ASSERT(found->state_hash == hash_of(kept->second.state));
      const auto parent = found->parent ? std::optional(found->parent->value) : std::nullopt;
      RC_ASSERT(parent == kept->second.parent);
      const int attested =
          found->attestation ? static_cast<int>(found->attestation->availability) : -1;
      RC_ASSERT(attested == kept->second.attested);
    }
  }
}

TEST_CASE("random calls do what the model does") {
  const bool held = rc::check("every call, three accounts", [] {
    Fixture chain({.config = {.deposit = Balance(kDeposit), .checkpoints_max = kLiveMax},
                   .endowment = Balance(kEach)});
    Model model;
    const int steps = *rc::gen::inRange(1, 60);
    for (int i = 0; i < steps; ++i) {
      const int who = *rc::gen::inRange(0, kAccounts);
      const auto index = static_cast<std::uint64_t>(
          *rc::gen::inRange<int>(0, static_cast<int>(model.next[who]) + 2));
      switch (*rc::gen::inRange(0, 4)) {
        case 0:
        case 1: {
          Kept kept{*rc::gen::elementOf(kLabels), *rc::gen::arbitrary<std::uint8_t>(), {}, -1};
          if (*rc::gen::inRange(0, 4) == 0) kept.parent = index;
          RecordCheckpoint call = record_of(kept.label, kept.state);
          if (kept.parent) call.parent = CheckpointIndex(*kept.parent);
          RC_ASSERT(chain.call(account_of(who), call) == model.record(who, kept));
          break;
        }
        case 2:
          RC_ASSERT(chain.call(account_of(who), RemoveCheckpoint{CheckpointIndex(index)}) ==
                    model.remove(who, index));
          break;
        case 3: {
          const int owner = *rc::gen::inRange(0, kAccounts);
          const int availability = *rc::gen::inRange(0, 3);
          const Attest call{account_of(owner), CheckpointIndex(index),
                            static_cast<Availability>(availability)};
          RC_ASSERT(chain.call(account_of(who), call) ==
                    model.attest(who, owner, index, availability));
          break;
        }
      }
      compare(model, chain);
    }
  });
  CHECK(held);
}

}  // namespace
}  // namespace tally::storage_registry
