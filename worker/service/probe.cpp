#include "worker/service/probe.hpp"

#include <unistd.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

namespace tally::worker {

namespace {

using nlohmann::json;
using task::WorkerProfile;

// Long enough to drown the start of the sieve, short enough for a program's start.
constexpr task::PrimeSpec kBenchmark{1'000'000'000, 3'000'000'000};

WorkerProfile machine(const std::string& gpu) {
  return {.cores = std::max(1u, std::thread::hardware_concurrency()),
          .memory_bytes = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                          static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)),
          .gpu = gpu,
          .primes_per_second = 0};
}

// The cached speed, if it is of this machine.
std::uint64_t cached_speed(const std::filesystem::path& path, const WorkerProfile& now) {
  std::ifstream file(path);
  if (!file) return 0;
  const json cached = json::parse(file, nullptr, false);
  if (!cached.is_object() || cached.value("cores", 0u) != now.cores ||
      cached.value("memory_bytes", std::uint64_t{0}) != now.memory_bytes ||
      cached.value("gpu", std::string("?")) != now.gpu) {
    return 0;
  }
  return cached.value("primes_per_second", std::uint64_t{0});
}

Result<std::uint64_t, Error> measure(sandbox::Pool& pool) {
  const Bytes spec = encode(kBenchmark);
  const std::atomic<bool> never{false};
  const auto started = std::chrono::steady_clock::now();
  const auto result =
      pool.run({}, {.id = 0, .type = task::TaskType::prime_calculation, .spec = spec, .input = {}},
               {}, never);
  if (!result) return fail_with("the reference benchmark failed: " + result.error().message);
  const auto elapsed = std::chrono::steady_clock::now() - started;
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count();
  return (kBenchmark.hi - kBenchmark.lo) * 1'000'000 /
         static_cast<std::uint64_t>(std::max<std::int64_t>(micros, 1));
}

}  // namespace

Result<WorkerProfile, Error> probe(sandbox::Pool& pool, const ProbeConfig& config) {
  WorkerProfile profile = machine(config.gpu);
  if (!config.again) profile.primes_per_second = cached_speed(config.cache, profile);
  if (profile.primes_per_second != 0) return profile;
  profile.primes_per_second = TALLY_TRY(measure(pool));
  std::ofstream file(config.cache);
  file << json{{"cores", profile.cores},
               {"memory_bytes", profile.memory_bytes},
               {"gpu", profile.gpu},
               {"primes_per_second", profile.primes_per_second}}
              .dump(2)
       << "\n";
  if (!file) return fail_with("cannot write the probe's result to " + config.cache.string());
  return profile;
}

Balance credits_per_hour(const WorkerProfile& profile) {
  const auto earned = mul_div(kCredit, u128{profile.primes_per_second} * 3'600, 1'800'000'000'000);
  TALLY_ASSERT(earned.ok());
  return *earned;
}

}  // namespace tally::worker
