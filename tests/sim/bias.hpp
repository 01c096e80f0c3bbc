// How far leaders who withhold their blocks can bend a draw, measured by playing it.
//
// A coalition of f among n equal validators wants a draw to fall into a set of probability p. It
// knows its own VRF outputs of all views, and an honest leader's when its block is out. In a view
// of its own it publishes or withholds, by the strategy that is best for it. Leaders, the folding
// of outputs and the moment that fixes the draw are the chain's own code.
//
// Formula: with k leaders of the coalition after the last honest one it chooses among 2^k values,
// so it wins with 1 − (1 − p)^(2^k); with s = f/n, P(k ≥ j) = s^j and E k = s/(1 − s). It leaves
// out that a coalition may withhold early to be last later, which the measured play does.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tally::sim {

struct BiasGame {
  std::size_t validators{};
  std::size_t faulty{};
  double probability{};  // p
};

struct Bias {
  double won{};  // share of the draws that fell as the coalition wanted
  double won_formula{};
  double bits{};  // mean k, with every block published
  double bits_formula{};
  double withheld{};  // blocks that the coalition gave up, a draw
};

Bias measure_bias(const BiasGame& game, std::size_t draws, std::uint64_t seed);

}  // namespace tally::sim
