// What a worker offers, signed by its account and sent in its hello.
#pragma once

#include <string>

#include "client-sdk/task/specs.hpp"
#include "primitives/bounded.hpp"
#include "primitives/crypto/seal.hpp"
#include "primitives/crypto/sign.hpp"

namespace tally::task {

constexpr std::size_t kMaxOfferedTypes = 64;

// What the probe at the worker's start measured. For ranking; nobody relies on it.
struct WorkerProfile {
  std::uint32_t cores{};
  std::uint64_t memory_bytes{};
  std::string gpu;                    // its name; empty: none
  std::uint64_t primes_per_second{};  // integers sieved per second, the reference benchmark
  friend bool operator==(const WorkerProfile&, const WorkerProfile&) = default;
};
TALLY_DESCRIBE(WorkerProfile, cores, memory_bytes, gpu, primes_per_second);

struct WorkerOffer {
  SealKey seal_key;  // payloads are sealed to it
  Hash environment;  // executor_environment()
  BoundedVec<TaskPrice, kMaxOfferedTypes> prices;
  std::uint32_t window{};         // channel versions that the requester may run ahead
  std::uint32_t credit_window{};  // unpaid tasks at a time; 0: prepaid
  std::uint32_t max_timeout_ms{};
  std::uint64_t max_input_bytes{};
  std::uint64_t max_output_bytes{};
  WorkerProfile profile;
  TimestampMs issued_ms;
  friend bool operator==(const WorkerOffer&, const WorkerOffer&) = default;
};
TALLY_DESCRIBE(WorkerOffer, seal_key, environment, prices, window, credit_window, max_timeout_ms,
               max_input_bytes, max_output_bytes, profile, issued_ms);

MultiSignature sign_offer(const KeyPair& worker, const Hash& genesis_hash, ByteView offer);
bool offer_signature_is_valid(const AccountId& worker, const Hash& genesis_hash, ByteView offer,
                              const MultiSignature& signature);
const TaskPrice* find_price(const WorkerOffer& offer, TaskType type);

}  // namespace tally::task
