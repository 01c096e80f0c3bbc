#include "client-sdk/task/wasm_chain.hpp"

#include <catch2/catch.hpp>

#include "primitives/crypto/hash.hpp"

namespace tally::task {

namespace {

Bytes module() {
  return Bytes(100, 7);
}

// What a worker gives after so many steps of the guest in this segment.
Bytes running(const WasmChain& chain, const WasmSpec& spec, std::uint32_t steps) {
  Snapshot snapshot;
  snapshot.module_hash = spec.module_hash;
  snapshot.steps = chain.state.steps + steps;
  snapshot.fuel = snapshot.steps * 10;
  const std::size_t input = chain.state.module.size() + chain.state.rest.size();
  return encode(WasmOutput{.state = WasmState::running,
                           .fuel = load_fuel(spec, input) + steps * 10,
                           .steps = steps,
                           .total_fuel = snapshot.fuel,
                           .total_steps = snapshot.steps,
                           .data = encode_snapshot(snapshot)});
}

}  // namespace

TEST_CASE("a chain goes from its arguments over snapshots to its result") {
  auto chain = *begin_chain(module(), to_bytes(as_bytes("arguments")));
  WasmSpec spec = segment(chain, {});
  CHECK(spec.begin == WasmBegin::start);
  CHECK(spec.module_hash == blake2_256(module()));
  CHECK(decode_chain(encode_chain(chain))->state == chain.state);

  REQUIRE(advance(chain, spec, running(chain, spec, 5), Balance(3)).ok());
  CHECK(chain.state.begin == WasmBegin::resume);
  CHECK(chain.state.steps == 5);
  CHECK(chain.state.fuel == 3'200 + 9 + 50);
  CHECK(decode_chain(encode_chain(chain))->state == chain.state);

  spec = segment(chain, {});
  REQUIRE(advance(chain, spec, running(chain, spec, 2), Balance(4)).ok());
  CHECK(chain.state.segments == 2);
  CHECK(chain.state.steps == 7);
  CHECK(chain.state.paid == Balance(7));

  spec = segment(chain, {});
  const std::size_t input = chain.state.module.size() + chain.state.rest.size();
  const WasmOutput last{.state = WasmState::done,
                        .fuel = load_fuel(spec, input) + 1,
                        .steps = 1,
                        .total_fuel = 71,
                        .total_steps = 8,
                        .data = to_bytes(as_bytes("result"))};
  REQUIRE(advance(chain, spec, encode(last), Balance(1)).ok());
  CHECK(as_text(*chain.result) == "result");
}

TEST_CASE("an output that does not follow on is refused, and the chain stays as it was") {
  auto chain = *begin_chain(module(), {});
  const WasmSpec spec = segment(chain, {});
  REQUIRE(advance(chain, spec, running(chain, spec, 5), Balance(3)).ok());
  const WasmChainState before = chain.state;
  WasmChain behind = chain;
  behind.state.steps = 3;
  const WasmSpec next = segment(chain, {});
  // One that counts from step 3, and one of another module.
  CHECK_FALSE(advance(chain, next, running(behind, next, 2), Balance(1)).ok());
  WasmSpec other = next;
  other.module_hash.bytes[0] ^= 1;
  CHECK_FALSE(advance(chain, next, running(chain, other, 2), Balance(1)).ok());
  CHECK(chain.state == before);
}

TEST_CASE("a checkpoint is decoded strictly") {
  auto chain = *begin_chain(module(), {});
  const WasmSpec spec = segment(chain, {});
  REQUIRE(advance(chain, spec, running(chain, spec, 5), Balance(3)).ok());
  const auto refused = [](const WasmChain& bad, const std::string& why) {
    const auto decoded = decode_chain(encode_chain(bad));
    REQUIRE_FALSE(decoded.ok());
    CHECK(decoded.error().message.find(why) != std::string::npos);
  };
  const Bytes good = encode_chain(chain);
  for (std::size_t size = 0; size < good.size(); ++size) {
    REQUIRE_FALSE(decode_chain(ByteView(good).first(size)).ok());
  }
  WasmChain bad = chain;
  bad.state.steps = 6;
  refused(bad, "another step");
  bad = chain;
  bad.state.module[0] ^= 1;
  refused(bad, "another module");
  bad = chain;
  bad.state.rest[50] ^= 1;
  refused(bad, "hash does not hold");
  bad = chain;
  bad.state.begin = WasmBegin::start;
  refused(bad, "holds no snapshot");
  bad = chain;
  bad.state.version = 2;
  refused(bad, "expected version 1, got 2");
  bad = chain;
  bad.state.magic[1] = 'x';
  refused(bad, "does not begin with");
  bad = chain;
  bad.state.module = Bytes(kMaxWasmModule + 1);
  refused(bad, "got 1048577");
}

TEST_CASE("a module or arguments beyond the limits begin no chain") {
  CHECK_FALSE(begin_chain({}, {}).ok());
  CHECK_FALSE(begin_chain(Bytes(kMaxWasmModule + 1), {}).ok());
  CHECK_FALSE(begin_chain(module(), Bytes(kMaxWasmArguments + 1)).ok());
}

}  // namespace tally::task
