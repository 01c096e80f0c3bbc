// Threads for what the core must not do alone: signature checks and subtrees of the state tree.
//
// run() shares the jobs with the calling thread, so that it makes progress even when all threads
// are busy; post() queues a job for later. Threads: any.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "node/ports/verifier.hpp"
#include "runtime/tree/tree.hpp"

namespace tally::service {

class WorkerPool final : public tree::Executor {
 public:
  explicit WorkerPool(std::size_t threads);
  ~WorkerPool() override;  // finishes what is queued

  void run(std::size_t count, const std::function<void(std::size_t)>& job) const override;
  void post(std::function<void()> job) const;

 private:
  void work();

  mutable std::mutex mutex_;
  mutable std::condition_variable wake_;
  mutable std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

// The Verifier port over a pool. `done` is called on a thread of the pool.
class PoolVerifier final : public ports::Verifier {
 public:
  using Done = std::function<void(std::uint64_t ticket, std::vector<bool> results)>;
  PoolVerifier(const WorkerPool& pool, Done done) : pool_(pool), done_(std::move(done)) {}

  bool verify(const Ed25519Key& key, ByteView message,
              const Ed25519Signature& signature) const override {
    return ed25519_verify(key, message, signature);
  }
  std::optional<VrfOutput> verify_vrf(const VrfKey& key, ByteView alpha,
                                      const VrfProof& proof) const override {
    return vrf_verify(key, alpha, proof);
  }
  std::vector<bool> check(const std::vector<ports::SignatureJob>& jobs) const override;
  void check_later(std::uint64_t ticket, std::vector<ports::SignatureJob> jobs) override;

 private:
  const WorkerPool& pool_;
  Done done_;
};

}  // namespace tally::service
