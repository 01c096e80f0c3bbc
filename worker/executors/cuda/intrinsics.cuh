// The few instructions that CUDA C++ has no words for. kernels.cuh says what they are used for.
#pragma once

#include <cstdint>

namespace tally::executors::cuda {

// 16 bytes from global to shared memory, past the registers.
__device__ inline void copy_async(void* shared, const void* global) {
  const auto to = static_cast<std::uint32_t>(__cvta_generic_to_shared(shared));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;\n" ::"r"(to), "l"(global));
}
__device__ inline void copy_commit() {
  asm volatile("cp.async.commit_group;\n");
}
__device__ inline void copy_wait_but_one() {
  asm volatile("cp.async.wait_group 1;\n");
}
__device__ inline void copy_wait_all() {
  asm volatile("cp.async.wait_group 0;\n");
}

// sums += a · b: 16 × 32 by 32 × 8 int8, in int32.
__device__ inline void multiply_add(std::int32_t (&sums)[4], const std::uint32_t (&a)[4],
                                    const std::uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 "
      "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
      : "+r"(sums[0]), "+r"(sums[1]), "+r"(sums[2]), "+r"(sums[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// The value of the lane that many further on.
__device__ inline std::int32_t from_lane(std::int32_t value, int distance) {
  return __shfl_down_sync(0xffffffffu, value, distance);
}

}  // namespace tally::executors::cuda
