// Sets of validators that follow each other, drawn from a seed.
#include <algorithm>
#include <set>

#include "tests/sim/machine.hpp"

namespace tally::sim {
namespace {

constexpr std::size_t kFewest = 4;  // of which one may be faulty

std::vector<Seat> with_weights(const std::set<std::size_t>& members, Random& random) {
  std::vector<Seat> seats;
  std::uint64_t total = 0;
  const bool equal = random.chance(500);
  for (const std::size_t node : members) {
    seats.push_back({node, equal ? 1 : random.between(1, 3)});
    total += seats.back().weight;
  }
  const bool heavy =
      std::any_of(seats.begin(), seats.end(), [&](const Seat& s) { return 3 * s.weight >= total; });
  if (heavy) {
    for (Seat& seat : seats) seat.weight = 1;
  }
  // Nothing may hang on an order.
  for (std::size_t i = seats.size() - 1; i > 0; --i)
    std::swap(seats[i], seats[random.below(i + 1)]);
  return seats;
}

}  // namespace

std::vector<std::vector<Seat>> draw_sets(const WorldSetup& setup, std::size_t epochs,
                                         std::uint64_t seed) {
  Random random(seed, "sets");
  const std::size_t keys = setup.validators + setup.candidates;
  std::set<std::size_t> members;
  for (std::size_t i = 0; i < setup.validators; ++i) members.insert(i);
  const auto join = [&](std::uint64_t count) {
    for (; count > 0 && members.size() < keys; --count) {
      std::size_t node = random.below(keys);
      while (members.contains(node)) node = (node + 1) % keys;
      members.insert(node);
    }
  };
  const auto leave = [&](std::uint64_t count) {
    for (; count > 0 && members.size() > kFewest; --count) {
      members.erase(std::next(members.begin(), static_cast<long>(random.below(members.size()))));
    }
  };
  std::vector<std::vector<Seat>> out;
  while (out.size() < epochs) {
    switch (random.below(5)) {
      case 0:
        join(random.between(1, 3));
        break;
      case 1:
        leave(random.between(1, 3));
        break;
      case 2:
        join(1);
        leave(1);
        break;
      case 3:  // everyone who can be replaced is
        for (std::size_t i = 0; i < keys; ++i) {
          if (!members.erase(i)) members.insert(i);
        }
        if (members.size() < kFewest) join(kFewest - members.size());
        break;
      default:
        break;
    }
    out.push_back(with_weights(members, random));
  }
  return out;
}

}  // namespace tally::sim
