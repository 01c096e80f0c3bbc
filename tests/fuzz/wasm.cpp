// custom_wasm: snapshots and chains, which are decoded strictly, and modules of strangers, which
// are refused or loaded and run for a little fuel. The first byte chooses.
#include "client-sdk/task/wasm_chain.hpp"
#include "tests/fuzz/target.hpp"
#include "worker/wasm/machine.hpp"

namespace tally::fuzz {

namespace {

constexpr std::uint64_t kStepFuel = 20'000;
constexpr int kSteps = 3;

void run_module(ByteView module) {
  auto machine = wasm::Machine::load(module, kStepFuel);
  if (!machine.ok()) {
    TALLY_ASSERT(!machine.error().message.empty());
    return;
  }
  if (!machine->begin(as_bytes("arguments")).ok()) return;
  for (int i = 0; i < kSteps; ++i) {
    const auto stepped = machine->step();
    if (!stepped.ok() || *stepped) return;
  }
  const auto snapshot = machine->snapshot();
  if (!snapshot.ok()) return;
  // Restored elsewhere, the guest is where it was, and goes on as it would have.
  auto other = wasm::Machine::load(module, kStepFuel);
  TALLY_ASSERT(other.ok() && other->restore(*snapshot).ok());
  TALLY_ASSERT(equal(*other->snapshot(), *snapshot));
  const auto here = machine->step();
  const auto there = other->step();
  TALLY_ASSERT(here.ok() == there.ok());
  if (!here.ok()) {
    TALLY_ASSERT(here.error() == there.error());
    return;
  }
  TALLY_ASSERT(*here == *there && machine->fuel() == other->fuel());
}

}  // namespace

void run(ByteView input) {
  if (input.empty()) return;
  const ByteView rest = input.subspan(1);
  if (input[0] == 'm') return run_module(rest);
  if (const auto snapshot = task::decode_snapshot(rest); snapshot.ok()) {
    TALLY_ASSERT(equal(task::encode_snapshot(*snapshot), rest));
  }
  if (const auto chain = task::decode_chain(rest); chain.ok()) {
    TALLY_ASSERT(equal(task::encode_chain(*chain), rest));
  }
}

}  // namespace tally::fuzz
