#include <thread>

#include "primitives/crypto/hash.hpp"
#include "primitives/crypto/sign.hpp"
#include "tools/benchmarks/measure.hpp"

namespace tally::bench {
namespace {

constexpr double kSeconds = 1.0;
constexpr int kBatch = 100;

struct SignedDigest {
  Hash digest = blake2_256(as_bytes("a digest"));
  EcdsaSignature signature;
};

SignedDigest signed_digest() {
  SignedDigest out;
  out.signature = *ecdsa_sign(*Secret::from(blake2_256(as_bytes("a key")).view()), out.digest);
  return out;
}

double check_rate() {
  const SignedDigest sample = signed_digest();
  return rate(kSeconds, kBatch, [&] {
    for (int i = 0; i < kBatch; ++i) TALLY_ASSERT(ecdsa_recover(sample.signature, sample.digest));
  });
}

}  // namespace

double hashes_per_second() {
  std::array<std::uint8_t, 64> data{};
  return rate(kSeconds, 10'000, [&] {
    for (int i = 0; i < 10'000; ++i) data[0] = blake2_256(data).bytes[0];
  });
}

double checks_per_second() {
  return check_rate();
}

double signs_per_second() {
  const Secret key = *Secret::from(blake2_256(as_bytes("a key")).view());
  const Hash digest = blake2_256(as_bytes("a digest"));
  return rate(kSeconds, kBatch, [&] {
    for (int i = 0; i < kBatch; ++i) TALLY_ASSERT(ecdsa_sign(key, digest));
  });
}

double checks_per_second_all_cores() {
  std::vector<double> rates(std::max(1u, std::thread::hardware_concurrency()));
  std::vector<std::thread> threads;
  for (double& slot : rates) threads.emplace_back([&slot] { slot = check_rate(); });
  for (auto& thread : threads) thread.join();
  double sum = 0;
  for (double r : rates) sum += r;
  return sum;
}

}  // namespace tally::bench
