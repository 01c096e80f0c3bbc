#include "node/service/worker_pool.hpp"

#include <algorithm>
#include <atomic>
#include <memory>

namespace tally::service {
namespace {

constexpr std::size_t kChunk = 16;  // signature checks of one job: about a millisecond

bool holds(const ports::SignatureJob& job) {
  return verify_signature(job.account, job.payload, job.signature).ok();
}

}  // namespace

WorkerPool::WorkerPool(std::size_t threads) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::work() {
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

void WorkerPool::post(std::function<void()> job) const {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
}

void WorkerPool::run(std::size_t count, const std::function<void(std::size_t)>& job) const {
  // Shared with helpers that may begin after everything has been done.
  struct Round {
    std::atomic<std::size_t> next{0};
    std::atomic<std::size_t> finished{0};
    std::mutex mutex;
    std::condition_variable done;
  };
  const auto round = std::make_shared<Round>();
  const auto help = [round, count, &job] {
    for (;;) {
      const std::size_t index = round->next.fetch_add(1);
      if (index >= count) return;
      job(index);
      if (round->finished.fetch_add(1) + 1 == count) {
        const std::lock_guard lock(round->mutex);
        round->done.notify_all();
      }
    }
  };
  const std::size_t helpers = count == 0 ? 0 : std::min(threads_.size(), count - 1);
  for (std::size_t i = 0; i < helpers; ++i) post(help);
  help();
  std::unique_lock lock(round->mutex);
  round->done.wait(lock, [&] { return round->finished.load() == count; });
}

std::vector<bool> PoolVerifier::check(const std::vector<ports::SignatureJob>& jobs) const {
  std::vector<std::uint8_t> results(jobs.size());  // not vector<bool>: threads write side by side
  const std::size_t chunks = (jobs.size() + kChunk - 1) / kChunk;
  pool_.run(chunks, [&](std::size_t chunk) {
    const std::size_t end = std::min(jobs.size(), (chunk + 1) * kChunk);
    for (std::size_t i = chunk * kChunk; i < end; ++i) results[i] = holds(jobs[i]) ? 1 : 0;
  });
  return {results.begin(), results.end()};
}

void PoolVerifier::check_later(std::uint64_t ticket, std::vector<ports::SignatureJob> jobs) {
  const auto shared = std::make_shared<std::vector<ports::SignatureJob>>(std::move(jobs));
  pool_.post([this, ticket, shared] { done_(ticket, check(*shared)); });
}

}  // namespace tally::service
