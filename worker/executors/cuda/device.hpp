// The GPU behind vector_search, where the build found nvcc and the process opened a device.
//
// A device is opened once, by the executor process, before its sandbox closes: opening needs files
// that the sandbox forbids. Scores are integer sums, so the GPU's order of addition does not matter
// and its answers are the CPU's, bit for bit.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client-sdk/task/specs.hpp"
#include "primitives/bytes.hpp"
#include "primitives/result.hpp"

namespace tally::executors::cuda {

struct DeviceInfo {
  std::string name;
  std::uint64_t memory_bytes{};
};

class Device {
 public:
  virtual ~Device() = default;
  virtual const DeviceInfo& info() const = 0;
  virtual std::vector<task::VectorMatch> nearest_vectors(const task::VectorSearchSpec& spec,
                                                         ByteView input) = 0;
};

// Opens the first usable device; the error says why there is none (built without nvcc, no driver,
// no device). Idempotent.
Result<Device*, Error> open_device();
// The opened device, or null.
Device* device();

}  // namespace tally::executors::cuda
