#include <new>

#include "worker/executors/cuda/device.hpp"
#include "worker/executors/cuda/search.hpp"

namespace tally::executors::cuda {

namespace {

class Gpu final : public Device {
 public:
  explicit Gpu(DeviceInfo info) : info_(std::move(info)) {}
  const DeviceInfo& info() const override { return info_; }

  std::vector<task::VectorMatch> nearest_vectors(const task::VectorSearchSpec& spec,
                                                 ByteView input) override {
    const bool dot = spec.metric == task::Metric::dot;
    std::vector<std::uint64_t> keys(std::size_t{spec.k} * spec.queries);
    const SearchShape shape{dot, spec.dimensions, spec.count, spec.queries, spec.k};
    // The device's memory is all that can run out here, and the caller knows what to do about that.
    if (gpu_search(shape, input.data(), keys.data()) != nullptr) throw std::bad_alloc();
    std::vector<task::VectorMatch> out;
    out.reserve(keys.size());
    for (const std::uint64_t key : keys) {
      const auto rank =
          static_cast<std::int32_t>(static_cast<std::uint32_t>(key >> 32) ^ 0x80000000u);
      out.push_back({.id = static_cast<std::uint32_t>(key), .score = dot ? -rank : rank});
    }
    return out;
  }

 private:
  DeviceInfo info_;
};

}  // namespace

Result<std::unique_ptr<Device>, Error> make_device();

Result<std::unique_ptr<Device>, Error> make_device() {
  GpuFound found{};
  if (const char* error = gpu_open(found)) {
    return fail_with(std::string("no GPU is used: ") + error);
  }
  return std::unique_ptr<Device>(
      std::make_unique<Gpu>(DeviceInfo{.name = found.name, .memory_bytes = found.memory_bytes}));
}

}  // namespace tally::executors::cuda
