#include "primitives/crypto/lanes/blake2_lanes.hpp"

namespace tally::lanes {

#if defined(__x86_64__)

namespace {

using Hash = void (*)(Group&, bool);

Hash choose() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) return detail::hash_avx512;
  if (__builtin_cpu_supports("avx2")) return detail::hash_avx2;
  return nullptr;
}

Hash chosen() {
  static const Hash hash = choose();
  return hash;
}

}  // namespace

bool available() {
  return chosen() != nullptr;
}
void hash(Group& group) {
  chosen()(group, false);
}
void hash_pairs(Group& group) {
  chosen()(group, true);
}

#else

bool available() {
  return false;
}
void hash(Group&) {}
void hash_pairs(Group&) {}

#endif

}  // namespace tally::lanes
