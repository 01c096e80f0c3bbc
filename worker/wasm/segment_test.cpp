#include "worker/wasm/segment.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <random>

#include "primitives/crypto/hash.hpp"
#include "worker/wasm/machine.hpp"
#include "worker/wasm/wat_test.hpp"

namespace tally::wasm {

namespace {

using task::FailureReason;
using task::WasmBegin;
using task::WasmOutput;
using task::WasmSpec;
using task::WasmState;

constexpr std::uint64_t kPlenty = 100'000'000;

Bytes sample() {
  std::ifstream file(TALLY_BINARY_DIR "/samples/spirals.wasm", std::ios::binary);
  Bytes bytes((std::istreambuf_iterator<char>(file)), {});
  REQUIRE_FALSE(bytes.empty());
  return bytes;
}

WasmSpec spec_of(ByteView module, WasmBegin begin, std::uint32_t steps) {
  return {.module_hash = blake2_256(module),
          .module_bytes = static_cast<std::uint32_t>(module.size()),
          .begin = begin,
          .fuel = task::kMaxWasmFuel,
          .step_fuel = kPlenty,
          .steps = steps};
}

Bytes joined(ByteView a, ByteView b) {
  Bytes out = to_bytes(a);
  append(out, b);
  return out;
}

struct Wanted {
  WasmBegin begin = WasmBegin::start;
  std::uint32_t steps = ~std::uint32_t{0};
};
WasmOutput run(ByteView module, ByteView rest, const Wanted& wanted) {
  const WasmSpec spec = spec_of(module, wanted.begin, wanted.steps);
  const Bytes input = joined(module, rest);
  REQUIRE(task::check(spec, input.size()).ok());
  auto output = run_segment(spec, input);
  REQUIRE(output.ok());
  REQUIRE(*task::read_wasm_output(spec, input.size(), encode(*output)) == *output);
  return *std::move(output);
}

// The snapshot before each step of an uninterrupted run, and its result.
struct Whole {
  std::vector<Hash> snapshots;
  Bytes result;
  std::uint64_t fuel;
};
Whole run_whole(ByteView module, ByteView arguments) {
  Machine machine = *Machine::load(module, kPlenty);
  REQUIRE(machine.begin(arguments).ok());
  Whole out;
  do out.snapshots.push_back(blake2_256(*machine.snapshot()));
  while (!*machine.step());
  out.result = *machine.result();
  out.fuel = machine.fuel();
  return out;
}

}  // namespace

TEST_CASE("a thousand random stop points, each on a new machine, equal the uninterrupted run") {
  const Bytes module = sample();
  const ByteView arguments = as_bytes("20260101 1");
  const Whole whole = run_whole(module, arguments);
  REQUIRE(whole.snapshots.size() == 128);
  const std::uint32_t seed = 7;
  std::mt19937 random(seed);
  const auto some_steps = [&] { return static_cast<std::uint32_t>(1 + random() % 5); };
  std::size_t stops = 0;
  while (stops < 1'000) {
    CAPTURE(seed, stops);
    WasmOutput output = run(module, arguments, {.steps = some_steps()});
    while (output.state == WasmState::running) {
      ++stops;
      REQUIRE(blake2_256(output.data) == whole.snapshots[output.total_steps]);
      const Bytes snapshot = output.data;
      output = run(module, snapshot, {WasmBegin::resume, some_steps()});
    }
    REQUIRE(output.data == whole.result);
    REQUIRE(output.total_fuel == whole.fuel);
    REQUIRE(output.total_steps == whole.snapshots.size());
  }
}

TEST_CASE("stopped anywhere and resumed on a new machine, the sample gives the same") {
  const Bytes module = sample();
  const ByteView arguments = as_bytes("3 1");
  const Whole whole = run_whole(module, arguments);
  for (const std::uint32_t stop : {1u, 2u, 63u, 127u}) {
    CAPTURE(stop);
    const WasmOutput half = run(module, arguments, {.steps = stop});
    REQUIRE(half.state == WasmState::running);
    CHECK(blake2_256(half.data) == whole.snapshots[stop]);
    CHECK(half.data.size() > (256u << 10));
    const WasmOutput rest = run(module, half.data, {.begin = WasmBegin::resume});
    CHECK(rest.state == WasmState::done);
    CHECK(rest.data == whole.result);
    CHECK(rest.total_fuel == whole.fuel);
    CHECK(rest.total_steps == whole.snapshots.size());
  }
  CHECK(as_text(whole.result).starts_with("seed 3, generations 1, checksum "));
}

TEST_CASE("the sample's result is that of every machine") {
  const WasmOutput output = run(sample(), as_bytes("7 1"), {});
  CHECK(as_text(output.data).starts_with("seed 7, generations 1, checksum c3d3f6b25476db48"));
}

TEST_CASE("a segment ends when its fuel is used, after at least one step") {
  const Bytes module = sample();
  const Bytes input = joined(module, as_bytes("7 10"));
  WasmSpec spec = spec_of(module, WasmBegin::start, 1'000);
  const auto begun = run(module, as_bytes("7 10"), {.steps = 1});
  spec.fuel = begun.total_fuel;
  CHECK(run_segment(spec, input)->steps == 1);
  spec.fuel = begun.total_fuel + 1;
  CHECK(run_segment(spec, input)->steps == 2);
  spec.fuel = 1;
  CHECK(run_segment(spec, input)->steps == 0);
  spec.begin = WasmBegin::resume;
  const Bytes resumed = joined(module, begun.data);
  const auto next = run_segment(spec, resumed);
  CHECK(next->steps == 1);
  CHECK(next->fuel == task::load_fuel(spec, resumed.size()) + next->total_fuel - begun.total_fuel);
}

TEST_CASE("memory, globals of both sizes, and grown memory come back, data segments do not") {
  Guest guest;
  guest.memory = "(memory (export \"memory\") 1 4)";
  guest.globals =
      "(global $a (mut i32) (i32.const -1)) (global i64 (i64.const 9)) (global $b (mut i64) "
      "(i64.const -1))";
  guest.functions = "(data (i32.const 100) \"from the module\")";
  guest.init =
      "i32.const 1 memory.grow drop i32.const 100 i32.const 0 i32.const 15 memory.fill "
      "i32.const 131064 i64.const -2 i64.store i64.const 77 global.set $b";
  // Done when all is as it was left: 1 after the first step, which only resets $a.
  guest.step =
      "global.get $a i32.const -1 i32.eq if i32.const 5 global.set $a i32.const 0 return end "
      "global.get $a i32.const 5 i32.eq global.get $b i64.const 77 i64.eq i32.and "
      "i32.const 131064 i64.load i64.const -2 i64.eq i32.and i32.const 100 i32.load i32.eqz "
      "i32.and memory.size i32.const 2 i32.eq i32.and";
  const Bytes module = guest.bytes();
  const WasmOutput half = run(module, {}, {.steps = 1});
  REQUIRE(half.state == WasmState::running);
  const auto snapshot = task::decode_snapshot(half.data);
  REQUIRE(snapshot.ok());
  CHECK(snapshot->pages == 2);
  REQUIRE(snapshot->globals.size() == 2);
  CHECK(snapshot->globals[0] == task::SnapshotGlobal{task::WasmType::i32, 5});
  CHECK(snapshot->globals[1] == task::SnapshotGlobal{task::WasmType::i64, 77});
  REQUIRE(snapshot->blocks.size() == 1);
  CHECK(snapshot->blocks[0].index == 31);
  CHECK(run(module, half.data, {WasmBegin::resume, 1}).state == WasmState::done);
}

TEST_CASE("a snapshot of another module, or that does not fit this one, is refused") {
  const Bytes module = sample();
  const WasmOutput half = run(module, as_bytes("3 1"), {.steps = 1});
  const auto failure = [&](ByteView guest, const task::Snapshot& snapshot) {
    const WasmSpec spec = spec_of(guest, WasmBegin::resume, 1);
    const auto output = run_segment(spec, joined(guest, task::encode_snapshot(snapshot)));
    REQUIRE_FALSE(output.ok());
    CHECK(output.error().reason == FailureReason::bad_input);
    return output.error().message;
  };
  const task::Snapshot good = *task::decode_snapshot(half.data);
  CHECK(failure(Guest{}.bytes(), good).find("another module") != std::string::npos);
  task::Snapshot bad = good;
  bad.pages += 1;
  // The sample's memory has no maximum of its own, so more pages may be; fewer may not.
  bad = good;
  bad.pages = 1;
  bad.blocks = {};
  CHECK(failure(module, bad).find("not one of the module") != std::string::npos);
  bad = good;
  bad.globals = {};
  CHECK(failure(module, bad).find("globals") != std::string::npos);
}

TEST_CASE("an input that does not begin with the spec's module is refused") {
  const Bytes module = sample();
  WasmSpec spec = spec_of(module, WasmBegin::start, 1);
  Bytes input = joined(module, as_bytes("3 1"));
  input[50] ^= 1;
  CHECK(run_segment(spec, input).error().reason == FailureReason::bad_input);
  spec.module_bytes = static_cast<std::uint32_t>(input.size()) + 1;
  CHECK_FALSE(task::check(spec, input.size()).ok());
}

TEST_CASE("a state beyond the limit is a failure, and one at the limit is not") {
  // Fills so many blocks of 4 KiB.
  const auto filling = [](std::size_t blocks) {
    Guest guest;
    guest.memory = "(memory (export \"memory\") 512)";
    guest.step = "i32.const 0 i32.const 1 i32.const " +
                 std::to_string(blocks * task::kSnapshotBlock) + " memory.fill i32.const 0";
    const Bytes module = guest.bytes();
    return run_segment(spec_of(module, WasmBegin::start, 1), module);
  };
  const auto full = filling(task::kMaxSnapshotBlocks);
  REQUIRE(full.ok());
  CHECK(full->data.size() <= task::kMaxSnapshotBytes);
  CHECK(task::decode_snapshot(full->data).ok());
  const auto beyond = filling(task::kMaxSnapshotBlocks + 1);
  REQUIRE_FALSE(beyond.ok());
  CHECK(beyond.error().message.find("too large") != std::string::npos);
}

}  // namespace tally::wasm
