#include "client-sdk/task/wasm_chain.hpp"

#include <algorithm>

#include "primitives/crypto/hash.hpp"

namespace tally::task {

namespace {

Failure<Error> bad_chain(const std::string& why) {
  return fail_with("this is no checkpoint of a custom_wasm computation: " + why);
}

Result<void, Error> check_chain(const WasmChain& chain) {
  const WasmSpec spec = segment(chain, {});
  return check(spec, chain.state.module.size() + chain.state.rest.size());
}

}  // namespace

Result<WasmChain, Error> begin_chain(Bytes module, Bytes arguments) {
  WasmChain chain;
  chain.state.module = std::move(module);
  chain.state.rest = std::move(arguments);
  TALLY_TRY(check_chain(chain));
  return chain;
}

WasmSpec segment(const WasmChain& chain, const SegmentLimits& limits) {
  return {.module_hash = blake2_256(chain.state.module),
          .module_bytes = static_cast<std::uint32_t>(
              std::min<std::size_t>(chain.state.module.size(), ~std::uint32_t{0})),
          .begin = chain.state.begin,
          .fuel = limits.fuel,
          .step_fuel = limits.step_fuel,
          .steps = limits.steps};
}

Result<WasmOutput, Error> advance(WasmChain& chain, const WasmSpec& spec, ByteView bytes,
                                  Balance price) {
  WasmChainState& state = chain.state;
  auto output = TALLY_TRY(read_wasm_output(spec, state.module.size() + state.rest.size(), bytes));
  const std::uint64_t fuel = state.fuel + output.fuel;
  const auto paid = checked_add(state.paid, price);
  if (fuel < state.fuel || !paid) return fail_with("the sums of the chain are too large");
  if (output.total_steps != state.steps + output.steps) {
    return fail_with("expected the guest to stand at step " +
                     to_decimal(state.steps + output.steps) + ", got " +
                     to_decimal(output.total_steps));
  }
  ++state.segments;
  state.steps = output.total_steps;
  state.fuel = fuel;
  state.paid = *paid;
  if (output.state == WasmState::done) {
    chain.result = output.data;
  } else {
    state.begin = WasmBegin::resume;
    state.rest = output.data;
  }
  return output;
}

Bytes encode_chain(const WasmChain& chain) {
  return encode(chain.state);
}

Result<WasmChain, Error> decode_chain(ByteView bytes) {
  if (bytes.size() <= kChainMagic.size() ||
      !std::equal(kChainMagic.begin(), kChainMagic.end(), bytes.begin())) {
    return bad_chain("it does not begin with \"TWCH\"");
  }
  if (bytes[kChainMagic.size()] != kChainVersion) {
    return bad_chain("expected version " + to_decimal(kChainVersion) + ", got " +
                     to_decimal(bytes[kChainMagic.size()]));
  }
  auto state = decode<WasmChainState>(bytes);
  if (!state) return bad_chain(to_text(state.error()));
  WasmChain chain{*std::move(state), std::nullopt};
  if (const auto checked = check_chain(chain); !checked) return bad_chain(checked.error().message);
  if (chain.state.begin == WasmBegin::start) {
    if (chain.state.segments == 0 && chain.state.steps == 0) return chain;
    return bad_chain("it has run, and holds no snapshot");
  }
  const auto snapshot = decode_snapshot(chain.state.rest);
  if (!snapshot) return bad_chain(snapshot.error().message);
  if (snapshot->module_hash != blake2_256(chain.state.module)) {
    return bad_chain("its snapshot is of another module");
  }
  if (snapshot->steps != chain.state.steps) return bad_chain("its snapshot is of another step");
  return chain;
}

}  // namespace tally::task
