#include "worker/service/credit.hpp"

#include <catch2/catch.hpp>

namespace tally::worker {
namespace {

const ChannelId kChannel = *ChannelId::from(Bytes(32, 1));

JobPtr job(std::uint64_t price) {
  auto out = std::make_shared<TaskJob>();
  out->channel_id = kChannel;
  out->price = Balance(price);
  out->input = Bytes(10);
  return out;
}

struct Gate : CreditGate {
  using CreditGate::CreditGate;
  std::size_t start() { return startable(kChannel).size(); }
};

TEST_CASE("no more tasks run or wait for payment than the window allows") {
  Gate gate(2);
  gate.open_books(kChannel, {Balance(1'000), Balance(1'000)});
  const JobPtr jobs[] = {job(5), job(5), job(5)};
  for (const JobPtr& j : jobs) gate.add(j);
  CHECK(gate.start() == 2);
  gate.finished(*jobs[0], jobs[0]->price);
  CHECK(gate.start() == 0);  // unpaid counts as much as running
  gate.set_received(kChannel, Balance(1'004));
  CHECK(gate.start() == 0);  // a part of the price is no payment
  gate.set_received(kChannel, Balance(1'005));
  CHECK(gate.start() == 1);
}

TEST_CASE("a task that failed is not owed") {
  Gate gate(1);
  gate.open_books(kChannel, {});
  const JobPtr first = job(5);
  gate.add(first);
  gate.add(job(5));
  CHECK(gate.start() == 1);
  gate.finished(*first, std::nullopt);
  CHECK(gate.start() == 1);
}

TEST_CASE("with a window of zero a task starts only when it is paid for") {
  Gate gate(0);
  gate.open_books(kChannel, {Balance(100), Balance(100)});
  const JobPtr first = job(5);
  gate.add(first);
  CHECK(gate.start() == 0);
  gate.set_received(kChannel, Balance(105));
  CHECK(gate.start() == 1);
  gate.add(job(5));
  CHECK(gate.start() == 0);  // the payment is spoken for
  gate.finished(*first, std::nullopt);
  CHECK(gate.start() == 1);  // and free again
}

// Fails when the books begin at what was received before the first task.
TEST_CASE("a payment that came before the first task counts, and no other is needed") {
  Gate gate(0);
  gate.set_received(kChannel, Balance(5));  // nothing is known of the channel yet
  gate.open_books(kChannel, {Balance(105), Balance(100)});
  CHECK(gate.exposure(kChannel).paid_ahead == Balance(5));
  const JobPtr first = job(5);
  CHECK(gate.committed(kChannel, Balance(5)) == Balance());
  gate.add(first);
  CHECK(gate.start() == 1);
  gate.finished(*first, first->price);
  gate.add(job(5));
  CHECK(gate.start() == 0);
}

// Fails when a restart of the worker forgets what it was not paid for.
TEST_CASE("what an earlier run was not paid for stands in the way until it is paid") {
  Gate gate(1);
  gate.open_books(kChannel, {Balance(100), Balance(107)});
  CHECK(gate.exposure(kChannel).unpaid == Balance(7));
  gate.add(job(5));
  CHECK(gate.start() == 0);
  gate.set_received(kChannel, Balance(107));
  CHECK(gate.start() == 1);
}

TEST_CASE("a receipt that is had late takes its place in the window") {
  Gate gate(1);
  gate.open_books(kChannel, {});
  CHECK(gate.receipt_late(kChannel, Balance(5)));
  CHECK_FALSE(gate.receipt_late(kChannel, Balance(5)));
  gate.set_received(kChannel, Balance(5));
  CHECK(gate.receipt_late(kChannel, Balance(5)));
}

TEST_CASE("what is received before the receipt is counted is a payment all the same") {
  Gate gate(1);
  gate.open_books(kChannel, {});
  const JobPtr first = job(5);
  gate.add(first);
  CHECK(gate.start() == 1);
  gate.set_received(kChannel, Balance(5));
  gate.finished(*first, first->price);
  gate.add(job(5));
  CHECK(gate.start() == 1);
}

TEST_CASE("what is spoken for is the sum of unpaid, running and waiting") {
  Gate gate(1);
  gate.open_books(kChannel, {Balance(50), Balance(50)});
  const JobPtr first = job(3);
  gate.add(first);
  gate.add(job(4));
  CHECK(gate.committed(kChannel) == Balance(7));
  CHECK(gate.start() == 1);
  gate.finished(*first, first->price);
  CHECK(gate.committed(kChannel) == Balance(7));
  gate.set_received(kChannel, Balance(53));
  CHECK(gate.committed(kChannel) == Balance(4));
}

TEST_CASE("an id is used once, also when it is old") {
  Gate gate(1);
  CHECK(gate.use_id(kChannel, 7));
  CHECK_FALSE(gate.use_id(kChannel, 7));
  for (std::uint64_t id = 100; id < 100 + 5'000; ++id) REQUIRE(gate.use_id(kChannel, id));
  CHECK_FALSE(gate.use_id(kChannel, 7));
  CHECK_FALSE(gate.use_id(kChannel, 200));
  CHECK_FALSE(gate.use_id(kChannel, 5'000));
}

TEST_CASE("cancelled tasks stop waiting") {
  Gate gate(0);
  gate.open_books(kChannel, {});
  const JobPtr gone = job(5);
  gate.add(gone);
  gate.add(job(6));
  CHECK(gate.tasks() == 2);
  CHECK(gate.bytes() == 20);
  gone->cancelled = true;
  gate.drop_cancelled();
  CHECK(gate.tasks() == 1);
  CHECK(gate.bytes() == 10);
  CHECK(gate.committed(kChannel) == Balance(6));
}

}  // namespace
}  // namespace tally::worker
