// How channels end when something is lost, with real processes: a party (//Eve) and the one that it
// pays (`tally channel serve`, //Bob), on four validators.
#include <stdlib.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/e2e/cluster.hpp"

using namespace tally;
using namespace tally::tests;

namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kCreditMicro = 1'000'000;

struct Answer {
  int exit_code = -1;
  Json json;
};

class Street {
 public:
  Street() : port_(free_ports(1).front()) {
    REQUIRE(setenv("TALLY_PASSWORD", "of the backup", 1) == 0);
    cluster.start_validators();
    REQUIRE(cluster.reaches(1, 1));
    serve();
  }
  ~Street() { unsetenv("TALLY_PASSWORD"); }

  std::string path(const std::string& name) const {
    return (cluster.folder().path() / name).string();
  }
  std::string to() const { return "127.0.0.1:" + std::to_string(port_); }

  void serve() {
    const std::string log = path("serve" + std::to_string(++runs_) + ".log");
    server_ = std::make_unique<Process>(
        command({"channel", "serve", "--as", "//Bob", "--folder", path("bob"), "--listen", to()}),
        log);
    REQUIRE(eventually(kPatience,
                       [&] { return server_->log().find("takes payments") != std::string::npos; }));
  }
  void stop_serving() {
    server_->signal(SIGINT);
    REQUIRE(server_->wait(kPatience) == 0);
  }

  std::vector<std::string> command(const std::vector<std::string>& words) const {
    std::vector<std::string> out{std::string(TALLY_BINARY_DIR) + "/bin/tally",
                                 "--json",
                                 "--chain",
                                 "local4",
                                 "--node",
                                 "127.0.0.1:" + std::to_string(cluster.ports(0).rpc),
                                 "--wallet",
                                 path("wallet")};
    out.insert(out.end(), words.begin(), words.end());
    return out;
  }
  Answer tally(const std::vector<std::string>& words) {
    const std::string log = path("tally" + std::to_string(++runs_) + ".log");
    const Ended ended = run_to_end(command(words), log, kPatience);
    INFO(ended.output);
    const auto at = ended.output.starts_with("{") ? 0 : ended.output.find("\n{");
    if (at == std::string::npos) return {ended.exit_code, {}};
    return {ended.exit_code, Json::parse(ended.output.substr(at), nullptr, false)};
  }

  std::string open(const std::string& period) {
    const Answer opened =
        tally({"channel", "open", "--as", "//Eve", "--with", "//Bob", "--period", period, "10CC"});
    INFO(opened.json.dump(2));
    REQUIRE(opened.exit_code == 0);
    return opened.json["channel_id"];
  }
  void pay(const std::string& id, const std::string& amount) {
    const Answer paid = tally({"channel", "pay", "--as", "//Eve", "--to", to(), id, amount});
    INFO(paid.json.dump(2));
    REQUIRE(paid.exit_code == 0);
  }
  Json on_chain(const std::string& id) { return tally({"channel", "show", id}).json["on_chain"]; }

  // Eve's journal, for a day when an old one comes back.
  void copy_journal(const std::string& name) const {
    const auto journal = std::filesystem::directory_iterator(path("channels"))->path();
    std::filesystem::copy(journal, path(name), std::filesystem::copy_options::recursive);
  }

  Cluster cluster;

 private:
  std::uint16_t port_;
  int runs_ = 0;
  std::unique_ptr<Process> server_;
};

std::uint64_t micro(const Json& amount) {
  return std::stoull(amount.get<std::string>());
}

}  // namespace

TEST_CASE("a channel that comes back from an old backup is closed by its peer's offer") {
  Street street;
  const std::string id = street.open("10s");
  street.pay(id, "1CC");
  REQUIRE(street.tally({"channel", "backup", "--as", "//Eve", street.path("backup")}).exit_code ==
          0);
  street.pay(id, "2CC");

  const std::vector<std::string> as_restored{"--as", "//Eve", "--folder", street.path("restored")};
  const auto restored = [&](std::vector<std::string> words, std::vector<std::string> rest) {
    words.insert(words.end(), as_restored.begin(), as_restored.end());
    words.insert(words.end(), rest.begin(), rest.end());
    return street.tally(words);
  };
  REQUIRE(restored({"channel", "restore"}, {street.path("backup")}).exit_code == 0);
  const Answer shown = restored({"channel", "show"}, {id});
  CHECK(shown.json["mine"]["stage"] == "restored");
  CHECK(shown.json["mine"]["payable"] == "0");
  CHECK(restored({"channel", "pay"}, {"--to", street.to(), id, "1CC"}).exit_code == 4);

  const Answer closed = restored({"channel", "close"}, {"--to", street.to(), id});
  INFO(closed.json.dump(2));
  REQUIRE(closed.exit_code == 0);
  CHECK(closed.json["ending"] == "co_operative");
  CHECK(micro(closed.json["paid_to_me"]) == 7 * kCreditMicro);  // what both signed last
}

TEST_CASE("without a journal request-close ends a channel, and the newest state is paid out") {
  Street street;
  const std::string id = street.open("2s");
  street.pay(id, "1CC");
  REQUIRE(street.tally({"channel", "backup", "--as", "//Eve", street.path("backup")}).exit_code ==
          0);
  street.pay(id, "2CC");

  // With the journal there is something better.
  CHECK(street.tally({"channel", "request-close", "--as", "//Eve", id}).exit_code == 2);
  SECTION("nothing was left") {
    std::filesystem::remove_all(street.path("channels"));
    const Answer asked = street.tally({"channel", "request-close", "--as", "//Eve", id});
    INFO(asked.json.dump(2));
    REQUIRE(asked.exit_code == 0);
    CHECK(asked.json["deadline_ms"] > 0);
  }
  SECTION("a backup was left, and the restored channel is ended alone") {
    REQUIRE(street
                .tally({"channel", "restore", "--as", "//Eve", "--folder", street.path("restored"),
                        street.path("backup")})
                .exit_code == 0);
    const Answer closed = street.tally(
        {"channel", "close", "--as", "//Eve", "--folder", street.path("restored"), "--alone", id});
    INFO(closed.json.dump(2));
    REQUIRE(closed.exit_code == 0);
    CHECK(closed.json["settled_version"] > 1);
    // Bob refuted the request, which claims less than both signed: five per cent, at most 1 CC.
    CHECK(micro(closed.json["paid_to_me"]) >= 7 * kCreditMicro * 95 / 100);
  }
  REQUIRE(eventually(kPatience, [&] {
    return street.tally({"channel", "show", id}).exit_code == 5;
  }));
}

TEST_CASE("whoever holds the newest state refutes an old claim, once") {
  Street street;
  const std::string id = street.open("20s");
  street.pay(id, "1CC");
  street.copy_journal("old");
  street.pay(id, "1CC");
  street.pay(id, "1CC");
  street.stop_serving();
  const std::string file = street.path("bob.watch");
  REQUIRE(street
              .tally({"channel", "appoint", "--as", "//Bob", "--folder", street.path("bob"),
                      "--tower", "//Dave", "--out", file, id})
              .exit_code == 0);

  // Before there is anything to refute nothing is sent, so nothing is paid.
  const Answer early = street.tally({"channel", "refute", "--as", "//Dave", file});
  CHECK(early.exit_code == 4);
  CHECK(early.json["error"]["code"] == "not_in_challenge");

  Process cheat(street.command({"channel", "close", "--as", "//Eve", "--alone", "--folder",
                                street.path("old"), id}),
                street.path("cheat.log"));
  REQUIRE(eventually(kPatience, [&] { return street.on_chain(id)["phase"] == "challenge"; }));
  const Answer refuted = street.tally({"channel", "refute", "--as", "//Dave", file});
  INFO(refuted.json.dump(2));
  REQUIRE(refuted.exit_code == 0);
  const Answer twice = street.tally({"channel", "refute", "--as", "//Dave", file});
  CHECK(twice.exit_code == 4);
  CHECK(twice.json["error"]["code"] == "not_newer");

  const auto ended = cheat.wait(kPatience);
  INFO(cheat.log());
  REQUIRE(ended == 0);
  const std::string log = cheat.log();
  const Json payout = Json::parse(log.substr(log.find("\n{")), nullptr, false);
  CHECK(payout["paid_to_me"] == "0");
  CHECK(micro(payout["payouts"]["to_towers"]) > 0);
}
