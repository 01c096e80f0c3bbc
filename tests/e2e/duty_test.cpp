// Verifiers that lose power in the middle of their duty, and the loser's appeal, on real processes:
// four validators, the worker that is accused, and six verifiers.
#include "tests/e2e/own_chain.hpp"

using namespace tally;
using namespace tally::tests;

namespace {

constexpr std::size_t kVerifiers = 6;
constexpr std::uint64_t kStakeMicro = 150'000'000;
// Long enough to be interrupted.
constexpr const char* kTask = R"({"type": "prime_calculation", "lo": 0, "hi": 3000000000})";

// Windows that no slow machine misses: phases end when nobody is left to wait for.
void edit_disputes(Json& spec) {
  spec["consensus"]["epoch_length"] = 600;
  spec["disputes"]["accept_window"] = "100 s";
  spec["disputes"]["window"] = "100 s";
  spec["disputes"]["commit_max"] = "200 s";
  spec["disputes"]["pool_min"] = kVerifiers;
  spec["disputes"]["seats_appeal"] = 3;
}

class Court {
 public:
  Court() : ports_(free_ports(1 + kVerifiers)) {
    chain.cluster.start_validators();
    REQUIRE(chain.cluster.reaches(1, 1));
    names_ = {"Ferdie"};
    for (std::size_t i = 1; i <= kVerifiers; ++i) names_.push_back("Verifier" + std::to_string(i));
    for (std::size_t i = 1; i < names_.size(); ++i) {
      chain.done({"transfer", "--from", "//Alice", "--to", "//" + names_[i], "300CC"});
    }
    workers_.resize(names_.size());
    for (std::size_t i = 0; i < names_.size(); ++i) {
      std::filesystem::create_directories(chain.path(names_[i]));
      if (i > 0) std::filesystem::copy(chain.path("Ferdie/probe.json"), probe_of(i));
      start(i);
      if (i == 0) {
        REQUIRE(eventually(kPatience, [&] { return std::filesystem::exists(probe_of(0)); }));
      }
    }
    REQUIRE(eventually(2 * kPatience, [&] {
      return chain.done({"worker", "list"}).size() == names_.size();
    }));
  }

  void start(std::size_t i) {
    const std::string config = chain.path(names_[i] + ".toml");
    std::ofstream(config) << "base_path = \"" << chain.path(names_[i]) << "\"\n"
                          << "listen = \"127.0.0.1:" << ports_[i] << "\"\n"
                          << "node = \"127.0.0.1:" << chain.cluster.ports(i % 4).rpc << "\"\n"
                          << "chain = \"" << chain.spec_file() << "\"\n"
                          << "gpu = false\n[account]\ndev_account = \"" << names_[i] << "\"\n"
                          << "[registration]\nstake = \"150 CC\"\n[limits]\nthreads = 1\n";
    workers_[i] = std::make_unique<Process>(
        std::vector<std::string>{std::string(TALLY_BINARY_DIR) + "/bin/tally-worker", "--config",
                                 config},
        chain.path(names_[i] + ".log"));
  }
  void kill(std::size_t i) {
    workers_[i]->signal(SIGKILL);
    REQUIRE(workers_[i]->wait(kPatience) == 128 + SIGKILL);
  }

  // The receipt of a task that was done right.
  std::string receipt() {
    const Json done = chain.done({"task", "run", "--as", "//Eve", "--worker", "//Ferdie", "--to",
                                  "127.0.0.1:" + std::to_string(ports_[0]), "--deposit", "1CC",
                                  "--check", "0", kTask});
    return done["receipt_file"];
  }
  Json dispute() { return chain.done({"dispute", "show", "0"}); }
  bool in_phase(const std::string& phase) {
    return eventually(2 * kPatience, [&] { return dispute()["phase"] == phase; });
  }
  // By the numbers of the verifiers that were drawn in this round.
  std::vector<std::size_t> drawn(const std::string& round) {
    std::vector<std::size_t> out;
    const Json shown = dispute();
    for (const Json& seat : shown["seats"]) {
      if (seat["round"] == round) out.push_back(number_of(seat["verifier"]));
    }
    return out;
  }
  Json seat_of(std::size_t i) {
    const Json shown = dispute();
    for (const Json& seat : shown["seats"]) {
      if (number_of(seat["verifier"]) == i) return seat;
    }
    return {};
  }
  bool works_on_it(std::size_t i) const {
    return workers_[i]->log().find("doing the task again") != std::string::npos;
  }
  std::string log(std::size_t i) const { return workers_[i]->log(); }
  Json stake_of(std::size_t i) { return chain.done({"worker", "show", "//" + names_[i]})["stake"]; }

  OwnChain chain{{.downtime_views_min = 1'000, .keys = {}, .edit = edit_disputes}};

 private:
  std::string probe_of(std::size_t i) const { return chain.path(names_[i] + "/probe.json"); }
  std::size_t number_of(const Json& account) const {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (account == to_ss58(dev_key(KeyScheme::ecdsa, names_[i]).account())) return i;
    }
    return names_.size();
  }

  std::vector<std::uint16_t> ports_;
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<Process>> workers_;
};

}  // namespace

TEST_CASE("verifiers killed after acceptance and after commitment reveal, the loser appeals") {
  Court court;
  const std::string receipt = court.receipt();
  court.chain.done(
      {"dispute", "open", receipt, "--as", "//Eve", "--reason", "I doubt it", "--yes"});
  REQUIRE(court.in_phase("commit"));
  const auto drawn = court.drawn("first");
  REQUIRE(drawn.size() == 3);

  // One dies while it does the task again. Until it is back the phase cannot end.
  INFO(court.log(drawn[0]));
  REQUIRE(eventually(2 * kPatience, [&] { return court.works_on_it(drawn[0]); }));
  court.kill(drawn[0]);
  CHECK(court.seat_of(drawn[0])["state"] == "accepted");
  CHECK(court.seat_of(drawn[0])["commitment"].is_null());
  // Another one dies with its vote sealed on the chain.
  REQUIRE(
      eventually(2 * kPatience, [&] { return !court.seat_of(drawn[1])["commitment"].is_null(); }));
  court.kill(drawn[1]);
  CHECK(court.dispute()["phase"] == "commit");
  court.start(drawn[0]);
  REQUIRE(court.in_phase("reveal"));
  CHECK(court.seat_of(drawn[1])["vote"].is_null());
  court.start(drawn[1]);
  REQUIRE(court.in_phase("decided"));
  for (const std::size_t i : drawn) {
    CHECK(court.seat_of(i)["vote"]["kind"] == "Output");
    CHECK(court.seat_of(i)["state"] == "revealed");
  }
  CHECK(court.dispute()["verdict"]["outcome"] == "accepted");

  // Only the loser, who is the challenger.
  const Answer winner = court.chain.tally({"dispute", "appeal", "0", "--as", "//Ferdie"});
  CHECK(winner.exit_code == 4);
  CHECK(winner.json["error"]["code"] == "Disputes.not_the_loser");
  const Json asked = court.chain.done({"dispute", "appeal", "0", "--as", "//Eve"});
  CHECK(asked["dispute"]["phase"] == "awaiting_draw");
  REQUIRE(court.in_phase("ended"));

  const Json ended = court.dispute();
  CHECK(ended["verdict"]["outcome"] == "accepted");
  CHECK(ended["appeal"]["by"] == "challenger");
  CHECK(ended["appeal"]["bond"] == "36000000");
  CHECK(ended["draw"]["called"] == 3);
  CHECK(court.drawn("appeal").size() == 3);
  // 1 CC to each of six; 10 CC and 20 CC to the worker; 1 CC and 2 CC burned.
  CHECK(ended["payouts"]["fees"] == "6000000");
  CHECK(ended["payouts"]["award"] == "30000000");
  CHECK(ended["payouts"]["burned"] == "3000000");
  CHECK(ended["payouts"]["to_challenger"] == "15000000");
  CHECK(court.chain.done({"dispute", "verify-draw", "0"})["holds"] == true);
  for (std::size_t i = 1; i <= kVerifiers; ++i) {
    const Json stake = court.stake_of(i);
    CHECK(stake["bonded"] == std::to_string(kStakeMicro));
    CHECK(stake["frozen"] == "0");
    CHECK(court.seat_of(i)["state"] == "revealed");
  }
  const Answer again = court.chain.tally({"dispute", "appeal", "0", "--as", "//Eve"});
  CHECK(again.json["error"]["code"] == "Disputes.wrong_phase");
}
