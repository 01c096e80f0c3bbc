// The numbers of consensus. They come from the chain spec; nothing here has a default on purpose,
// but for the windows that no chain varies.
#pragma once

#include <cstdint>

#include "primitives/ids.hpp"
#include "primitives/result.hpp"

namespace tally::consensus {

constexpr std::uint64_t kViewWindow = 64;      // votes and proposals this far ahead are kept
constexpr std::size_t kMaxJustification = 32;  // Nullifications that a proposal carries
constexpr std::size_t kMaxAncestors = 64;      // blocks of one reply
constexpr std::size_t kResentFinalizes = 16;   // own Finalize votes that a retry resends
constexpr std::size_t kMaxTreeBlocks = 512;    // above the floor; beyond, block sync takes over
constexpr std::uint64_t kRetryMsMin = 1'000;

struct Parameters {
  DurationMs delta;              // Δ₀: bounds a message, a fetch of what it names, and execution
  DurationMs min_interval;       // from entering a view to proposing in it; at least 1
  DurationMs idle_interval;      // heartbeat of empty blocks
  DurationMs max_drift;          // of a header's time against a validator's clock
  std::uint32_t epoch_length{};  // blocks
  std::uint32_t block_bytes_max{};
  std::uint32_t extrinsic_bytes_max{};

  // What is wrong with them, if anything.
  Result<void, Error> check() const;
};

// Δ_k = Δ₀ · (5/4)^k in whole milliseconds, rounded down at each step, at most 16Δ₀.
DurationMs delta_at(DurationMs delta, std::uint64_t k);

// The height at which an epoch ends. Epoch 1 begins on genesis.
BlockNumber epoch_end(Epoch epoch, std::uint32_t epoch_length);

}  // namespace tally::consensus
