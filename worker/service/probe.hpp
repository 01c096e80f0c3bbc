// What this machine can do: cores, memory, GPU, and its speed at the reference benchmark (integers
// sieved per second by prime_calculation, in the sandbox, one core). Measured once and kept in a
// file, until the machine's cores, memory or GPU change or the operator asks again.
#pragma once

#include <filesystem>

#include "client-sdk/task/offer.hpp"
#include "worker/sandbox/pool.hpp"

namespace tally::worker {

struct ProbeConfig {
  std::filesystem::path cache;  // JSON
  std::string gpu;              // the device that the GPU executor opened; empty: none
  bool again = false;           // measure even if the cache fits
};

// Takes about a second when it measures.
Result<task::WorkerProfile, Error> probe(sandbox::Pool& pool, const ProbeConfig& config);

// 1 CC is 1.8·10¹² integers sieved: what this machine earns an hour and core at the reference
// price.
Balance credits_per_hour(const task::WorkerProfile& profile);

}  // namespace tally::worker
