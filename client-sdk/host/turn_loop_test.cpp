#include "client-sdk/host/turn_loop.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <vector>

namespace tally::client {
namespace {

TEST_CASE("a call returns after the end of its turn") {
  std::atomic<int> turns = 0;
  TurnLoop loop([&] { ++turns; });
  loop.start();
  for (int i = 0; i < 100; ++i) {
    int before = -1;
    CHECK(loop.call([&] { before = turns; }));
    CHECK(turns > before);
  }
}

TEST_CASE("a turn takes all that came in during the one before it") {
  int ran = 0;
  std::vector<int> ran_by_turn;
  TurnLoop loop([&] { ran_by_turn.push_back(ran); });
  loop.post([&] {
    for (int i = 0; i < 100; ++i) CHECK(loop.post([&] { ++ran; }));
  });
  loop.start();
  CHECK(loop.call([] {}));
  loop.stop();
  REQUIRE(ran_by_turn.size() >= 2);
  CHECK(ran_by_turn[0] == 0);
  CHECK(ran_by_turn[1] == 100);
}

TEST_CASE("what is posted for later runs in its time, from inside a piece too") {
  std::promise<void> done;
  TurnLoop loop([] {});
  loop.start();
  loop.post([&] {
    loop.post_at(TurnLoop::Clock::now() + std::chrono::milliseconds(1), [&] { done.set_value(); });
  });
  CHECK(done.get_future().wait_for(std::chrono::seconds(20)) == std::future_status::ready);
}

// Without the answer of a stopped loop a caller waits for ever.
TEST_CASE("a stopped loop takes nothing, and whoever came in time is answered") {
  for (int round = 0; round < 50; ++round) {
    TurnLoop loop([] {});
    loop.start();
    std::atomic<int> answered = 0;
    std::atomic<int> refused = 0;
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; ++i) {
      callers.emplace_back([&] {
        int ran = 0;
        while (loop.call([&] { ++ran; })) ++answered;
        if (!loop.post([] {})) ++refused;
      });
    }
    while (answered == 0) std::this_thread::yield();
    loop.stop();
    for (auto& caller : callers) caller.join();
    CHECK(refused == 4);
  }
}

}  // namespace
}  // namespace tally::client
