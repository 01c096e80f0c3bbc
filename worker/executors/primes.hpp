// prime_calculation: how many primes lie in [lo, hi).
//
// A segmented sieve of Eratosthenes on a mod-30 wheel: a byte stands for 30 integers, its eight
// bits for the residues 1, 7, 11, 13, 17, 19, 23, 29; multiples of 2, 3 and 5 have no bit. A
// segment fits the first-level cache (the second for ranges beyond 10¹², where the base primes are
// many). Integers only; nothing overflows below kMaxPrimeBound. Source: Pritchard's wheel sieves.
#pragma once

#include <cstdint>

#include "client-sdk/task/specs.hpp"

namespace tally::executors {

// The spec has passed task::check.
std::uint64_t count_primes(const task::PrimeSpec& spec);

}  // namespace tally::executors
