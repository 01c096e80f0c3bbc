#include "worker/executors/cuda/device.hpp"

namespace tally::executors::cuda {

#ifdef TALLY_WITH_CUDA
Result<std::unique_ptr<Device>, Error> make_device();
#endif

namespace {

std::unique_ptr<Device>& opened() {
  static std::unique_ptr<Device> device;
  return device;
}

}  // namespace

Result<Device*, Error> open_device() {
  if (opened() != nullptr) return opened().get();
#ifdef TALLY_WITH_CUDA
  opened() = TALLY_TRY(make_device());
  return opened().get();
#else
  return fail_with("this program was built without nvcc; vector_search runs on the CPU");
#endif
}

Device* device() {
  return opened().get();
}

}  // namespace tally::executors::cuda
