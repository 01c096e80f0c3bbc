// Hashes seen lately: signatures that held, extrinsics that are final. Bounded: two generations,
// the older of which is forgotten when the newer is full. Forgetting one costs a second look,
// nothing else.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_set>

#include "primitives/ids.hpp"

namespace tally::txpool {

class RecentHashes {
 public:
  explicit RecentHashes(std::size_t per_generation) : per_generation_(per_generation) {}

  bool contains(const Hash& hash) const {
    const std::string name(as_text(hash));
    return young_.contains(name) || old_.contains(name);
  }
  void insert(const Hash& hash) {
    if (young_.size() >= per_generation_) {
      old_ = std::move(young_);
      young_.clear();
    }
    young_.emplace(as_text(hash));
  }

 private:
  std::size_t per_generation_;
  std::unordered_set<std::string> young_;
  std::unordered_set<std::string> old_;
};

}  // namespace tally::txpool
