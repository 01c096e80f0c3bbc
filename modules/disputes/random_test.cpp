// Random calls by everybody at random moments. The fixture checks every invariant after every call
// and block; here: whatever happened, every dispute ends by itself, everything bound is free again,
// and nobody's money moved but that of who signed for it.
#include <set>

#include "modules/disputes/fixture_test.hpp"

namespace tally::disputes {
namespace {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::size_t below(std::size_t bound) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>(state_ >> 33) % bound;
  }

 private:
  std::uint64_t state_;
};

class Crowd {
 public:
  explicit Crowd(std::uint64_t seed) : random_(seed), world_(options()) {}

  void run() {
    const Wealth wealth(world_.chain, kVerifiers);
    for (int i = 0; i < 400; ++i) act();
    world_.chain.block.period_stretch = PeriodStretch(1'000);
    for (int i = 0; i < 600; ++i) world_.chain.next_block(DurationMs(5'000));
    const std::uint64_t disputes = kNext.get(world_.chain.state()).value;
    for (std::uint64_t n = 0; n < disputes; ++n) {
      CHECK(world_.phase(DisputeNumber(n)) == Phase::ended);
    }
    CHECK(kHeld.get(world_.chain.state()).is_zero());
    for (const auto& [account, before] : wealth.before) {
      CHECK(world_.chain.worker(account).frozen.is_zero());
      if (signed_.count(account) == 0) CHECK(wealth.gain(account) == 0);
    }
  }

 private:
  static constexpr std::size_t kVerifiers = 16;
  static WorldOptions options() {
    WorldOptions out;
    out.verifiers = kVerifiers;
    out.config.seats_appeal = 5;
    out.config.deadlines_max = 2;
    out.config.draws_max = 1;
    return out;
  }

  AccountId somebody() {
    const std::size_t who = random_.below(kVerifiers + 4);
    if (who < kVerifiers) return account_of(verifier_name(who));
    return who == kVerifiers       ? world_.alice
           : who == kVerifiers + 1 ? world_.wendy
           : who == kVerifiers + 2 ? world_.eve
                                   : world_.bob;
  }
  DisputeNumber some_dispute() {
    return DisputeNumber(random_.below(kNext.get(world_.chain.state()).value + 1));
  }
  // Somebody whom the dispute waits for, mostly.
  AccountId somebody_in(DisputeNumber number) {
    const auto dispute = world_.chain.dispute(number);
    if (!dispute || dispute->seats.empty() || random_.below(8) == 0) return somebody();
    return dispute->seats[random_.below(dispute->seats.size())].verifier;
  }
  Vote some_vote() {
    switch (random_.below(5)) {
      case 0:
        return UnavailableVote{};
      case 1:
        return vote_for("wrong");
      case 2:
        return vote_for("odd");
      default:
        return vote_for("right");
    }
  }

  void call(const AccountId& who, const Call& call) {
    if (world_.chain.call(who, call).ok()) signed_.insert(who);
  }

  void act() {
    const DisputeNumber number = some_dispute();
    const AccountId who = somebody_in(number);
    switch (random_.below(16)) {
      case 0: {
        Challenge challenge =
            world_.challenge_of(world_.receipt(random_.below(2) ? "right" : "wrong"));
        if (random_.below(2) == 0) challenge = World::hosted(challenge);
        signed_.insert(world_.wendy);  // the receipt
        return call(random_.below(8) == 0 ? somebody() : world_.alice, challenge);
      }
      case 1:
      case 2:
      case 3:
        return call(who, Accept{number});
      case 4:
      case 5:
      case 6: {
        const Vote vote = some_vote();
        votes_[{number.value, who}] = vote;
        return call(who, Commit{number, commitment_of({number, who, vote, World::salt_of(who)})});
      }
      case 7:
      case 8:
      case 9:
      case 10: {
        const auto vote = votes_.find({number.value, who});
        if (vote == votes_.end()) return;
        return call(who, Reveal{number, vote->second, World::salt_of(who)});
      }
      case 11:
        return call(random_.below(2) == 0 ? world_.alice : world_.wendy, AppealCall{number});
      case 12:
        world_.chain.block.period_stretch =
            PeriodStretch(static_cast<std::uint32_t>(1'000 + random_.below(3'001)));
        return;
      default:
        return world_.chain.next_block(DurationMs(100 + random_.below(3'000)));
    }
  }

  Random random_;
  World world_;
  std::set<AccountId> signed_;
  std::map<std::pair<std::uint64_t, AccountId>, Vote> votes_;
};

TEST_CASE("disputes: whatever everybody does, every dispute ends and every bond is free again") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    Crowd(seed).run();
  }
}

}  // namespace
}  // namespace tally::disputes
