#include "client-sdk/task/wasm.hpp"

#include <catch2/catch.hpp>

#include "client-sdk/task/specs.hpp"

namespace tally::task {

namespace {

Snapshot small_snapshot() {
  Snapshot snapshot;
  snapshot.module_hash.bytes[0] = 7;
  snapshot.steps = 3;
  snapshot.fuel = 1'000;
  snapshot.pages = 2;
  REQUIRE(snapshot.globals.push_back({WasmType::i32, 0xffff'ffff}));
  REQUIRE(snapshot.globals.push_back({WasmType::i64, ~0ull}));
  for (const std::uint32_t index : {0u, 31u}) {
    SnapshotBlock block{.index = index};
    block.bytes[index] = 1;
    REQUIRE(snapshot.blocks.push_back(block));
  }
  return snapshot;
}

// Encoded with a hash that holds.
std::string error_of(const Snapshot& snapshot) {
  const auto decoded = decode_snapshot(encode_snapshot(snapshot));
  return decoded.ok() ? "" : decoded.error().message;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a snapshot comes back, and has one encoding") {
  const Bytes bytes = encode_snapshot(small_snapshot());
  const auto decoded = decode_snapshot(bytes);
  REQUIRE(decoded.ok());
  Snapshot expected = small_snapshot();
  expected.hash = decoded->hash;
  CHECK(*decoded == expected);
  CHECK(encode_snapshot(*decoded) == bytes);
}

TEST_CASE("the bytes of a snapshot are as documented") {
  const Bytes bytes = encode_snapshot(small_snapshot());
  CHECK(as_text(ByteView(bytes).first(4)) == "TWSM");
  CHECK(bytes[4] == 1);
  CHECK(bytes[5] == 7);
  CHECK(bytes.size() == 4 + 1 + 32 + 8 + 8 + 4 + (1 + 2 * 9) + (1 + 2 * (4 + 4'096)) + 32);
}

TEST_CASE("no mutation of a snapshot is accepted") {
  const Bytes bytes = encode_snapshot(small_snapshot());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    Bytes bad = bytes;
    bad[at] ^= static_cast<std::uint8_t>(1u << at % 8);
    REQUIRE_FALSE(decode_snapshot(bad).ok());
  }
  for (std::size_t size = 0; size < bytes.size(); size += 13) {
    REQUIRE_FALSE(decode_snapshot(ByteView(bytes).first(size)).ok());
  }
  Bytes longer = bytes;
  longer.push_back(0);
  CHECK_FALSE(decode_snapshot(longer).ok());
}

TEST_CASE("a snapshot whose hash holds is still checked") {
  CHECK(error_of(small_snapshot()).empty());
  Snapshot bad = small_snapshot();
  bad.blocks[1].index = 0;
  CHECK(contains(error_of(bad), "not ascending"));
  bad = small_snapshot();
  bad.blocks[1].index = 32;
  CHECK(contains(error_of(bad), "outside its memory of 2 pages"));
  bad = small_snapshot();
  bad.blocks[0].bytes = {};
  CHECK(contains(error_of(bad), "all zero"));
  bad = small_snapshot();
  bad.globals[0].bits = std::uint64_t{1} << 32;
  CHECK(contains(error_of(bad), "holds more"));
  bad = small_snapshot();
  bad.pages = kMaxWasmPages + 1;
  CHECK(contains(error_of(bad), "at most 512 pages"));
  bad = small_snapshot();
  bad.version = 2;
  CHECK(contains(error_of(bad), "expected version 1, got 2"));
  bad = small_snapshot();
  bad.magic[0] = 'X';
  CHECK(contains(error_of(bad), "does not begin with"));
}

TEST_CASE("specs of custom_wasm are bounded, and metered for the most they can use") {
  WasmSpec spec{.module_hash = {},
                .module_bytes = 100,
                .begin = WasmBegin::start,
                .fuel = 5'000,
                .step_fuel = 300,
                .steps = 1};
  CHECK(check(spec, 110).ok());
  CHECK(*metered_units(TaskType::custom_wasm, encode(spec), 110) == 32 * 100 + 10 + 5'000 + 300);
  CHECK_FALSE(check(spec, 99).ok());
  CHECK_FALSE(check(spec, 100 + kMaxWasmArguments + 1).ok());
  spec.begin = WasmBegin::resume;
  CHECK(check(spec, 100 + kMaxWasmArguments + 1).ok());
  CHECK_FALSE(check(spec, 100 + kMaxSnapshotBytes + 1).ok());
  for (auto part : {&WasmSpec::fuel, &WasmSpec::step_fuel}) {
    WasmSpec bad = spec;
    bad.*part = 0;
    CHECK_FALSE(check(bad, 110).ok());
    bad.*part = kMaxWasmFuel + 1;
    CHECK_FALSE(check(bad, 110).ok());
  }
  WasmSpec no_steps = spec;
  no_steps.steps = 0;
  CHECK_FALSE(check(no_steps, 110).ok());
  WasmSpec large = spec;
  large.module_bytes = kMaxWasmModule + 1;
  CHECK(contains(check(large, kMaxWasmModule + 1).error().message, "1048576 bytes, got 1048577"));
}

TEST_CASE("an output is paid for what it says was used, within what was agreed on") {
  WasmSpec spec{.module_hash = small_snapshot().module_hash,
                .module_bytes = 100,
                .begin = WasmBegin::start,
                .fuel = 5'000,
                .step_fuel = 300,
                .steps = 9};
  const std::uint64_t load = 32 * 100;
  WasmOutput output{.state = WasmState::running,
                    .fuel = load + 1'000,
                    .steps = 3,
                    .total_fuel = 1'000,
                    .total_steps = 3,
                    .data = encode_snapshot(small_snapshot())};
  const auto units = [&](const WasmOutput& out) {
    return used_units(TaskType::custom_wasm, encode(spec), 100, encode(out));
  };
  CHECK(*units(output) == load + 1'000);
  WasmOutput bad = output;
  bad.fuel = load + 5'301;
  CHECK_FALSE(units(bad).ok());
  bad.fuel = load - 1;
  CHECK_FALSE(units(bad).ok());
  bad = output;
  bad.steps = 10;
  CHECK_FALSE(units(bad).ok());
  bad = output;
  bad.total_steps = 4;
  CHECK_FALSE(units(bad).ok());
  bad = output;
  bad.data[100] ^= 1;
  CHECK_FALSE(units(bad).ok());
  spec.module_hash.bytes[5] = 1;
  CHECK(contains(units(output).error().message, "of another module"));
  bad.state = WasmState::done;
  CHECK(units(bad).ok());
  bad.data.resize(kMaxWasmResult + 1);
  CHECK_FALSE(units(bad).ok());
}

}  // namespace tally::task
