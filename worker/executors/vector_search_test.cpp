#include "worker/executors/vector_search.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "worker/executors/cuda/device.hpp"

namespace tally::executors {
namespace {

using task::Metric;
using task::VectorMatch;
using task::VectorSearchSpec;

// Sorts everything, in 64 bits.
std::vector<VectorMatch> nearest_by_sorting(const VectorSearchSpec& spec, const Bytes& input) {
  const auto at = [&](std::size_t row, std::size_t d) {
    return static_cast<std::int64_t>(static_cast<std::int8_t>(input[row * spec.dimensions + d]));
  };
  std::vector<VectorMatch> out;
  for (std::size_t q = 0; q < spec.queries; ++q) {
    std::vector<std::pair<std::int64_t, std::uint32_t>> all;
    for (std::uint32_t id = 0; id < spec.count; ++id) {
      std::int64_t score = 0;
      for (std::size_t d = 0; d < spec.dimensions; ++d) {
        const std::int64_t a = at(id, d);
        const std::int64_t b = at(spec.count + q, d);
        score += spec.metric == Metric::dot ? -a * b : (a - b) * (a - b);
      }
      all.emplace_back(score, id);
    }
    std::sort(all.begin(), all.end());
    for (std::size_t i = 0; i < spec.k; ++i) {
      const auto score = static_cast<std::int32_t>(all[i].first);
      out.push_back({all[i].second, spec.metric == Metric::dot ? -score : score});
    }
  }
  return out;
}

// `spread` small makes ties, 256 uses every value, and the two extremes alone make the largest
// sums.
Bytes random_input(const VectorSearchSpec& spec, std::mt19937_64& random, int spread) {
  Bytes input((std::size_t{spec.count} + spec.queries) * spec.dimensions);
  for (auto& byte : input) {
    if (spread == 0) {
      byte = random() % 2 == 0 ? 0x80 : 0x7f;
    } else {
      byte = static_cast<std::uint8_t>(static_cast<int>(random() % spread) - spread / 2);
    }
  }
  return input;
}

std::vector<VectorSearchSpec> specs() {
  std::vector<VectorSearchSpec> all;
  for (const Metric metric : {Metric::dot, Metric::squared_l2}) {
    all.push_back({metric, 1, 1, 1, 1});
    all.push_back({metric, 7, 65, 3, 65});
    all.push_back({metric, 64, 1'000, 9, 10});
    all.push_back({metric, 100, 777, 17, 5});
    all.push_back({metric, task::kMaxDimensions, 130, 2, 20});
    all.push_back({metric, 33, 5'000, 8, 1'024});
  }
  return all;
}

TEST_CASE("the k nearest are those of a full sort, ties by lowest id") {
  std::mt19937_64 random(3);
  for (const auto& spec : specs()) {
    for (const int spread : {0, 3, 256}) {
      const Bytes input = random_input(spec, random, spread);
      REQUIRE(task::check(spec, input.size()).ok());
      CHECK(nearest_vectors_cpu(spec, input) == nearest_by_sorting(spec, input));
    }
  }
}

TEST_CASE("the GPU gives the same bits as the CPU") {
  const auto device = cuda::open_device();
  if (!device) {
    WARN("skipped: " << device.error().message);
    return;
  }
  std::mt19937_64 random(5);
  auto all = specs();
  all.push_back({Metric::dot, 128, 200'000, 64, 10});
  all.push_back({Metric::squared_l2, 100, 300'000, 33, 100});
  all.push_back({Metric::squared_l2, 16, 100'000, 1'000, 256});
  for (const auto& spec : all) {
    for (const int spread : {0, 3, 256}) {
      const Bytes input = random_input(spec, random, spread);
      CHECK((*device)->nearest_vectors(spec, input) == nearest_vectors_cpu(spec, input));
    }
  }
  // Ever nearer vectors: every one is a new candidate, the worst case for a filter.
  const VectorSearchSpec rising{Metric::dot, 4, 100'000, 2, 7};
  Bytes input((100'000 + 2) * 4, 1);
  for (std::size_t id = 0; id < 100'000; ++id) input[id * 4] = static_cast<std::uint8_t>(id / 800);
  CHECK((*device)->nearest_vectors(rising, input) == nearest_vectors_cpu(rising, input));
}

}  // namespace
}  // namespace tally::executors
