#include "worker/executors/vector_search.hpp"

#include <algorithm>

#include "worker/executors/cuda/device.hpp"

namespace tally::executors {

namespace {

using task::Metric;
using task::VectorMatch;
using task::VectorSearchSpec;

// Queries that are compared with a vector while it is in registers and first-level cache.
constexpr std::size_t kQueryTile = 8;
constexpr std::size_t kVectorTile = 64;

// int32 dot products of `rows` vectors with `count` queries, both widened to int16 (whose
// multiply-add-pairs instruction every x86 has). out[row * kQueryTile + query].
__attribute__((target_clones("arch=x86-64-v4", "avx2", "default"))) void dot_tile(
    const std::int16_t* vectors, std::size_t rows, const std::int16_t* queries, std::size_t count,
    std::size_t dimensions, std::int32_t* out) {
  for (std::size_t row = 0; row < rows; ++row) {
    const std::int16_t* const vector = vectors + row * dimensions;
    for (std::size_t q = 0; q < count; ++q) {
      const std::int16_t* const query = queries + q * dimensions;
      std::int32_t sum = 0;
      for (std::size_t d = 0; d < dimensions; ++d) {
        sum += static_cast<std::int32_t>(vector[d]) * static_cast<std::int32_t>(query[d]);
      }
      out[row * kQueryTile + q] = sum;
    }
  }
}

std::vector<std::int16_t> widen(ByteView bytes) {
  std::vector<std::int16_t> out(bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) out[i] = static_cast<std::int8_t>(bytes[i]);
  return out;
}

std::int32_t squared_norm(const std::int16_t* row, std::size_t dimensions) {
  std::int32_t sum = 0;
  for (std::size_t d = 0; d < dimensions; ++d) sum += std::int32_t{row[d]} * row[d];
  return sum;
}

// The k nearest seen so far: a heap with the farthest on top. `rank` is smaller for nearer; ids
// come in ascending order, so an equal rank never displaces.
class Nearest {
 public:
  struct Candidate {
    std::int32_t rank;
    std::uint32_t id;
    friend auto operator<=>(const Candidate&, const Candidate&) = default;
  };

  explicit Nearest(std::size_t k) : k_(k) { heap_.reserve(k); }

  void offer(std::int32_t rank, std::uint32_t id) {
    if (heap_.size() == k_) {
      if (rank >= heap_.front().rank) return;
      std::pop_heap(heap_.begin(), heap_.end());
      heap_.back() = {rank, id};
    } else {
      heap_.push_back({rank, id});
    }
    std::push_heap(heap_.begin(), heap_.end());
  }
  std::vector<Candidate> sorted() && {
    std::sort_heap(heap_.begin(), heap_.end());
    return std::move(heap_);
  }

 private:
  std::size_t k_;
  std::vector<Candidate> heap_;
};

// All vectors against up to kQueryTile queries.
class TileSearch {
 public:
  TileSearch(const VectorSearchSpec& spec, std::span<const std::int16_t> queries)
      : spec_(spec), queries_(queries), count_(queries.size() / spec.dimensions) {
    for (std::size_t q = 0; q < count_; ++q) {
      nearest_.emplace_back(spec.k);
      norms_[q] = squared_norm(queries.data() + q * spec.dimensions, spec.dimensions);
    }
  }

  void offer_rows(const std::int16_t* rows, const std::int32_t* norms, std::uint32_t first_id,
                  std::size_t rows_count) {
    std::array<std::int32_t, kVectorTile * kQueryTile> dots{};
    dot_tile(rows, rows_count, queries_.data(), count_, spec_.dimensions, dots.data());
    for (std::size_t row = 0; row < rows_count; ++row) {
      const auto id = static_cast<std::uint32_t>(first_id + row);
      for (std::size_t q = 0; q < count_; ++q) {
        const std::int32_t dot = dots[row * kQueryTile + q];
        nearest_[q].offer(rank(dot, norms[row] + norms_[q]), id);
      }
    }
  }

  void take(std::vector<VectorMatch>& out) && {
    for (Nearest& nearest : nearest_) {
      for (const auto& found : std::move(nearest).sorted()) {
        const bool dot = spec_.metric == Metric::dot;
        out.push_back({.id = found.id, .score = dot ? -found.rank : found.rank});
      }
    }
  }

 private:
  std::int32_t rank(std::int32_t dot, std::int32_t norms) const {
    return spec_.metric == Metric::dot ? -dot : norms - 2 * dot;
  }

  const VectorSearchSpec& spec_;
  std::span<const std::int16_t> queries_;
  std::size_t count_;
  std::vector<Nearest> nearest_;
  std::array<std::int32_t, kQueryTile> norms_{};
};

}  // namespace

std::vector<VectorMatch> nearest_vectors_cpu(const VectorSearchSpec& spec, ByteView input) {
  const std::size_t dimensions = spec.dimensions;
  const std::size_t vector_bytes = std::size_t{spec.count} * dimensions;
  const std::vector<std::int16_t> queries = widen(input.subspan(vector_bytes));
  std::vector<TileSearch> tiles;
  for (std::size_t q = 0; q < spec.queries; q += kQueryTile) {
    const std::size_t n = std::min<std::size_t>(kQueryTile, spec.queries - q);
    tiles.emplace_back(spec, std::span(queries).subspan(q * dimensions, n * dimensions));
  }
  for (std::uint32_t id = 0; id < spec.count; id += kVectorTile) {
    const std::size_t rows = std::min<std::size_t>(kVectorTile, spec.count - id);
    const auto vectors = widen(input.subspan(id * dimensions, rows * dimensions));
    std::array<std::int32_t, kVectorTile> norms{};
    for (std::size_t row = 0; row < rows; ++row) {
      norms[row] = squared_norm(vectors.data() + row * dimensions, dimensions);
    }
    for (TileSearch& tile : tiles) tile.offer_rows(vectors.data(), norms.data(), id, rows);
  }
  std::vector<VectorMatch> out;
  out.reserve(std::size_t{spec.k} * spec.queries);
  for (TileSearch& tile : tiles) std::move(tile).take(out);
  return out;
}

std::vector<VectorMatch> nearest_vectors(const VectorSearchSpec& spec, ByteView input) {
  if (cuda::device() != nullptr) return cuda::device()->nearest_vectors(spec, input);
  return nearest_vectors_cpu(spec, input);
}

}  // namespace tally::executors
