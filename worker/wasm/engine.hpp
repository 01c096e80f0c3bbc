// The interpreter, behind an interface without its headers: they are C++17, so engine.cpp is
// compiled as that, and includes nothing of ours but this file.
//
// Runs a module that load_module() made. One thread; a trap ends the use of an engine. Memory that
// cannot be had throws std::bad_alloc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tally::wasm {

class Engine {
 public:
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Nothing, and `why`, if the module cannot be set up.
  static std::unique_ptr<Engine> make(const std::vector<std::uint8_t>& module, std::string& why);

  struct Call {
    bool ok = false;
    std::uint32_t value = 0;  // of a function that returns one
    std::string trap;
  };
  Call call(std::uint32_t function, const std::vector<std::uint32_t>& arguments);

  std::uint8_t* memory();
  std::size_t memory_bytes() const;
  bool grow(std::uint32_t pages);
  // Bits of a global; an i32 has 32 of them.
  std::uint64_t global(std::uint32_t index) const;
  void set_global(std::uint32_t index, std::uint64_t bits);

 private:
  Engine();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tally::wasm
