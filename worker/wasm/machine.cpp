#include "worker/wasm/machine.hpp"

#include <algorithm>
#include <cstring>

#include "primitives/crypto/hash.hpp"

namespace tally::wasm {

namespace {

using task::FailureReason;
using task::TaskFailure;

constexpr std::uint32_t kGoOn = 0;
constexpr std::uint32_t kDone = 1;

Failure<TaskFailure> failed(FailureReason reason, std::string message) {
  return {TaskFailure{reason, std::move(message)}};
}

bool all_zero(const std::uint8_t* bytes) {
  return std::all_of(bytes, bytes + task::kSnapshotBlock, [](std::uint8_t b) { return b == 0; });
}

}  // namespace

Machine::Machine(Module module, std::unique_ptr<Engine> engine, std::uint64_t step_fuel)
    : module_(std::move(module)), engine_(std::move(engine)), step_fuel_(step_fuel) {}

Ran<Machine> Machine::load(ByteView bytes, std::uint64_t step_fuel) {
  auto module = load_module(bytes);
  if (!module) return failed(FailureReason::bad_module, module.error().message);
  std::string why;
  auto engine = Engine::make(module->metered, why);
  if (engine == nullptr) {
    return failed(FailureReason::bad_module, "the module cannot be set up: " + why);
  }
  module->metered = {};
  Machine machine(*std::move(module), std::move(engine), step_fuel);
  machine.module_hash_ = blake2_256(bytes);
  return machine;
}

Ran<std::uint32_t> Machine::call(const Use& use) {
  engine_->set_global(module_.fuel_global, budget_);
  const Engine::Call result = engine_->call(use.function, use.arguments);
  const auto left = static_cast<std::int64_t>(engine_->global(module_.fuel_global));
  if (left < 0) {
    return failed(FailureReason::out_of_fuel,
                  std::string(use.name) + " used more than the fuel of one step, " +
                      to_decimal(step_fuel_) + "; make its steps smaller, or allow them more");
  }
  if (!result.ok) {
    const bool deep = engine_->global(module_.depth_global) > kMaxCallDepth;
    return failed(FailureReason::trapped,
                  std::string("the module trapped in ") + use.name + ": " +
                      (deep ? "calls deeper than " + to_decimal(kMaxCallDepth) : result.trap));
  }
  fuel_ += budget_ - static_cast<std::uint64_t>(left);
  budget_ = static_cast<std::uint64_t>(left);
  return result.value;
}

Ran<std::span<std::uint8_t>> Machine::range(const char* name, std::uint32_t address,
                                            std::uint32_t size) {
  if (std::uint64_t{address} + size > engine_->memory_bytes()) {
    return failed(FailureReason::trapped, std::string(name) + " points outside the memory of " +
                                              to_decimal(engine_->memory_bytes()) +
                                              " bytes: " + to_decimal(size) + " bytes at " +
                                              to_decimal(address));
  }
  return std::span(engine_->memory() + address, size);
}

Ran<void> Machine::begin(ByteView arguments) {
  budget_ = step_fuel_;
  const auto size = static_cast<std::uint32_t>(arguments.size());
  const std::uint32_t address = TALLY_TRY(call({module_.entry.buffer, "tally_buffer", {size}}));
  const auto to = TALLY_TRY(range("tally_buffer", address, size));
  std::copy(arguments.begin(), arguments.end(), to.begin());
  TALLY_TRY(call({module_.entry.init, "tally_init", {address, size}}));
  return {};
}

Ran<void> Machine::restore_globals(const task::Snapshot& snapshot) {
  const std::vector<MutableGlobal>& expected = module_.globals;
  bool same = snapshot.globals.size() == expected.size();
  for (std::size_t i = 0; same && i < expected.size(); ++i) {
    same = snapshot.globals[i].type == expected[i].type;
  }
  if (!same) {
    return failed(FailureReason::bad_input,
                  "the snapshot's globals are not those of the module; expected " +
                      to_decimal(expected.size()) + ", got " + to_decimal(snapshot.globals.size()));
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    engine_->set_global(expected[i].index, snapshot.globals[i].bits);
  }
  return {};
}

Ran<void> Machine::restore(ByteView bytes) {
  const auto snapshot = task::decode_snapshot(bytes);
  if (!snapshot) return failed(FailureReason::bad_input, snapshot.error().message);
  if (snapshot->module_hash != module_hash_) {
    return failed(FailureReason::bad_input, "the snapshot is of another module: expected " +
                                                to_hex_prefixed(module_hash_) + ", got " +
                                                to_hex_prefixed(snapshot->module_hash));
  }
  if (snapshot->pages < module_.pages_min || snapshot->pages > module_.pages_max) {
    return failed(FailureReason::bad_input,
                  "the snapshot's memory is not one of the module: expected " +
                      to_decimal(module_.pages_min) + " to " + to_decimal(module_.pages_max) +
                      " pages, got " + to_decimal(snapshot->pages));
  }
  TALLY_TRY(restore_globals(*snapshot));
  TALLY_ASSERT(engine_->grow(snapshot->pages - module_.pages_min));
  // What the module's own data put there is part of no state but the first.
  std::memset(engine_->memory(), 0, engine_->memory_bytes());
  for (const task::SnapshotBlock& block : snapshot->blocks) {
    std::memcpy(engine_->memory() + std::size_t{block.index} * task::kSnapshotBlock,
                block.bytes.data(), task::kSnapshotBlock);
  }
  fuel_ = snapshot->fuel;
  steps_ = snapshot->steps;
  return {};
}

Ran<bool> Machine::step() {
  budget_ = step_fuel_;
  const std::uint32_t answer = TALLY_TRY(call({module_.entry.step, "tally_step"}));
  ++steps_;
  if (answer == kGoOn || answer == kDone) return answer == kDone;
  return failed(FailureReason::trapped,
                "tally_step must return 0 (go on) or 1 (done), got " + to_decimal(answer));
}

Ran<Bytes> Machine::result() {
  const std::uint32_t address = TALLY_TRY(call({module_.entry.result, "tally_result"}));
  const std::uint32_t size = TALLY_TRY(call({module_.entry.result_size, "tally_result_size"}));
  if (size > task::kMaxWasmResult) {
    return failed(FailureReason::trapped, "a result has at most " +
                                              to_decimal(task::kMaxWasmResult) + " bytes, got " +
                                              to_decimal(size));
  }
  const auto bytes = TALLY_TRY(range("tally_result", address, size));
  return Bytes(bytes.begin(), bytes.end());
}

Ran<Bytes> Machine::snapshot() {
  task::Snapshot out;
  out.module_hash = module_hash_;
  out.steps = steps_;
  out.fuel = fuel_;
  out.pages = static_cast<std::uint32_t>(engine_->memory_bytes() / task::kWasmPage);
  for (const MutableGlobal& global : module_.globals) {
    TALLY_ASSERT(out.globals.push_back({global.type, engine_->global(global.index)}));
  }
  const std::uint8_t* const memory = engine_->memory();
  const std::size_t blocks = engine_->memory_bytes() / task::kSnapshotBlock;
  for (std::uint32_t i = 0; i < blocks; ++i) {
    const std::uint8_t* const bytes = memory + std::size_t{i} * task::kSnapshotBlock;
    if (all_zero(bytes)) continue;
    task::SnapshotBlock block{.index = i};
    std::memcpy(block.bytes.data(), bytes, task::kSnapshotBlock);
    if (!out.blocks.push_back(block)) {
      return failed(FailureReason::trapped, "the machine's state is too large: expected at most " +
                                                to_decimal(task::kMaxSnapshotBlocks) +
                                                " blocks of 4 KiB that are not zero, got more");
    }
  }
  return task::encode_snapshot(std::move(out));
}

}  // namespace tally::wasm
