// Where clients of a live chain begin to trust, with real processes: the chain is older than the
// trust period, so genesis is no beginning any more.
#include <chrono>

#include "tests/e2e/own_chain.hpp"

using namespace tally;
using namespace tally::tests;

namespace {

void make_old_and_live(Json& spec) {
  constexpr std::uint64_t kTenDays = 10ull * 24 * 3'600'000;
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  spec["chain_type"] = "Live";
  spec["genesis_time"] = static_cast<std::uint64_t>(now.count()) - kTenDays;
  spec["consensus"]["unbonding"] = "7 d";
}

bool is_expired(const Answer& answer) {
  return answer.exit_code == 6 && answer.json["error"]["code"] == "trust_expired" &&
         answer.json["error"]["message"].get<std::string>().find("--trust-block NUMBER:HASH") !=
             std::string::npos;
}

// A phone needs a few kilobytes for the same, and proves what is not there too.
void verifies_on_a_phone(OwnChain& chain, BlockNumber head, const std::string& hash) {
  const std::string nobody = "0x" + std::string(64, '1');
  const std::string trusted = std::to_string(head.value) + ":" + hash;
  const Answer light =
      chain.tally_at(0, "phone", {"chain", "verify", "--from", trusted, "--channel", nobody});
  INFO(light.json.dump(2));
  REQUIRE(light.exit_code == 0);
  CHECK(light.json["from"] == hash);
  CHECK(light.json["finalized"]["number"] >= head.value);
  CHECK(light.json["channel"]["exists"] == false);
  CHECK(light.json["signatures"] >= 1);
  CHECK(light.json["received_bytes"] < 20'000);
  CHECK(light.json["nodes"][0]["error"].is_null());
  const Answer late = chain.tally_at(0, "phone", {"chain", "verify", "--from", "genesis"});
  CHECK(is_expired(late));
  CHECK(late.json["error"]["check"] == "trust_period");
  // What it knew is still there. Shown to fail where what came of "genesis" is kept all the same.
  CHECK(chain.tally_at(0, "phone", {"chain", "verify"}).exit_code == 0);
}

}  // namespace

TEST_CASE("a live chain older than the trust period: clients begin at a block that is trusted") {
  const KeyFolder keys;
  OwnChain chain({.downtime_views_min = 1'000,
                  .keys = {{0, keys.keys()}},
                  .validators = 1,
                  .edit = make_old_and_live});
  chain.cluster.set_identity(0, keys.options());
  chain.cluster.set_bootnodes(0, {});
  chain.cluster.start(0);
  REQUIRE(chain.cluster.reaches(0, 30));  // into the second epoch
  const auto status = [&](const std::string& wallet, const std::string& block) {
    std::vector<std::string> words{"chain", "status"};
    if (!block.empty()) words.insert(words.begin(), {"--trust-block", block});
    return chain.tally_at(0, wallet, words);
  };
  CHECK(is_expired(status("home", "")));

  const auto head = chain.cluster.client(0)->finalized();
  REQUIRE(head.ok());
  const std::string hash = to_hex_prefixed(head->hash);
  const Answer begun = status("home", std::to_string(head->number.value) + ":" + hash);
  INFO(begun.json.dump(2));
  REQUIRE(begun.exit_code == 0);
  CHECK(begun.json["finalized"]["number"] >= head->number.value);
  CHECK(status("home", "").exit_code == 0);  // it goes on from there
  CHECK(is_expired(status("stranger", "")));

  const Answer other = status("other", std::to_string(head->number.value + 1) + ":" + hash);
  CHECK(other.exit_code == 2);
  CHECK(status("other", "0x" + std::string(64, '1')).exit_code == 5);
  CHECK(status("other", "yesterday").exit_code == 2);

  verifies_on_a_phone(chain, head->number, hash);

  // A worker as well, by its configuration.
  const auto worker = [&](const std::string& block) {
    const std::string config = chain.path("worker.toml");
    std::ofstream(config) << "base_path = \"" << chain.path("worker") << "\"\n"
                          << "listen = \"127.0.0.1:0\"\nnode = \"" << chain.node_address(0)
                          << "\"\nchain = \"" << chain.spec_file() << "\"\ntrust_block = \""
                          << block << "\"\ngpu = false\n[account]\ndev_account = \"Ferdie\"\n";
    return std::make_unique<Process>(
        std::vector<std::string>{std::string(TALLY_BINARY_DIR) + "/bin/tally-worker", "--config",
                                 config},
        chain.path("worker" + std::to_string(chain.next_id()) + ".log"));
  };
  const auto refused = worker("");
  CHECK(refused->wait(kPatience) == 1);
  CHECK(refused->log().find("trust_block in a configuration") != std::string::npos);
  for (const std::string& block : {hash, std::string()}) {  // then it knows
    const auto taken = worker(block);
    const bool up = eventually(
        kPatience, [&] { return taken->log().find("takes tasks on") != std::string::npos; });
    INFO(taken->log());
    REQUIRE(up);
    taken->signal(SIGTERM);
    CHECK(taken->wait(kPatience) == 0);
  }
}
