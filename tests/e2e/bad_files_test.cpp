// Damaged files and wrong command lines for `tally` and `tally-worker`, on a network that runs:
// each is refused with an exit code and words, and neither the files nor the money change.
// The same for tallyd is in bad_input_test.cpp.
#include <fstream>
#include <sstream>

#include "tests/e2e/market.hpp"

using namespace tally;
using namespace tally::tests;

namespace {

namespace fs = std::filesystem;

struct Expected {
  int exit_code;
  std::string code;
  std::vector<std::string> words;
};

void check(const Answer& answer, const Expected& expected) {
  INFO(answer.json.dump(2));
  CHECK(answer.exit_code == expected.exit_code);
  REQUIRE(answer.json.contains("error"));
  CHECK(answer.json["error"]["code"] == expected.code);
  const std::string message = answer.json["error"]["message"];
  for (const std::string& word : expected.words) {
    INFO("expected: " << word);
    CHECK(message.find(word) != std::string::npos);
  }
}

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

}  // namespace

TEST_CASE("tally refuses wrong command lines and damaged files, and loses nothing") {
  Market market;
  const std::uint64_t alice = market.total("Alice");
  const auto genesis_of = [](const char* name) {
    return to_hex_prefixed(client::trust_root(*genesis::preset(name)).genesis_hash);
  };
  const auto expect = [&](const std::vector<std::string>& words, const Expected& expected) {
    check(market.tally(words), expected);
  };
  expect({"--chain", "dev", "account", "//Alice"},
         {6, "wrong_chain", {genesis_of("dev"), genesis_of("local4"), "--chain"}});
  expect({"--node", "127.0.0.1:1", "account", "//Alice"}, {3, "unreachable", {"127.0.0.1:1"}});
  expect({"transfer", "--from", "//Alice", "--to", "//Eve", "1.5"}, {2, "usage", {"1.5", "CC"}});
  expect({"transfer", "--from", "//Alice", "--to", "5Nobody", "1CC"}, {2, "usage", {"5Nobody"}});
  expect({"transfer", "--from", "//Alice", "--to", "//Eve", "1CC", "--tipp"},
         {2, "usage", {"--tipp"}});
  expect({"task", "run", "--as", "//Eve", "--worker", "//Ferdie", "{}"}, {2, "usage", {"type"}});
  expect({"channel", "show", "0x12"}, {2, "usage", {"0x12"}});
  expect({"transfer", "--from", "//Alice", "--to", "//Eve", "100000000CC"},
         {4, "Credits.insufficient_balance", {"failed in block", "fee of"}});
  CHECK(alice - market.total("Alice") < 10'000);  // that one fee

  // Keys: damaged, and closed with another password.
  write(market.path("password"), "secret\n");
  write(market.path("wrong"), "guess\n");
  const std::string password = market.path("password");
  REQUIRE(market.tally({"--password-file", password, "keys", "new", "me"}).exit_code == 0);
  const std::vector<std::string> pay{"transfer", "--from", "me", "--to", "//Eve", "1CC"};
  const auto with = [&](const std::string& file) {
    auto words = pay;
    words.insert(words.begin(), {"--password-file", market.path(file)});
    return words;
  };
  expect(with("wrong"), {7, "keys", {"password"}});
  expect(with("absent"), {7, "keys", {"absent"}});
  expect(with("password"), {4, "cannot_pay", {"0 CC free"}});
  const fs::path key_file = fs::path(market.path("wallet")) / "me.json";
  const std::string good_key = read(key_file);
  write(key_file, good_key.substr(0, good_key.size() / 2));
  expect(with("password"), {7, "keys", {key_file.string()}});
  write(key_file, "garbage");
  expect(with("password"), {7, "keys", {key_file.string()}});
  write(key_file, good_key);
  expect(with("password"), {4, "cannot_pay", {}});

  // Chain specs.
  write(market.path("spec.json"), R"({"chain_id": 5})");
  expect({"--chain", market.path("spec.json"), "genesis", "show"},
         {2, "bad_chain_spec", {"spec.json", "expected"}});
  write(market.path("spec.json"), "garbage");
  expect({"--chain", market.path("spec.json"), "chain", "status"},
         {2, "bad_chain_spec", {"spec.json"}});
  expect({"--chain", "nowhere", "chain", "status"}, {2, "usage", {"nowhere", "local4"}});
}

TEST_CASE("a damaged journal and a second process on one journal are refused, nothing is lost") {
  Market market;
  const Answer first = market.tally(market.task(kSmallTask));
  INFO(first.json.dump(2));
  REQUIRE(first.exit_code == 0);
  const std::string id = first.json["channel_id"];
  const fs::path journal = fs::directory_iterator(market.path("channels"))->path() / "journal";

  const std::string good = read(journal);
  std::string damaged = good;
  damaged[damaged.size() / 2] ^= 1;
  write(journal, damaged);
  check(market.tally(market.task(kSmallTask)),
        {1, "channel", {journal.parent_path().string(), "damaged at byte", "backup"}});
  CHECK(read(journal) == damaged);
  write(journal, good);

  {
    const std::string log = market.path("serve.log");
    Process other(market.command({"channel", "serve", "--as", "//Eve", "--listen", "127.0.0.1:0"}),
                  log);
    REQUIRE(eventually(kPatience,
                       [&] { return other.log().find("takes payments") != std::string::npos; }));
    check(market.tally(market.task(kSmallTask)),
          {1, "channel", {journal.parent_path().string(), "another process"}});
    other.signal(SIGINT);
    CHECK(other.wait(kPatience) == 0);
  }

  const Answer next = market.tally(market.task(kSmallTask));
  INFO(next.json.dump(2));
  REQUIRE(next.exit_code == 0);
  CHECK(next.json["channel_id"] == id);
  CHECK(next.json["last_state"]["receipts_count"] == 2);
}

TEST_CASE("tally-worker refuses damaged files, another chain and a folder in use") {
  Market market;
  const auto start = [&](std::vector<std::string> options) {
    options.insert(options.begin(), kBinaries + "tally-worker");
    if (std::find(options.begin(), options.end(), "--base-path") == options.end()) {
      options.insert(options.end(), {"--base-path", market.path("other")});
    }
    options.insert(options.end(), {"--listen", "127.0.0.1:0", "--node", market.rpc(1)});
    return run_to_end(options, market.path("refused" + std::to_string(market.next_id()) + ".log"),
                      kPatience);
  };
  const auto refused = [](const Ended& ended, int exit_code, std::vector<std::string> words) {
    INFO(ended.output);
    CHECK(ended.exit_code == exit_code);
    for (const std::string& word : words) {
      INFO("expected: " << word);
      CHECK(ended.output.find(word) != std::string::npos);
    }
  };
  const std::string config = market.path("worker.toml");
  write(config, "listen = = 5\n");
  refused(start({"--config", config}), 2, {config + ":1"});
  write(config, "\nlistne = \"127.0.0.1:1\"\n");
  refused(start({"--config", config}), 2, {config, "2", "unknown key 'listne'"});
  write(config, "[prices]\nprime_calculation = \"free\"\n");
  refused(start({"--config", config}), 2, {"prime_calculation", "free"});
  refused(start({"--config", market.path("absent.toml")}), 2, {"absent.toml"});
  refused(start({"--lisen", "x"}), 2, {"--lisen"});
  refused(start({}), 1, {"account.key_file"});

  write(market.path("key.json"), "garbage");
  write(market.path("password"), "secret\n");
  refused(
      start({"--key-file", market.path("key.json"), "--password-file", market.path("password")}), 1,
      {"key.json"});
  write(market.path("spec.json"), "garbage");
  refused(start({"--dev-account", "Bob", "--chain", market.path("spec.json")}), 1, {"spec.json"});
  refused(start({"--dev-account", "Bob", "--chain", "nowhere"}), 1, {"nowhere"});
  refused(start({"--dev-account", "Bob", "--chain", "dev"}), 1, {"local4", "genesis", "--chain"});
  refused(start({"--dev-account", "Ferdie", "--base-path", market.path("worker")}), 1,
          {"another process", "channels"});

  // The one that runs did not notice.
  CHECK(market.worker->running());
  CHECK(market.tally(market.task(kSmallTask)).exit_code == 0);
}
