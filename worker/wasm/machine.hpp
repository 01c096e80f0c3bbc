// A guest between its steps: begun from arguments or restored from a snapshot, stepped, and read
// out. Fuel is counted from call to call; the limits are those of client-sdk/task/wasm.hpp.
#pragma once

#include <memory>

#include "client-sdk/task/failure.hpp"
#include "client-sdk/task/wasm.hpp"
#include "worker/wasm/engine.hpp"
#include "worker/wasm/module.hpp"

namespace tally::wasm {

template <class T>
using Ran = Result<T, task::TaskFailure>;

class Machine {
 public:
  // `step_fuel`: most that beginning, or one step, may use.
  static Ran<Machine> load(ByteView module, std::uint64_t step_fuel);

  Ran<void> begin(ByteView arguments);
  Ran<void> restore(ByteView snapshot);
  // True when the guest is done; its result is then read within the fuel of this step.
  Ran<bool> step();
  Ran<Bytes> result();
  Ran<Bytes> snapshot();

  // Since the guest's start, whatever machines it ran on.
  std::uint64_t fuel() const { return fuel_; }
  std::uint64_t steps() const { return steps_; }

 private:
  Machine(Module module, std::unique_ptr<Engine> engine, std::uint64_t step_fuel);
  struct Use {
    std::uint32_t function{};
    const char* name{};
    std::vector<std::uint32_t> arguments{};
  };
  // One call within the budget that is left.
  Ran<std::uint32_t> call(const Use& use);
  // Where `size` bytes at `address` are in the guest's memory.
  Ran<std::span<std::uint8_t>> range(const char* name, std::uint32_t address, std::uint32_t size);
  Ran<void> restore_globals(const task::Snapshot& snapshot);

  Module module_;
  Hash module_hash_;
  std::unique_ptr<Engine> engine_;
  std::uint64_t step_fuel_;
  std::uint64_t budget_ = 0;
  std::uint64_t fuel_ = 0;
  std::uint64_t steps_ = 0;
};

}  // namespace tally::wasm
