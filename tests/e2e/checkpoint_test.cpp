// Checkpoints with real processes: a chain of one validator, `tally` on two machines (two wallet
// folders, so two caches) and a directory as the store. Looked at is only what `tally` prints and
// writes.
#include <fstream>

#include "primitives/crypto/hash.hpp"
#include "tests/e2e/answer.hpp"
#include "tests/e2e/cluster.hpp"

using namespace tally;
using namespace tally::tests;

namespace {

namespace fs = std::filesystem;

Bytes noise(std::size_t size, std::uint64_t seed) {
  Bytes out;
  while (out.size() < size) append(out, blake2_512(encode(std::pair(seed, out.size()))));
  out.resize(size);
  return out;
}

class Scene {
 public:
  Scene() : ports_(node_ports(1).front()) {
    node_ = std::make_unique<Process>(
        std::vector<std::string>{std::string(TALLY_BINARY_DIR) + "/bin/tallyd", "--chain", "dev",
                                 "--validator", "//Alice", "--base-path", path("node"), "--port",
                                 std::to_string(ports_.peers), "--rpc-port",
                                 std::to_string(ports_.rpc), "--metrics-port",
                                 std::to_string(ports_.metrics)},
        path("node.log"));
    const bool up = eventually(kPatience, [&] {
      return run({"chain", "status"}, "here").exit_code == 0;
    });
    INFO(node_->log());
    REQUIRE(up);
  }

  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  std::vector<std::string> command(const std::vector<std::string>& words,
                                   const std::string& machine) const {
    std::vector<std::string> out{std::string(TALLY_BINARY_DIR) + "/bin/tally",
                                 "--json",
                                 "--chain",
                                 "dev",
                                 "--node",
                                 "127.0.0.1:" + std::to_string(ports_.rpc),
                                 "--wallet",
                                 path(machine + "/wallet")};
    out.insert(out.end(), words.begin(), words.end());
    return out;
  }
  Answer run(const std::vector<std::string>& words, const std::string& machine) {
    return answer_of(run_to_end(command(words, machine), log(), kPatience));
  }
  // With the store's folder.
  Answer checkpoint(std::vector<std::string> words, const std::string& machine = "here") {
    words.insert(words.begin(), "checkpoint");
    words.insert(words.end(), {"--directory", path("store")});
    return run(words, machine);
  }
  std::vector<std::string> push(const std::string& file, const std::string& label) const {
    return {"push", path(file), "--label", label, "--as", "//Bob", "--store", "dir"};
  }
  std::string log() { return path("tally" + std::to_string(++logs_) + ".log"); }

  void write(const std::string& name, const Bytes& bytes) const {
    std::ofstream(path(name), std::ios::binary) << as_text(bytes);
  }
  Bytes read(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return Bytes(std::istreambuf_iterator<char>(file), {});
  }
  std::uint64_t reserved() {
    const auto answer = run({"account", "//Bob"}, "here");
    REQUIRE(answer.exit_code == 0);
    return std::stoull(answer.json["reserved"].get<std::string>());
  }
  std::size_t live() {
    const auto answer = run({"checkpoint", "list", "--of", "//Bob"}, "here");
    REQUIRE(answer.exit_code == 0);
    return answer.json["checkpoints"].size();
  }

 private:
  TempFolder folder_;
  NodePorts ports_;
  std::unique_ptr<Process> node_;
  int logs_ = 0;
};

void check_error(const Answer& answer, int exit_code, const std::string& code) {
  INFO(answer.json.dump(2));
  CHECK(answer.exit_code == exit_code);
  REQUIRE(answer.json.contains("error"));
  CHECK(answer.json["error"]["code"] == code);
}

}  // namespace

TEST_CASE("a state is pushed on one machine and pulled on another") {
  Scene scene;
  const Bytes states[] = {Bytes{}, noise(262'144, 1), Bytes(300'000, 7)};
  for (std::size_t i = 0; i < std::size(states); ++i) {
    scene.write("state.bin", states[i]);
    const auto pushed = scene.checkpoint(scene.push("state.bin", "sim"));
    INFO(pushed.json.dump(2));
    REQUIRE(pushed.exit_code == 0);
    CHECK(pushed.json["index"] == i);
    CHECK(pushed.json["size_bytes"] == states[i].size());
    CHECK(pushed.json["state_hash"] == to_hex_prefixed(sha256(states[i])));
    CHECK(pushed.json["was_recorded"] == false);
    const auto again = scene.checkpoint(scene.push("state.bin", "sim"));
    REQUIRE(again.exit_code == 0);
    CHECK(again.json["index"] == i);
    CHECK(again.json["was_recorded"] == true);
    CHECK(scene.reserved() == (i + 1) * 10'000);

    const std::vector<std::string> pull{
        "pull", "--of", "//Bob", "--label", "sim", "--output", scene.path("back.bin")};
    for (const char* source : {"store", "cache"}) {
      const auto pulled = scene.checkpoint(pull, "there");
      INFO(pulled.json.dump(2));
      REQUIRE(pulled.exit_code == 0);
      CHECK(pulled.json["source"] == source);
      CHECK(scene.read("back.bin") == states[i]);
    }
  }
  const auto first = scene.checkpoint(
      {"pull", "--of", "//Bob", "--id", "0", "--output", scene.path("first.bin")}, "there");
  CHECK(first.exit_code == 0);
  CHECK(scene.read("first.bin").empty());

  const auto shown = scene.checkpoint({"show", "--of", "//Bob", "--label", "sim"});
  INFO(shown.json.dump(2));
  REQUIRE(shown.exit_code == 0);
  CHECK(shown.json["older"] == 1);
  CHECK(shown.json["cached"] == true);
  CHECK(shown.json["in_store"]["presence"] == "deep");
  CHECK(shown.json["matched_ms"].is_number());

  CHECK(scene.checkpoint({"verify", "--of", "//Bob"}).json["checked"] == 3);
  const std::string id = shown.json["content_id"];
  scene.write("store/" + id, noise(100, 9));
  check_error(scene.checkpoint({"verify", "--of", "//Bob"}, "there"), 6, "store_mismatch");
  fs::remove(scene.path("store/" + id));
  check_error(scene.checkpoint({"verify", "--of", "//Bob", "--label", "sim"}, "there"), 5,
              "store_not_found");

  // Only the owner removes; the label's latest is then the one before.
  check_error(scene.run({"checkpoint", "remove", "--as", "//Eve", "--id", "2"}, "here"), 5,
              "checkpoint_not_found");
  const auto removed =
      scene.run({"checkpoint", "remove", "--as", "//Bob", "--label", "sim"}, "here");
  REQUIRE(removed.exit_code == 0);
  CHECK(removed.json["removed"]["index"] == 2);
  CHECK(scene.reserved() == 20'000);
  check_error(scene.run({"checkpoint", "remove", "--as", "//Bob", "--id", "2"}, "here"), 5,
              "checkpoint_not_found");
  const auto before = scene.checkpoint({"show", "--of", "//Bob", "--label", "sim"});
  CHECK(before.json["index"] == 1);
}

TEST_CASE("a push that is killed at any step goes on, and records once") {
  Scene scene;
  const char* const steps[] = {"packed", "uploaded", "came back", "recording", "recorded"};
  std::uint64_t seed = 100;
  std::size_t pushes = 0;
  for (const char* step : steps) {
    CAPTURE(step);
    scene.write("state.bin", noise(1 << 20, ++seed));
    std::vector<std::string> words = scene.push("state.bin", "sim");
    words.insert(words.begin(), "checkpoint");
    words.insert(words.end(), {"--directory", scene.path("store")});
    {
      Process killed(scene.command(words, "here"), scene.log());
      const bool there = eventually(kPatience, [&] {
        return !killed.running() || killed.log().find(step) != std::string::npos;
      });
      REQUIRE(there);
      killed.signal(SIGKILL);
      killed.wait(kPatience);
    }
    const auto pushed = scene.checkpoint(scene.push("state.bin", "sim"));
    INFO(pushed.json.dump(2));
    REQUIRE(pushed.exit_code == 0);
    ++pushes;
    CHECK(pushed.json["index"] == pushes - 1);
    CHECK(scene.live() == pushes);
    CHECK(scene.reserved() == pushes * 10'000);
  }
}

TEST_CASE("what cannot be pushed or found is said in words") {
  Scene scene;
  scene.write("state.bin", noise(10, 1));
  check_error(scene.checkpoint(scene.push("missing.bin", "sim")), 1, "file");
  check_error(scene.checkpoint(scene.push("state.bin", "two words")), 2, "checkpoint_invalid");
  const auto with = [&](std::vector<std::string> more) {
    auto words = scene.push("state.bin", "sim");
    words.insert(words.end(), more.begin(), more.end());
    return scene.checkpoint(words);
  };
  check_error(with({"--parent", "7"}), 4, "StorageRegistry.unknown_parent");
  check_error(scene.checkpoint({"show", "--of", "//Bob", "--id", "0"}), 5, "checkpoint_not_found");
  check_error(
      scene.checkpoint({"pull", "--of", "//Bob", "--label", "sim", "--output", scene.path("x")}), 5,
      "checkpoint_not_found");
  check_error(scene.checkpoint({"pull", "--of", "//Bob", "--output", scene.path("x")}), 2, "usage");
  CHECK_FALSE(fs::exists(scene.path("x")));
  CHECK(scene.live() == 0);
  CHECK(scene.reserved() == 0);
}
