// A chain of a spec of its own, with epochs of a few seconds unless a test says otherwise, on real
// processes, and the command line that asks about it.
#pragma once

#include <fstream>

#include "primitives/ss58.hpp"
#include "tests/e2e/answer.hpp"
#include "tests/e2e/cluster.hpp"

namespace tally::tests {

struct ChainRules {
  // Few blocks judge an absence by chance; where a test does not mean to, nobody is judged.
  std::uint32_t downtime_views_min = 1'000;
  // Keys of validators by their place, instead of development keys.
  std::map<std::size_t, keystore::ValidatorKeys> keys;
  std::size_t validators = 4;
  // What else differs from local4, in the chain spec's JSON.
  std::function<void(Json&)> edit;
};

// A validator's keys in a folder, with their password beside them.
class KeyFolder {
 public:
  KeyFolder() {
    constexpr const char* kPassword = "of a validator";
    const auto made = keystore::create_validator_keys(keys_path(), kPassword, KeyCost::least());
    REQUIRE(made.ok());
    keys_ = *made;
    std::ofstream(password_path()) << kPassword << "\n";
    using std::filesystem::perms;
    std::filesystem::permissions(password_path(), perms::owner_read | perms::owner_write);
  }
  const keystore::ValidatorKeys& keys() const { return keys_; }
  // For tallyd.
  std::vector<std::string> options() const {
    return {"--validator-keys", keys_path().string(), "--password-file", password_path().string()};
  }

 private:
  std::filesystem::path keys_path() const { return folder_.path() / "keys"; }
  std::filesystem::path password_path() const { return folder_.path() / "password"; }

  TempFolder folder_;
  keystore::ValidatorKeys keys_;
};

class OwnChain {
 public:
  explicit OwnChain(const ChainRules& rules = {})
      : chain_(write_chain(rules)),
        cluster((specs_.path() / "chain.json").string(), *genesis::parse_chain_spec(chain_)) {}

  std::string spec_file() const { return (specs_.path() / "chain.json").string(); }
  std::string path(const std::string& name) const {
    return (cluster.folder().path() / name).string();
  }

  std::string node_address(std::size_t node) const {
    return "127.0.0.1:" + std::to_string(cluster.ports(node).rpc);
  }
  // Another with each call: for names of files.
  int next_id() { return ++commands_; }

  // With a wallet folder of its own the command knows nothing of the chain but its genesis.
  std::vector<std::string> command(std::size_t node, const std::string& wallet,
                                   const std::vector<std::string>& words) const {
    std::vector<std::string> out{std::string(TALLY_BINARY_DIR) + "/bin/tally",
                                 "--json",
                                 "--chain",
                                 (specs_.path() / "chain.json").string(),
                                 "--node",
                                 node_address(node),
                                 "--wallet",
                                 path(wallet + "/wallet")};
    out.insert(out.end(), words.begin(), words.end());
    return out;
  }
  Answer tally_at(std::size_t node, const std::string& wallet,
                  const std::vector<std::string>& words) {
    const std::string log = path("tally" + std::to_string(next_id()) + ".log");
    return answer_of(run_to_end(command(node, wallet, words), log, kPatience));
  }
  Answer tally(const std::vector<std::string>& words) { return tally_at(1, "home", words); }
  // Of a command that must succeed.
  Json done(const std::vector<std::string>& words) {
    const Answer out = tally(words);
    INFO(out.json.dump(2));
    REQUIRE(out.exit_code == 0);
    return out.json;
  }

  // What `tally validator list` says of a development validator; null when it is not in it.
  Json validator(const std::string& name) {
    const std::string account = to_ss58(dev_key(KeyScheme::ecdsa, name).account());
    Answer listed;
    REQUIRE(eventually(kPatience, [&] {
      return (listed = tally({"validator", "list"})).exit_code == 0;
    }));
    for (const Json& one : listed.json["validators"]) {
      if (one["account"] == account) return one;
    }
    return {};
  }
  bool validates(const std::string& name) {
    const Json shown = validator(name);
    return !shown.is_null() && !shown["weight"].is_null();
  }
  // Blocks beyond those that there are.
  bool goes_on(std::size_t node, std::uint32_t blocks) {
    const auto client = cluster.client(node);
    const std::uint32_t from = Cluster::height(*client);
    return eventually(kPatience, [&] { return Cluster::height(*client) >= from + blocks; });
  }

 private:
  std::string write_chain(const ChainRules& rules) {
    const std::string file = (specs_.path() / "chain.json").string();
    std::vector<std::string> build{std::string(TALLY_BINARY_DIR) + "/bin/tally",
                                   "genesis",
                                   "build",
                                   "--base",
                                   "local4",
                                   "--chain-id",
                                   "tallystick-own",
                                   "--out",
                                   file};
    for (std::size_t i = 0; i < rules.validators && !rules.keys.empty(); ++i) {
      const auto own = rules.keys.find(i);
      const auto keys =
          own != rules.keys.end() ? own->second : *keystore::dev_validator_keys(dev_uri(i));
      build.insert(build.end(),
                   {"--validator", to_hex_prefixed(keys.consensus_key()) + ":" +
                                       to_hex_prefixed(keys.vrf_key()) + ":" + dev_uri(i)});
    }
    const Ended built = run_to_end(build, specs_.path() / "build.log");
    INFO(built.output);
    REQUIRE(built.exit_code == 0);
    Json json;
    std::ifstream(file) >> json;
    json["blocks"]["idle_interval"] = "200 ms";
    json["consensus"]["epoch_length"] = 24;
    json["consensus"]["validators_max"] = 5;
    json["consensus"]["delta"] = "600 ms";
    json["consensus"]["unbonding"] = "8 s";
    json["consensus"]["downtime_views_min"] = rules.downtime_views_min;
    json["workers"]["unbonding"] = "1 s";
    if (rules.edit) rules.edit(json);
    const std::string text = json.dump(2);
    std::ofstream(file, std::ios::trunc) << text;
    return text;
  }

  TempFolder specs_;
  std::string chain_;
  int commands_ = 0;

 public:
  Cluster cluster;
};

}  // namespace tally::tests
