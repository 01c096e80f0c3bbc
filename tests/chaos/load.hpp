// Clients that transfer without a pause, each from an account of its own and through whichever node
// answers. They count nothing themselves: the chain's nonce says how many of their transfers it
// took.
#pragma once

#include <atomic>
#include <thread>

#include "tests/e2e/cluster.hpp"

namespace tally::tests {

class Load {
 public:
  static constexpr std::uint64_t kAmount = 1'000;  // µCC a transfer
  // So short that for a node that is behind its birth is another block.
  static constexpr std::uint32_t kMortalityBlocks = 16;

  Load(Cluster& cluster, std::vector<std::string> senders) : cluster_(cluster) {
    for (std::size_t i = 0; i < senders.size(); ++i) {
      threads_.emplace_back([this, i, name = senders[i]] { run(i, name); });
    }
  }
  ~Load() { stop(); }
  void stop() {
    ending_ = true;
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }
  std::uint64_t confirmed() const { return confirmed_; }

 private:
  void run(std::size_t first, const std::string& name) {
    for (std::size_t node = first; !ending_; ++node) {
      const auto through = cluster_.try_client(node % 4);
      while (through && !ending_) {
        const auto outcome = transfer(*through, name, "Ferdie", Balance(kAmount),
                                      {.mortality_blocks = kMortalityBlocks});
        if (!outcome.ok()) break;  // the next node
        ++confirmed_;
      }
    }
  }

  Cluster& cluster_;
  std::atomic<bool> ending_ = false;
  std::atomic<std::uint64_t> confirmed_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace tally::tests
