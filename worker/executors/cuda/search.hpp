// The seam between the C++ of the house and the translation unit that nvcc compiles: plain types
// only.
#pragma once

#include <cstdint>

namespace tally::executors::cuda {

struct SearchShape {
  bool dot{};  // else squared_l2
  std::uint32_t dimensions{};
  std::uint32_t count{};
  std::uint32_t queries{};
  std::uint32_t k{};
};

struct GpuFound {
  char name[256];
  std::uint64_t memory_bytes;
};

// Null on success, else CUDA's words for what is wrong.
const char* gpu_open(GpuFound& found);
// keys[q * k + i] = (rank + 2³¹) << 32 | id, ascending for each query; rank is −dot or the squared
// distance. `input` is laid out as client-sdk/task/specs.hpp says.
const char* gpu_search(const SearchShape& shape, const std::uint8_t* input, std::uint64_t* keys);

}  // namespace tally::executors::cuda
