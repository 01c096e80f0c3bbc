// Floods of connections as the gate sees them; time is given, nothing waits.
#include "node/network/address_gate.hpp"

#include <catch2/catch.hpp>

using namespace tally::network;

namespace {

AddressKey at(const char* text) {
  return address_key(boost::asio::ip::make_address(text));
}
constexpr SteadyTime kStart{};
SteadyTime after(std::int64_t ms) {
  return kStart + Milliseconds(ms);
}

}  // namespace

TEST_CASE("a budget admits its burst, then its rate, and never more than a burst after a pause") {
  Budget budget({10, 5}, kStart);
  int admitted = 0;
  for (int i = 0; i < 100; ++i) admitted += budget.admit(kStart, 1) ? 1 : 0;
  CHECK(admitted == 5);
  CHECK(budget.wait(kStart) > Milliseconds(0));
  CHECK(budget.admit(after(50), 1));  // anything left is enough
  CHECK_FALSE(budget.admit(after(99), 1));
  CHECK(budget.admit(after(101), 1));
  CHECK_FALSE(budget.admit(after(101), 1));
  admitted = 0;
  for (int i = 0; i < 100; ++i) admitted += budget.admit(after(3'600'000), 1) ? 1 : 0;
  CHECK(admitted == 5);
  budget.charge(after(3'600'000), 20);
  CHECK(budget.wait(after(3'600'000)) > Milliseconds(1'999));
  CHECK(budget.wait(after(3'603'000)) == Milliseconds(0));
}

TEST_CASE("one address begins so many handshakes a second, and others are not affected") {
  AddressGate gate({.starts = {16, 64}});
  std::size_t begun = 0;
  for (int ms = 0; ms < 10'000; ++ms) begun += gate.may_begin(at("10.0.0.1"), after(ms)) ? 1 : 0;
  CHECK(begun >= 64 + 9 * 16);
  CHECK(begun <= 64 + 10 * 16 + 1);
  CHECK(gate.may_begin(at("10.0.0.2"), after(10'000)));
}

TEST_CASE("addresses of one IPv6 customer are one address, an IPv4 address in IPv6 is itself") {
  CHECK(at("2001:db8::1") == at("2001:db8::ffff:1"));
  CHECK(at("2001:db8::1") != at("2001:db8:0:1::1"));
  CHECK(at("::ffff:10.0.0.1") == at("10.0.0.1"));
  CHECK(at("10.0.0.1") != at("10.0.0.2"));
}

TEST_CASE("when the places are taken, the address that has most of them gives one up") {
  AddressGate gate({.pending_max = 8, .pending_per_address_max = 6});
  const auto begin = [&](const char* address) {
    REQUIRE(gate.may_begin(at(address), kStart));
    gate.begun(at(address));
  };
  for (int i = 0; i < 5; ++i) begin("10.0.0.1");
  CHECK_FALSE(gate.must_give_way(at("10.0.0.1")));
  begin("10.0.0.1");
  CHECK(gate.must_give_way(at("10.0.0.1")) == at("10.0.0.1"));  // its own share
  CHECK_FALSE(gate.must_give_way(at("10.0.0.2")));
  begin("10.0.0.2");
  begin("10.0.0.3");
  CHECK(gate.must_give_way(at("10.0.0.4")) == at("10.0.0.1"));  // all of them
  gate.ended(at("10.0.0.1"));
  CHECK_FALSE(gate.must_give_way(at("10.0.0.4")));
  CHECK(gate.pending() == 7);
}

TEST_CASE("who broke the rules from an address waits longer there, under any key") {
  AddressGate gate({.starts = {16, 64}, .misbehaviour_costs = 32});
  for (int i = 0; i < 3; ++i) {
    CHECK(gate.may_begin(at("10.0.0.1"), kStart) == (i < 2));
    gate.misbehaved(at("10.0.0.1"), kStart);
  }
  CHECK_FALSE(gate.may_begin(at("10.0.0.1"), after(1'900)));
  CHECK(gate.may_begin(at("10.0.0.1"), after(2'200)));
}

TEST_CASE("no number of addresses makes the gate remember more than its limit") {
  AddressGate gate({.addresses_max = 16});
  REQUIRE(gate.may_begin(at("10.0.0.1"), kStart));
  gate.begun(at("10.0.0.1"));
  for (int i = 0; i < 1'000; ++i) {
    const std::string address = "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250);
    CHECK(gate.may_begin(at(address.c_str()), after(i)));
    CHECK(gate.addresses() <= 16);
  }
  gate.ended(at("10.0.0.1"));  // what is under way is never forgotten
}
