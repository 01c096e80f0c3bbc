// What a person may get wrong when starting tallyd: each an exit code and words that name what was
// expected and what came.
#include <fstream>

#include "primitives/keystore/key_file.hpp"
#include "tests/e2e/cluster.hpp"

using namespace tally;
using namespace tally::tests;

namespace {

struct Attempt {
  TempFolder folder;

  std::string path(const std::string& name) const { return (folder.path() / name).string(); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
  }
  Ended run(std::vector<std::string> options) const {
    std::vector<std::string> command{kTallyd,      "--base-path", path("data"), "--port", "0",
                                     "--rpc-port", "0",           "--metrics",  "false"};
    command.insert(command.end(), options.begin(), options.end());
    return run_to_end(command, path("log"));
  }
};

bool says(const Ended& ended, const std::string& words) {
  return ended.output.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("a second process on one data folder is refused") {
  Cluster cluster;
  cluster.start(0);
  REQUIRE(cluster.client(0) != nullptr);
  const auto second = run_to_end(
      {kTallyd, "--chain", "local4", "--base-path", (cluster.folder().path() / "node0").string(),
       "--port", "0", "--rpc-port", "0", "--metrics", "false"},
      cluster.folder().path() / "second.log");
  INFO(second.output);
  CHECK(second.exit_code == 3);
  CHECK(says(second, "in use by process " + std::to_string(cluster.node(0).pid())));
  CHECK(cluster.node(0).running());
}

TEST_CASE("a corrupt config is refused with its line or its setting") {
  const Attempt attempt;
  const std::string file = attempt.path("tallyd.toml");
  const auto refused = [&](const std::string& toml, const std::string& words) {
    attempt.write("tallyd.toml", toml);
    const Ended ended = attempt.run({"--config", file});
    INFO(ended.output);
    CHECK(ended.exit_code == 2);
    CHECK(says(ended, file));
    CHECK(says(ended, words));
  };
  refused("[network]\nport = = 5\n", "line 2");
  refused("[network]\nprot = 5\n", "no setting 'network.prot'");
  refused("[network]\nport = 70000\n", "came '70000'");
  refused("[network]\nbootnodes = [\"x\"]\n", "came 'x'");
  refused("port = 5\n", "a section");
  const Ended absent = attempt.run({"--config", attempt.path("absent.toml")});
  CHECK(absent.exit_code == 2);
  CHECK(says(absent, "absent.toml"));
}

TEST_CASE("a corrupt chain spec is refused") {
  const Attempt attempt;
  attempt.write("spec.json", "{\"chain_id\": 5}");
  const Ended ended = attempt.run({"--chain", attempt.path("spec.json")});
  INFO(ended.output);
  CHECK(ended.exit_code == 2);
  CHECK(says(ended, "spec.json"));
  CHECK(says(ended, "expected"));
  const Ended absent = attempt.run({"--chain", "nowhere"});
  CHECK(absent.exit_code == 2);
  CHECK(says(absent, "came 'nowhere'"));
}

TEST_CASE("wrong options and keys are refused") {
  const Attempt attempt;
  CHECK(attempt.run({"--prot", "5"}).exit_code == 2);
  const Ended name = attempt.run({"--validator", "Alice"});
  CHECK(name.exit_code == 2);
  CHECK(says(name, "came 'Alice'"));
  const Ended no_password = attempt.run({"--validator-keys", attempt.path("keys")});
  CHECK(no_password.exit_code == 2);
  CHECK(says(no_password, "password"));
}

TEST_CASE("a corrupt validator key and a corrupt node key are refused") {
  const Attempt attempt;
  const auto keys = attempt.folder.path() / "keys";
  REQUIRE(keystore::create_validator_keys(keys, "secret", KeyCost::least()).ok());
  attempt.write("password", "secret\n");
  std::filesystem::permissions(attempt.path("password"), std::filesystem::perms::owner_read);
  const std::vector<std::string> options{"--validator-keys", keys.string(), "--password-file",
                                         attempt.path("password")};
  attempt.write("keys/vrf.json", "{}");
  const Ended key = attempt.run(options);
  INFO(key.output);
  CHECK(key.exit_code == 2);
  CHECK(says(key, "vrf.json"));

  std::filesystem::create_directories(attempt.path("data"));
  attempt.write("data/node.pem", "garbage");
  std::filesystem::permissions(
      attempt.path("data/node.pem"),
      std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const Ended node = attempt.run({});
  INFO(node.output);
  CHECK(node.exit_code == 2);
  CHECK(says(node, "node.pem"));
}

TEST_CASE("a data folder of another chain is refused and left alone") {
  Cluster cluster;
  cluster.start(0);
  REQUIRE(cluster.client(0) != nullptr);
  cluster.node(0).signal(SIGTERM);
  REQUIRE(cluster.node(0).wait(kPatience) == 0);
  const auto other = run_to_end(
      {kTallyd, "--chain", "dev", "--base-path", (cluster.folder().path() / "node0").string(),
       "--port", "0", "--rpc-port", "0", "--metrics", "false"},
      cluster.folder().path() / "other.log");
  INFO(other.output);
  CHECK(other.exit_code == 2);
  CHECK(says(other, "holds another chain"));
  cluster.start(0);
  CHECK(cluster.client(0) != nullptr);
}

TEST_CASE("a port that is taken is refused by its number") {
  Cluster cluster;
  cluster.start(0);
  REQUIRE(cluster.client(0) != nullptr);
  const Attempt attempt;
  const auto port = std::to_string(cluster.ports(0).peers);
  const auto second = run_to_end({kTallyd, "--chain", "local4", "--base-path", attempt.path("data"),
                                  "--port", port, "--rpc-port", "0", "--metrics", "false"},
                                 attempt.path("log"));
  CHECK(second.exit_code == 1);
  CHECK(says(second, port));
}

TEST_CASE("after the validators broke the protocol a node does not start again by itself") {
  const Attempt attempt;
  std::filesystem::create_directories(attempt.path("data/evidence"));
  attempt.write("data/evidence/violation.scale", "proof");
  const Ended ended = attempt.run({});
  INFO(ended.output);
  CHECK(ended.exit_code == 70);
  CHECK(says(ended, "violation.scale"));
}
