// kill -9 at random moments under load: one validator, several, all, and again while they start.
// The chain must go on, with one hash a height everywhere, no evidence against anybody, and every
// µCC where its transfers put it. Judged by public interfaces alone.
//
//   TALLY_CHAOS_ROUNDS=200 TALLY_CHAOS_SEED=7 build/tests/tally_chaos_tests "kill -9*"
#include <cstdio>
#include <cstdlib>
#include <random>

#include "tests/chaos/load.hpp"
#include "tests/chaos/watch.hpp"

using namespace tally;
using namespace tally::tests;

namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class Campaign {
 public:
  explicit Campaign(std::uint64_t seed) : random_(seed), watch_(cluster_) {}

  void run(std::uint64_t rounds) {
    cluster_.start_validators();
    for (std::size_t i = 0; i < 4; ++i) REQUIRE(cluster_.reaches(i, 1));
    const std::uint64_t before = total("Ferdie");
    {
      Load load(cluster_, kSenders);
      for (std::uint64_t round = 1; round <= rounds; ++round) {
        one_round();
        const std::uint32_t height = judge();
        std::printf("round %llu: %zu kills so far, height %u, %llu transfers confirmed\n",
                    static_cast<unsigned long long>(round), kills_, height,
                    static_cast<unsigned long long>(load.confirmed()));
        std::fflush(stdout);
      }
      load.stop();
      CHECK(load.confirmed() > rounds);
    }
    judge_balances(before);
  }

 private:
  static inline const std::vector<std::string> kSenders = {"Alice", "Bob", "Charlie"};

  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  void let_pass(std::uint64_t at_most_ms) {
    std::this_thread::sleep_for(std::chrono::milliseconds(below(at_most_ms)));  // a random moment
  }

  void one_round() {
    std::vector<std::size_t> victims{0, 1, 2, 3};
    std::shuffle(victims.begin(), victims.end(), random_);
    const std::uint64_t draw = below(10);
    victims.resize(draw < 5 ? 1 : draw < 7 ? 2 : draw < 8 ? 3 : 4);
    let_pass(1'500);
    for (const std::size_t victim : victims) cluster_.node(victim).signal(SIGKILL);
    for (const std::size_t victim : victims) REQUIRE(cluster_.node(victim).wait(kPatience));
    kills_ += victims.size();
    let_pass(1'000);
    for (const std::size_t victim : victims) cluster_.start(victim);
    if (below(3) == 0) {  // and again while it starts
      let_pass(800);
      watch_.kill(victims[0]);
      ++kills_;
      cluster_.start(victims[0]);
    }
  }

  std::uint32_t judge() {
    for (std::size_t i = 0; i < 4; ++i) {
      const bool well = watch_.comes_to(i, "validating");
      INFO(watch_.status(i).dump(2) << cluster_.node(i).log());
      REQUIRE(well);
    }
    REQUIRE(watch_.goes_on(0, 2));
    REQUIRE_FALSE(watch_.any_evidence());
    for (std::size_t i = 0; i < 4; ++i) {  // all are honest
      const std::string log = cluster_.node(i).log();
      INFO(log);
      REQUIRE(log.find("peer dropped for what it sent") == std::string::npos);
    }
    return watch_.one_chain({0, 1, 2, 3});
  }

  std::uint64_t total(const std::string& name) {
    const auto account = cluster_.client(0)->account(dev_key(KeyScheme::ecdsa, name).account());
    REQUIRE(account.ok());
    return static_cast<std::uint64_t>(account->data.free.micro);
  }

  // What may still wait in a pool is let through first: then nonces and balances are of one block.
  void judge_balances(std::uint64_t before) {
    REQUIRE(eventually(kPatience, [&] {
      std::uint64_t sent = 0;
      for (const std::string& name : kSenders) {
        const auto account = cluster_.client(0)->account(dev_key(KeyScheme::ecdsa, name).account());
        if (account.ok()) sent += account->nonce.value;
      }
      return total("Ferdie") == before + sent * Load::kAmount;
    }));
    const Ended ended =
        run_to_end({std::string(TALLY_BINARY_DIR) + "/bin/tally", "--json", "--chain", "local4",
                    "--node", "127.0.0.1:" + std::to_string(cluster_.ports(0).rpc), "--wallet",
                    (cluster_.folder().path() / "wallet").string(), "chain", "accounts"},
                   cluster_.folder().path() / "accounts.log");
    const Answer answer = answer_of(ended);
    INFO(ended.output);
    REQUIRE(answer.exit_code == 0);
    CHECK(answer.json["complete"] == true);
    CHECK(answer.json["sum"] == answer.json["total_issuance"]);
  }

  std::mt19937_64 random_;
  Cluster cluster_;
  Watch watch_;
  std::size_t kills_ = 0;
};

}  // namespace

TEST_CASE("kill -9 at random under load: the chain goes on and nothing is lost") {
  const std::uint64_t rounds = number_from("TALLY_CHAOS_ROUNDS", 3);
  const std::uint64_t seed = number_from("TALLY_CHAOS_SEED", 1);
  std::printf("seed %llu, %llu rounds\n", static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(rounds));
  Campaign campaign(seed);
  campaign.run(rounds);
}
