#include "worker/executors/primes.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <vector>

namespace tally::executors {

namespace {

constexpr std::uint64_t kWheel = 30;
constexpr std::array<std::uint8_t, 8> kResidues = {1, 7, 11, 13, 17, 19, 23, 29};
// 7 · 11 · 13 · 17: after so many bytes the pattern of these primes' multiples repeats.
constexpr std::array<std::uint8_t, 4> kPatternPrimes = {7, 11, 13, 17};
constexpr std::size_t kPatternSize = 7 * 11 * 13 * 17;
constexpr std::uint64_t kFirstSieved = 19;

// The bit of a residue, or 8 for a multiple of 2, 3 or 5.
constexpr std::array<std::uint8_t, 30> kBitOf = [] {
  std::array<std::uint8_t, 30> table{};
  table.fill(8);
  for (std::uint8_t bit = 0; bit < 8; ++bit) table[kResidues[bit]] = bit;
  return table;
}();

std::uint64_t isqrt(std::uint64_t n) {
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 31; bit != 0; bit >>= 1) {
    const std::uint64_t next = root | bit;
    if (next * next <= n) root = next;
  }
  return root;
}

// Primes up to and including `limit`, from 19 on.
std::vector<std::uint32_t> base_primes(std::uint64_t limit) {
  std::vector<bool> composite(limit / 2 + 1);
  std::vector<std::uint32_t> primes;
  for (std::uint64_t n = 3; n <= limit; n += 2) {
    if (composite[n / 2]) continue;
    if (n >= kFirstSieved) primes.push_back(static_cast<std::uint32_t>(n));
    for (std::uint64_t m = n * n; m <= limit; m += 2 * n) composite[m / 2] = true;
  }
  return primes;
}

std::vector<std::uint8_t> make_pattern() {
  std::vector<std::uint8_t> pattern(kPatternSize, 0xff);
  for (const std::uint64_t prime : kPatternPrimes) {
    for (std::uint64_t n = prime; n < kPatternSize * kWheel; n += prime) {
      const std::uint8_t bit = kBitOf[n % kWheel];
      if (bit < 8) pattern[n / kWheel] &= static_cast<std::uint8_t>(~(1u << bit));
    }
  }
  return pattern;
}

// A base prime and, for each of the eight residues that its multiples take, the byte (relative to
// the segment) of the next multiple.
struct Stepper {
  std::uint32_t prime;
  std::array<std::uint32_t, 8> next;
};

// Counts the bits of a segment; compiled twice, the machine chooses.
__attribute__((target_clones("popcnt", "default"))) std::uint64_t count_bits(
    const std::uint8_t* bytes, std::size_t size) {
  std::uint64_t total = 0;
  std::size_t at = 0;
  for (; at + 8 <= size; at += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes + at, 8);
    total += static_cast<std::uint64_t>(__builtin_popcountll(word));
  }
  for (; at < size; ++at) total += static_cast<std::uint64_t>(__builtin_popcount(bytes[at]));
  return total;
}

class Sieve {
 public:
  // Sieves wheel bytes [first_byte, last_byte).
  Sieve(std::uint64_t first_byte, std::uint64_t last_byte, std::size_t segment_bytes)
      : at_(first_byte), end_(last_byte), segment_(segment_bytes), pattern_(make_pattern()) {
    for (const std::uint32_t prime : base_primes(isqrt(last_byte * kWheel))) {
      steppers_.push_back(stepper(prime));
    }
  }

  bool done() const { return at_ == end_; }
  std::uint64_t begin() const { return at_; }

  // Sieves the next segment, whose bits then say which integers are prime.
  std::span<std::uint8_t> next_segment() {
    const std::size_t size = std::min<std::uint64_t>(segment_.size(), end_ - at_);
    fill_pattern(size);
    for (Stepper& stepper : steppers_) cross_out(stepper, static_cast<std::uint32_t>(size));
    at_ += size;
    return {segment_.data(), size};
  }

 private:
  // Multiples p·q from p² on, and not before the first segment, q coprime to 30. For each residue
  // of q, q steps by 30, p·q by 30·p, and its byte by p.
  Stepper stepper(std::uint32_t prime) const {
    Stepper out{.prime = prime, .next = {}};
    const std::uint64_t from = std::max<std::uint64_t>(prime, at_ * kWheel / prime);
    for (const std::uint64_t residue : kResidues) {
      std::uint64_t q = from - from % kWheel + residue;
      while (q < prime || q * prime / kWheel < at_) q += kWheel;
      const std::uint64_t multiple = q * prime;
      out.next[kBitOf[multiple % kWheel]] = static_cast<std::uint32_t>(multiple / kWheel - at_);
    }
    return out;
  }

  void fill_pattern(std::size_t size) {
    std::size_t phase = at_ % kPatternSize;
    for (std::size_t filled = 0; filled < size; phase = 0) {
      const std::size_t n = std::min(size - filled, kPatternSize - phase);
      std::memcpy(segment_.data() + filled, pattern_.data() + phase, n);
      filled += n;
    }
  }

  void cross_out(Stepper& stepper, std::uint32_t size) {
    std::uint8_t* const bytes = segment_.data();
    const std::uint32_t step = stepper.prime;
    for (std::uint8_t bit = 0; bit < 8; ++bit) {
      const auto keep = static_cast<std::uint8_t>(~(1u << bit));
      std::uint32_t at = stepper.next[bit];
      for (; at < size; at += step) bytes[at] &= keep;
      stepper.next[bit] = at - size;
    }
  }

  std::uint64_t at_;
  std::uint64_t end_;
  std::vector<std::uint8_t> segment_;
  std::vector<std::uint8_t> pattern_;
  std::vector<Stepper> steppers_;
};

// Clears the bits of integers outside [lo, hi) in a segment that begins at wheel byte `first`.
void clip(std::span<std::uint8_t> segment, std::uint64_t first, const task::PrimeSpec& range) {
  const auto clip_byte = [&](std::uint64_t byte) {
    if (byte < first || byte >= first + segment.size()) return;
    for (std::uint8_t bit = 0; bit < 8; ++bit) {
      const std::uint64_t n = byte * kWheel + kResidues[bit];
      if (n < range.lo || n >= range.hi) {
        segment[byte - first] &= static_cast<std::uint8_t>(~(1u << bit));
      }
    }
  };
  clip_byte(range.lo / kWheel);
  clip_byte((range.hi - 1) / kWheel);
}

// The pattern's own primes were crossed out as multiples of themselves, and 1 was not.
void repair_first_byte(std::span<std::uint8_t> segment) {
  segment[0] |= 0b00011110;  // 7, 11, 13, 17
  segment[0] &= 0b11111110;  // 1
}

}  // namespace

std::uint64_t count_primes(const task::PrimeSpec& range) {
  if (range.lo >= range.hi) return 0;
  std::uint64_t count = 0;
  for (const std::uint64_t prime : {2, 3, 5}) count += prime >= range.lo && prime < range.hi;
  const std::uint64_t last_byte = (range.hi - 1) / kWheel + 1;
  const std::size_t segment_bytes = range.hi <= 1'000'000'000'000 ? 32 << 10 : 512 << 10;
  Sieve sieve(range.lo / kWheel, last_byte, segment_bytes);
  while (!sieve.done()) {
    const std::uint64_t first = sieve.begin();
    const std::span<std::uint8_t> segment = sieve.next_segment();
    if (first == 0) repair_first_byte(segment);
    clip(segment, first, range);
    count += count_bits(segment.data(), segment.size());
  }
  return count;
}

}  // namespace tally::executors
