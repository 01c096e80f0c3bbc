// BoundedVec<T, Max>: a list whose bound is part of its type. The codec refuses a longer one before
// it reads an element, and push_back says whether there was room.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace tally {

template <class T, std::size_t Max>
class BoundedVec {
 public:
  static constexpr std::size_t kMax = Max;

  BoundedVec() = default;
  static std::optional<BoundedVec> from(std::vector<T> items) {
    if (items.size() > Max) return std::nullopt;
    BoundedVec out;
    out.items_ = std::move(items);
    return out;
  }

  [[nodiscard]] bool push_back(T item) {
    if (items_.size() >= Max) return false;
    items_.push_back(std::move(item));
    return true;
  }
  template <class Iterator>
  auto erase(Iterator position) {
    return items_.erase(position);
  }

  std::size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }
  auto begin() { return items_.begin(); }
  auto end() { return items_.end(); }
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }
  T& operator[](std::size_t i) { return items_[i]; }
  const T& operator[](std::size_t i) const { return items_[i]; }
  const std::vector<T>& items() const { return items_; }

  friend bool operator==(const BoundedVec&, const BoundedVec&) = default;

 private:
  std::vector<T> items_;
};

}  // namespace tally
