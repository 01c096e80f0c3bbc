#include "worker/wasm/engine.hpp"

#include <wabt/binary-reader.h>
#include <wabt/interp/binary-reader-interp.h>
#include <wabt/interp/interp.h>

#include "worker/wasm/features.hpp"

namespace tally::wasm {

namespace interp = wabt::interp;

struct Engine::State {
  interp::Store store{guest_features()};
  interp::Module::Ptr module;
  interp::Instance::Ptr instance;
  interp::Memory::Ptr memory;
  std::unique_ptr<interp::Thread> thread;

  interp::Global::Ptr global(std::uint32_t index) {
    return store.UnsafeGet<interp::Global>(instance->globals()[index]);
  }
};

Engine::Engine() : state_(std::make_unique<State>()) {}
Engine::~Engine() = default;

std::unique_ptr<Engine> Engine::make(const std::vector<std::uint8_t>& module, std::string& why) {
  std::unique_ptr<Engine> engine(new Engine());
  State& state = *engine->state_;
  interp::ModuleDesc desc;
  wabt::ReadBinaryOptions options;
  options.features = guest_features();
  wabt::Errors errors;
  if (wabt::Failed(interp::ReadBinaryInterp("module", module.data(), module.size(), options,
                                            &errors, &desc))) {
    why = errors.empty() ? "it is malformed" : errors.front().message;
    return nullptr;
  }
  state.module = interp::Module::New(state.store, std::move(desc));
  interp::Trap::Ptr trap;
  state.instance = interp::Instance::Instantiate(state.store, state.module.ref(), {}, &trap);
  if (!state.instance) {
    why = trap ? trap->message() : "it has imports";
    return nullptr;
  }
  state.memory = state.store.UnsafeGet<interp::Memory>(state.instance->memories()[0]);
  state.thread = std::make_unique<interp::Thread>(state.store);
  return engine;
}

Engine::Call Engine::call(std::uint32_t function, const std::vector<std::uint32_t>& arguments) {
  interp::Values parameters;
  for (const std::uint32_t argument : arguments) {
    parameters.push_back(interp::Value::Make(argument));
  }
  interp::Values results;
  interp::Trap::Ptr trap;
  const auto target = state_->store.UnsafeGet<interp::Func>(state_->instance->funcs()[function]);
  Call out;
  if (wabt::Failed(target->Call(*state_->thread, parameters, results, &trap))) {
    out.trap = trap ? trap->message() : "unknown";
    return out;
  }
  out.ok = true;
  if (!results.empty()) out.value = results.front().Get<interp::u32>();
  return out;
}

std::uint8_t* Engine::memory() {
  return state_->memory->UnsafeData();
}

std::size_t Engine::memory_bytes() const {
  return state_->memory->ByteSize();
}

bool Engine::grow(std::uint32_t pages) {
  return wabt::Succeeded(state_->memory->Grow(pages));
}

std::uint64_t Engine::global(std::uint32_t index) const {
  const auto global = state_->global(index);
  if (global->type().type == wabt::Type::I64) return global->UnsafeGet<interp::u64>();
  return global->UnsafeGet<interp::u32>();
}

void Engine::set_global(std::uint32_t index, std::uint64_t bits) {
  const auto global = state_->global(index);
  if (global->type().type == wabt::Type::I64) {
    global->UnsafeSet(interp::Value::Make(interp::u64{bits}));
  } else {
    global->UnsafeSet(interp::Value::Make(static_cast<interp::u32>(bits)));
  }
}

}  // namespace tally::wasm
