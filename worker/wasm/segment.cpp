#include "worker/wasm/segment.hpp"

#include "primitives/crypto/hash.hpp"
#include "worker/wasm/machine.hpp"

namespace tally::wasm {

Result<task::WasmOutput, task::TaskFailure> run_segment(const task::WasmSpec& spec,
                                                        ByteView input) {
  const ByteView bytes = input.first(spec.module_bytes);
  const ByteView rest = input.subspan(spec.module_bytes);
  if (const Hash hash = blake2_256(bytes); hash != spec.module_hash) {
    return fail(task::TaskFailure{task::FailureReason::bad_input,
                                  "the input does not begin with the spec's module: expected " +
                                      to_hex_prefixed(spec.module_hash) + ", got " +
                                      to_hex_prefixed(hash)});
  }
  Machine machine = TALLY_TRY(Machine::load(bytes, spec.step_fuel));
  const bool start = spec.begin == task::WasmBegin::start;
  if (start) {
    TALLY_TRY(machine.begin(rest));
  } else {
    TALLY_TRY(machine.restore(rest));
  }
  const std::uint64_t steps_before = machine.steps();
  // What beginning used counts for this segment.
  const std::uint64_t fuel_before = start ? 0 : machine.fuel();
  task::WasmOutput out;
  while (machine.fuel() - fuel_before < spec.fuel && machine.steps() - steps_before < spec.steps) {
    if (!TALLY_TRY(machine.step())) continue;
    out.state = task::WasmState::done;
    out.data = TALLY_TRY(machine.result());
    break;
  }
  if (out.state == task::WasmState::running) out.data = TALLY_TRY(machine.snapshot());
  out.steps = static_cast<std::uint32_t>(machine.steps() - steps_before);
  out.fuel = task::load_fuel(spec, input.size()) + (machine.fuel() - fuel_before);
  out.total_fuel = machine.fuel();
  out.total_steps = machine.steps();
  return out;
}

}  // namespace tally::wasm
