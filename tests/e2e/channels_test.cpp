// A requester (`tally`), a worker (`tally-worker`) and four validators, all real processes: what
// happens to the money when one party cheats, and when one dies in the middle of its work.
#include <fstream>
#include <sstream>

#include "tests/e2e/market.hpp"

using namespace tally;
using namespace tally::tests;

namespace {

// Many seconds of one core: it is still running whenever we look.
constexpr const char* kLongTask = R"({"type": "prime_calculation", "lo": 0, "hi": 60000000000})";
constexpr std::uint64_t kDepositMicro = 1'000'000;

// Ids of a process's children, as the kernel lists them.
std::vector<pid_t> children(pid_t of) {
  std::vector<pid_t> out;
  std::error_code error;
  for (const auto& thread :
       std::filesystem::directory_iterator("/proc/" + std::to_string(of) + "/task", error)) {
    std::ifstream list(thread.path() / "children");
    for (pid_t child = 0; list >> child;) out.push_back(child);
  }
  return out;
}

// Clock ticks that a process has spent in its own code; the 14th field, after "pid (name) ".
// Nothing of a process that is gone, and of one that nobody has waited for yet.
std::uint64_t user_ticks(pid_t of) {
  std::ifstream file("/proc/" + std::to_string(of) + "/stat");
  std::string line;
  std::getline(file, line);
  std::istringstream fields(line.substr(std::min(line.size(), line.rfind(')') + 1)));
  std::string state;
  fields >> state;
  if (state == "Z" || state == "X") return 0;
  std::string skipped;
  for (int i = 4; i < 14; ++i) fields >> skipped;
  std::uint64_t ticks = 0;
  fields >> ticks;
  return ticks;
}

std::uint64_t busiest_child(pid_t of) {
  std::uint64_t most = 0;
  for (const pid_t child : children(of)) most = std::max(most, user_ticks(child));
  return most;
}

std::filesystem::path only_entry(const std::filesystem::path& folder) {
  return std::filesystem::directory_iterator(folder)->path();
}

}  // namespace

TEST_CASE("a requester that claims an old state loses its whole balance to the worker's tower") {
  Market market;
  const std::uint64_t eve_before = market.total("Eve");
  const std::uint64_t ferdie_before = market.total("Ferdie");

  const Answer first = market.tally(market.task(kSmallTask));
  INFO(first.json.dump(2));
  REQUIRE(first.exit_code == 0);
  const std::string id = first.json["channel_id"];
  std::filesystem::copy(only_entry(market.path("channels")), market.path("old"),
                        std::filesystem::copy_options::recursive);
  for (int i = 0; i < 2; ++i) {
    const Answer next = market.tally(market.task(kSmallTask));
    REQUIRE(next.exit_code == 0);
    REQUIRE(next.json["channel_id"] == id);
    REQUIRE(next.json["last_state"]["version"] > first.json["last_state"]["version"]);
  }

  const Answer claimed = market.tally(
      {"channel", "close", "--as", "//Eve", "--alone", "--folder", market.path("old"), id});
  INFO(claimed.json.dump(2));
  INFO(market.worker->log());
  REQUIRE(claimed.exit_code == 0);
  CHECK(claimed.json["ending"] == "fraud");
  CHECK(claimed.json["paid_to_me"] == "0");

  // On the chain: the whole deposit is gone, and the worker has all but the settlement fee.
  CHECK(market.total("Eve") <= eve_before - kDepositMicro);
  CHECK(market.total("Ferdie") > ferdie_before + kDepositMicro * 9 / 10);
  CHECK(market.tally({"channel", "show", id}).exit_code == 5);
}

TEST_CASE("a worker killed in the middle of a task: a clear error, and the channel goes on") {
  Market market;
  const Answer first = market.tally(market.task(kSmallTask));
  REQUIRE(first.exit_code == 0);
  const std::string id = first.json["channel_id"];

  std::vector<std::string> task = market.task(kLongTask);
  task.insert(task.end(), {"--reconnect", "1"});
  Process requester(market.command(task), market.path("requester.log"));
  constexpr std::uint64_t kBusyTicks = 30;
  const std::uint64_t idle = busiest_child(market.worker->pid());
  REQUIRE(eventually(kPatience,
                     [&] { return busiest_child(market.worker->pid()) > idle + kBusyTicks; }));
  const auto executors = children(market.worker->pid());
  market.worker->signal(SIGKILL);
  REQUIRE(market.worker->wait(kPatience) == 128 + SIGKILL);

  const auto ended = requester.wait(kPatience);
  INFO(requester.log());
  REQUIRE(ended == 3);
  const Json error = answer_of({0, requester.log()}).json;
  REQUIRE(error.contains("error"));
  CHECK(error["error"]["code"] == "disconnected");
  CHECK(error["error"]["message"].get<std::string>().find("worker") != std::string::npos);
  // Its executors do not outlive it.
  for (const pid_t child : executors) {
    CHECK(eventually(kPatience, [&] { return user_ticks(child) == 0; }));
  }

  // What both had signed is still there, and the same channel goes on and closes.
  const Answer mine = market.tally({"channel", "show", "--as", "//Eve", id});
  INFO(mine.json.dump(2));
  REQUIRE(mine.exit_code == 0);
  CHECK(mine.json["mine"]["version"] == first.json["last_state"]["version"]);
  CHECK(mine.json["mine"]["peers"] == first.json["last_state"]["balance_b"]);
  market.start_worker();
  auto last = market.task(kSmallTask);
  last.push_back("--close");
  const Answer closed = market.tally(last);
  INFO(closed.json.dump(2));
  INFO(market.worker->log());
  REQUIRE(closed.exit_code == 0);
  CHECK(closed.json["channel_id"] == id);
  CHECK(closed.json["last_state"]["version"] > first.json["last_state"]["version"]);
  CHECK(closed.json["last_state"]["receipts_count"] == 2);
  CHECK(closed.json["extrinsics"].back()["call"] == "close");
  CHECK(market.tally({"channel", "show", id}).exit_code == 5);
}
