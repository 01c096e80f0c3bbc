// Random calls of many people against a model that knows only the words of README.md: who has what
// bound, who may be named, and what a conviction takes.
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <map>

#include "modules/validators/fixture_test.hpp"

namespace tally::validators {
namespace {

struct ModelValidator {
  std::uint64_t bonded = 0;
  std::uint64_t leaving = 0;  // own, on its way out
  std::map<int, std::uint64_t> delegated;
  std::map<int, std::uint64_t> delegated_leaving;

  std::uint64_t stake() const {
    std::uint64_t sum = bonded;
    for (const auto& [who, amount] : delegated) sum += amount;
    return sum;
  }
};

// Amounts in CC. Nothing is withdrawn, and nobody is down.
struct Model {
  std::map<int, ModelValidator> validators;

  std::uint64_t bound_of(int who) const {
    std::uint64_t sum = 0;
    for (const auto& [validator, entry] : validators) {
      if (validator == who) sum += entry.bonded + entry.leaving;
      for (const auto* amounts : {&entry.delegated, &entry.delegated_leaving}) {
        const auto found = amounts->find(who);
        if (found != amounts->end()) sum += found->second;
      }
    }
    return sum;
  }
  std::vector<int> best(std::size_t count) const {
    std::vector<int> out;
    for (const auto& [who, entry] : validators) {
      if (entry.bonded >= 1'000) out.push_back(who);
    }
    std::stable_sort(out.begin(), out.end(), [&](int a, int b) {
      return validators.at(a).stake() > validators.at(b).stake();
    });
    if (out.size() > count) out.resize(count);
    return out;
  }
  std::size_t nameable() const { return best(validators.size()).size(); }
};

constexpr int kPeople = 9;

class Run {
 public:
  void step() {
    const int who = *rc::gen::inRange(1, kPeople + 1);
    const int other = *rc::gen::inRange(1, kPeople + 1);
    const auto amount = *rc::gen::element<std::uint64_t>(5, 10, 15, 400, 1'000, 1'400);
    switch (*rc::gen::inRange(0, 8)) {
      case 0:
        return bond(who, amount);
      case 1:
        return bond_more(who, amount);
      case 2:
        return unbond(who, amount);
      case 3:
        return delegate(who, other, amount);
      case 4:
        return undelegate(who, other, amount);
      case 5:
        return report(who);
      default:
        return next_block();
    }
  }
  void compare() const {
    for (int who = 1; who <= kPeople; ++who) RC_ASSERT(f_.held(who) == cc(model_.bound_of(who)));
  }

 private:
  ModelValidator* find(int who) {
    const auto found = model_.validators.find(who);
    return found == model_.validators.end() ? nullptr : &found->second;
  }

  void bond(int who, std::uint64_t amount) {
    const bool may = find(who) == nullptr && amount >= 1'000;
    // A convicted validator's keys are spent: it comes with others.
    RC_ASSERT(f_.call(who, Bond{f_.keys_with(who, keys_of(key_of(who))), {cc(amount)}}).ok() ==
              may);
    if (!may) return;
    model_.validators[who].bonded = amount;
    registered_[who] = f_.epoch().value;
  }
  void bond_more(int who, std::uint64_t amount) {
    ModelValidator* entry = find(who);
    const bool may = entry != nullptr && entry->bonded + amount >= 1'000;
    RC_ASSERT(f_.call(who, BondMore{{cc(amount)}}).ok() == may);
    if (may) entry->bonded += amount;
  }
  void unbond(int who, std::uint64_t amount) {
    ModelValidator* entry = find(who);
    bool may = entry != nullptr && amount <= entry->bonded;
    const std::uint64_t stays = may ? entry->bonded - amount : 0;
    may = may && (stays >= 1'000 || (stays == 0 && model_.nameable() > 1));
    const auto result = f_.call(who, Unbond{{cc(amount)}});
    if (refused(result, Error::too_many_unbonding)) return;
    RC_ASSERT(result.ok() == may);
    if (!may) return;
    entry->bonded = stays;
    entry->leaving += amount;
  }
  void delegate(int who, int validator, std::uint64_t amount) {
    ModelValidator* entry = find(validator);
    const bool may = entry != nullptr && who != validator && entry->bonded > 0 &&
                     entry->delegated[who] + amount >= 10;
    RC_ASSERT(f_.call(who, Delegate{person(validator), {cc(amount)}}).ok() == may);
    if (may) entry->delegated[who] += amount;
  }
  void undelegate(int who, int validator, std::uint64_t amount) {
    ModelValidator* entry = find(validator);
    bool may = entry != nullptr && amount <= entry->delegated[who];
    const std::uint64_t stays = may ? entry->delegated[who] - amount : 0;
    may = may && (stays == 0 || stays >= 10);
    const auto result = f_.call(who, Undelegate{person(validator), {cc(amount)}});
    if (refused(result, Error::too_many_unbonding)) return;
    RC_ASSERT(result.ok() == may);
    if (!may) return;
    entry->delegated[who] = stays;
    entry->delegated_leaving[who] += amount;
  }
  // Somebody of this epoch's set signed twice in a new view. It is convicted if it has bonded
  // before this epoch, or at genesis, and has not been convicted since.
  void report(int reporter) {
    const ValidatorSet set = validator_set(f_.state());
    const auto index = static_cast<std::uint16_t>(*rc::gen::inRange<std::size_t>(0, set.size()));
    const int who = set.members[index].account.bytes[0];
    const bool may = find(who) != nullptr && registered_[who] < f_.epoch().value;
    const Evidence evidence =
        f_.evidence(signer_of(set.members[index]), index, f_.epoch().value, ++view_);
    const std::uint64_t own = may ? find(who)->bonded + find(who)->leaving : 0;
    const Balance issued = f_.issuance();
    const std::uint64_t bound = total();
    RC_ASSERT(f_.call(reporter, ReportEquivocation{evidence}).ok() == may);
    if (!may) return;
    model_.validators.erase(who);
    ++convictions_[who];
    const Balance burned(issued.micro - f_.issuance().micro);
    RC_ASSERT(burned.micro + cc(own).micro / 10 == cc(bound - total()).micro);
  }
  void next_block() {
    const Epoch epoch = f_.epoch();
    const std::vector<int> best = model_.best(4);
    const auto named = f_.next_block();
    if (!named) return;
    if (!best.empty()) {
      RC_ASSERT(f_.people_of(*named) == best);
    } else {
      RC_ASSERT(*named == *set_of(f_.state(), epoch.next()));
    }
  }

  std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (int who = 1; who <= kPeople; ++who) sum += model_.bound_of(who);
    return sum;
  }
  // Every bond of a person has keys of its own.
  int key_of(int who) { return who + 20 * convictions_[who]; }
  int signer_of(const Validator& member) const {
    for (int key = 1; key < 250; ++key) {
      if (ed25519_public(keys_of(key).consensus) == member.consensus_key) return key;
    }
    throw std::logic_error("nobody's key");
  }

  Fixture f_{{.validators = 3, .epoch_length = 3, .people = kPeople, .bond = 1'400}};
  Model model_{{{1, {1'400, 0, {}, {}}}, {2, {1'400, 0, {}, {}}}, {3, {1'400, 0, {}, {}}}}};
  std::map<int, int> convictions_;
  std::map<int, std::uint64_t> registered_{{1, 0}, {2, 0}, {3, 0}};
  std::uint64_t view_ = 0;
};

TEST_CASE("whatever people call, what is bound is what the words say") {
  CHECK(rc::check([] {
    Run run;
    for (int i = 0; i < 60; ++i) {
      run.step();
      run.compare();
    }
  }));
}

}  // namespace
}  // namespace tally::validators
