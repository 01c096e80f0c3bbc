// Whose turn it is: consensus before all else, and no peer, client or flood before the others.
#include "node/service/inbox.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace tally;
using namespace tally::service;

namespace {

ports::PeerId peer(std::uint8_t number) {
  ports::PeerId out;
  out.bytes.fill(number);
  return out;
}

// Notes of what was run, in its order.
struct Bench {
  Inbox inbox{2};
  std::string done;

  Inbox::Task note(char name) {
    return [this, name] { done.push_back(name); };
  }
  void run() {
    while (auto next = inbox.next()) next->task();
  }
};

}  // namespace

TEST_CASE("control comes first, then the validators' consensus, then the rest") {
  Bench bench;
  bench.inbox.push_frame(peer(1), false, bench.note('f'));
  CHECK(bench.inbox.try_push(bench.note('c')));
  bench.inbox.push_result(bench.note('r'));
  bench.inbox.push_frame(peer(1), true, bench.note('u'));
  bench.inbox.push_control(bench.note('!'));
  CHECK(bench.inbox.next()->urgent);
  bench.run();
  CHECK(bench.done.substr(0, 1) == "u");
  CHECK(bench.done.size() == 4);
}

TEST_CASE("a flood of one peer's frames stands before no other peer's") {
  Bench bench;
  for (int i = 0; i < 1'000; ++i) bench.inbox.push_frame(peer(1), false, bench.note('a'));
  bench.inbox.push_frame(peer(2), false, bench.note('b'));
  for (int i = 0; i < 1'000; ++i) bench.inbox.push_frame(peer(3), true, bench.note('v'));
  bench.inbox.push_frame(peer(4), true, bench.note('w'));
  bench.run();
  CHECK(bench.done.find('w') <= 1);
  const std::size_t first = bench.done.find('a');
  CHECK(bench.done.find('b') <= first + 3 * Inbox::kOthersEvery);
}

TEST_CASE("clients, results and peers take turns") {
  Inbox inbox(1'000);
  std::string done;
  for (int i = 0; i < 300; ++i) {
    CHECK(inbox.try_push([&] { done.push_back('c'); }));
    inbox.push_frame(peer(1), false, [&] { done.push_back('f'); });
    inbox.push_result([&] { done.push_back('r'); });
  }
  for (int i = 0; i < 30; ++i) inbox.next()->task();
  for (const char kind : {'c', 'f', 'r'}) CHECK(std::count(done.begin(), done.end(), kind) == 10);
}

TEST_CASE("validators that flood do not stop the rest of the node") {
  Bench bench;
  for (int i = 0; i < 200; ++i) bench.inbox.push_frame(peer(1), true, bench.note('u'));
  CHECK(bench.inbox.try_push(bench.note('c')));
  bench.run();
  CHECK(bench.done.find('c') < Inbox::kOthersEvery);
}

TEST_CASE("the inbox bounds calls, and hands out the rest after closing") {
  Bench bench;
  CHECK(bench.inbox.try_push(bench.note('1')));
  CHECK(bench.inbox.try_push(bench.note('2')));
  CHECK_FALSE(bench.inbox.try_push(bench.note('x')));
  bench.inbox.next()->task();
  CHECK(bench.inbox.try_push(bench.note('3')));
  bench.inbox.close();
  bench.inbox.push_control(bench.note('x'));
  bench.inbox.push_frame(peer(1), true, bench.note('x'));
  CHECK_FALSE(bench.inbox.try_push(bench.note('x')));
  CHECK_FALSE(bench.inbox.finished());
  bench.inbox.wait(std::nullopt);  // does not wait
  bench.run();
  CHECK(bench.inbox.finished());
  CHECK(bench.done == "123");
}

TEST_CASE("an empty inbox waits no longer than the deadline") {
  Inbox inbox(1);
  inbox.wait(std::chrono::steady_clock::now());
  CHECK_FALSE(inbox.next());
}
