#include "worker/wasm/machine.hpp"

#include <catch2/catch.hpp>

#include "worker/wasm/cost.hpp"
#include "worker/wasm/wat_test.hpp"

namespace tally::wasm {

namespace {

using task::FailureReason;

constexpr std::uint64_t kPlenty = 100'000'000;

Machine begun(const Guest& guest, std::uint64_t step_fuel = kPlenty) {
  auto machine = Machine::load(guest.bytes(), step_fuel);
  REQUIRE(machine.ok());
  REQUIRE(machine->begin({}).ok());
  return *std::move(machine);
}

// The failure of the first step of a guest whose step is this.
task::TaskFailure failure_of(const Guest& guest, std::uint64_t step_fuel = kPlenty) {
  Machine machine = begun(guest, step_fuel);
  const auto stepped = machine.step();
  REQUIRE_FALSE(stepped.ok());
  return stepped.error();
}

Guest stepping(const std::string& step) {
  Guest guest;
  guest.step = step;
  return guest;
}

// Fuel that a step of these instructions uses beyond one that only returns.
std::uint64_t fuel_beyond(const std::string& step, const std::string& functions = {}) {
  const auto fuel = [&](const std::string& text) {
    Guest guest = stepping(text + " i32.const 0");
    guest.functions = functions;
    Machine machine = begun(guest);
    const std::uint64_t before = machine.fuel();
    REQUIRE(machine.step().ok());
    return machine.fuel() - before;
  };
  return fuel(step) - fuel("");
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("an endless loop runs out of fuel, at any limit") {
  for (const std::uint64_t limit : {100ull, 10'000ull, 1'000'000ull}) {
    const auto failure = failure_of(stepping("(loop br 0) i32.const 0"), limit);
    CHECK(failure.reason == FailureReason::out_of_fuel);
    CHECK(contains(failure.message, to_decimal(limit)));
  }
}

TEST_CASE("an endless recursion is stopped by its depth, and by its fuel") {
  Guest guest = stepping("call $f i32.const 0");
  guest.functions = "(func $f call $f)";
  const auto failure = failure_of(guest);
  CHECK(failure.reason == FailureReason::trapped);
  CHECK(contains(failure.message, "calls deeper than 1000"));
  CHECK(failure_of(guest, 5'000).reason == FailureReason::out_of_fuel);
}

TEST_CASE("calls as deep as the limit work, and one more does not") {
  // tally_step calls $f(n), which calls itself n times: n + 1 calls.
  const auto depth = [](std::uint32_t n) {
    Guest guest = stepping("i32.const " + std::to_string(n) + " call $f i32.const 0");
    guest.functions =
        "(func $f (param i32) local.get 0 if local.get 0 i32.const 1 i32.sub call $f end)";
    Machine machine = begun(guest);
    return machine.step().ok();
  };
  CHECK(depth(kMaxCallDepth - 1));
  CHECK_FALSE(depth(kMaxCallDepth));
}

TEST_CASE("the depth is counted down when a function returns early") {
  Guest guest = stepping(
      "(local i32) (loop call $f local.get 0 i32.const 1 i32.add local.tee 0 i32.const 5000 "
      "i32.lt_u br_if 0) i32.const 0");
  guest.functions = "(func $f (block i32.const 1 br_if 1 ) return)";
  Machine machine = begun(guest);
  CHECK(machine.step().ok());
}

TEST_CASE("memory that grows without end stops at the module's maximum, then runs out of fuel") {
  Guest guest = stepping("(loop i32.const 1 memory.grow drop br 0) i32.const 0");
  guest.memory = "(memory (export \"memory\") 1)";
  CHECK(failure_of(guest).reason == FailureReason::out_of_fuel);
  // Growing beyond the limit gives -1 and leaves the memory as it is.
  Guest once = stepping("i32.const 512 memory.grow i32.const -1 i32.eq");
  once.memory = guest.memory;
  Machine machine = begun(once);
  CHECK(*machine.step());
}

TEST_CASE("traps are failures that say what happened") {
  const auto message = [](const std::string& step) {
    const auto failure = failure_of(stepping(step));
    CHECK(failure.reason == FailureReason::trapped);
    return failure.message;
  };
  CHECK(contains(message("unreachable"), "tally_step: unreachable"));
  CHECK(contains(message("i32.const 1 i32.const 0 i32.div_u"), "divide by zero"));
  CHECK(contains(message("i32.const 65536 i32.load"), "out of bounds"));
  CHECK(contains(message("i32.const 7"), "must return 0 (go on) or 1 (done), got 7"));
  CHECK(contains(message("i32.const -1 i32.const 0 i32.const 9 memory.fill i32.const 0"),
                 "out of bounds"));
}

TEST_CASE("a guest that points outside its memory is refused") {
  Guest guest;
  guest.buffer = "i32.const 65535";
  auto machine = *Machine::load(guest.bytes(), kPlenty);
  const auto begun_badly = machine.begin(Bytes(2));
  REQUIRE_FALSE(begun_badly.ok());
  CHECK(contains(begun_badly.error().message, "tally_buffer points outside"));

  Guest result;
  result.result = "i32.const -1";
  Machine done = begun(result);
  REQUIRE(*done.step());
  CHECK(contains(done.result().error().message, "tally_result points outside"));
  Guest large;
  large.result_size = "i32.const -1";
  Machine too_large = begun(large);
  REQUIRE(*too_large.step());
  CHECK(contains(too_large.result().error().message, "at most 8388608 bytes, got 4294967295"));
}

TEST_CASE("segments of data outside the memory make the module unusable") {
  Guest guest;
  guest.functions = "(data (i32.const 65535) \"ab\")";
  const auto machine = Machine::load(guest.bytes(), kPlenty);
  REQUIRE_FALSE(machine.ok());
  CHECK(machine.error().reason == FailureReason::bad_module);
  CHECK(contains(machine.error().message, "cannot be set up"));
}

TEST_CASE("fuel is what cost.hpp says") {
  CHECK(fuel_beyond("nop") == 0);
  CHECK(fuel_beyond("i32.const 1 drop") == 2);
  CHECK(fuel_beyond("i64.const 1 i64.const 2 i64.add drop") == 4);
  CHECK(fuel_beyond("i64.const 1 i64.const 2 i64.div_u drop") == 6);
  CHECK(fuel_beyond("i32.const 0 i64.load drop") == 4);
  CHECK(fuel_beyond("i32.const 0 i64.const 0 i64.store") == 4);
  // What follows a block is a run of its own.
  CHECK(fuel_beyond("block i32.const 1 drop end") == 2 + kRunFuel);
  CHECK(fuel_beyond("i32.const 0 if i32.const 1 drop end") == 3 + kRunFuel);
  CHECK(fuel_beyond("i32.const 1 if i32.const 1 drop end") == 3 + kRunFuel + 2 + kRunFuel);
  CHECK(fuel_beyond("(loop)") == kLoopFuel + kRunFuel + kRunFuel);
  CHECK(fuel_beyond("call $f", "(func $f (local i32 i32))") == 12 + kFunctionFuel + 2 + kRunFuel);
  CHECK(fuel_beyond("i32.const 0 call_indirect", "(table funcref (elem $f)) (func $f)") ==
        1 + 16 + kFunctionFuel + kRunFuel);
  // By size; the scratch local is not the guest's.
  CHECK(fuel_beyond("i32.const 2 memory.grow drop") == 2 + 8 + 2 * kPageFuel);
  CHECK(fuel_beyond("i32.const 0 i32.const 7 i32.const 1600 memory.fill") == 3 + 8 + 100);
  CHECK(fuel_beyond("i32.const 0 i32.const 9 i32.const 1600 memory.copy") == 3 + 8 + 100);
}

TEST_CASE("a loop pays each time round, and a branch not taken pays nothing") {
  const auto rounds = [](std::uint32_t n) {
    return fuel_beyond("(local i32) (loop local.get 0 i32.const 1 i32.add local.tee 0 i32.const " +
                       std::to_string(n) + " i32.lt_u br_if 0)");
  };
  const std::uint64_t round = rounds(11) - rounds(10);
  CHECK(round == kLoopFuel + kRunFuel + 6 + 3);
  CHECK(rounds(1'000) - rounds(10) == 990 * round);
}

TEST_CASE("a step may use all of its fuel and not a unit more") {
  const Guest guest = stepping("i32.const 0");
  Machine free = begun(guest);
  const std::uint64_t before = free.fuel();
  REQUIRE(free.step().ok());
  const std::uint64_t used = free.fuel() - before;
  // Beginning calls two functions, which use more than this step.
  Machine exact = begun(stepping("i32.const 0"), before);
  REQUIRE(before >= used);
  CHECK(exact.step().ok());
  auto short_of_one = Machine::load(guest.bytes(), before - 1);
  CHECK(short_of_one->begin({}).error().reason == FailureReason::out_of_fuel);
}

TEST_CASE("a function that is entered without fuel does nothing") {
  // Ten calls in a row, each of which counts in memory: no loop looks at the fuel between them.
  std::string calls;
  for (int i = 0; i < 10; ++i) calls += "call $f ";
  Guest guest = stepping(calls + "i32.const 0");
  guest.functions = "(func $f i32.const 0 i32.const 0 i32.load i32.const 1 i32.add i32.store)";
  const auto module = load_module(guest.bytes());
  REQUIRE(module.ok());
  std::uint64_t used = 0;
  const auto counted = [&](std::uint64_t fuel) {
    std::string why;
    const auto engine = Engine::make(module->metered, why);
    REQUIRE(engine != nullptr);
    engine->set_global(module->fuel_global, fuel);
    const bool ok = engine->call(module->entry.step, {}).ok;
    used = fuel - engine->global(module->fuel_global);
    CHECK(ok == (used <= fuel));
    return engine->memory()[0];
  };
  CHECK(counted(kPlenty) == 10);
  const std::uint64_t all = used;
  CHECK(counted(all) == 10);
  CHECK(counted(all - 1) == 9);
  CHECK(counted(0) == 0);
}

TEST_CASE("two machines never share anything") {
  const Guest counter = stepping(
      "i32.const 0 i32.const 0 i32.load i32.const 1 i32.add i32.store i32.const 0 i32.load "
      "i32.const 3 i32.eq");
  Machine first = begun(counter);
  CHECK_FALSE(*first.step());
  Machine second = begun(counter);
  CHECK_FALSE(*first.step());
  CHECK(*first.step());
  CHECK_FALSE(*second.step());
}

}  // namespace tally::wasm
