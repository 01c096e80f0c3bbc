// What changed, item by item: the view that invariants are checked in. An invariant over a whole
// state holds after a block if it held before and the differences of the changed entries balance,
// so no check walks the state.
#pragma once

#include <optional>
#include <string>

#include "modules/support/storage.hpp"

namespace tally {

class ChangeView {
 public:
  ChangeView(const StateReader& before, const StateChanges& changes)
      : before_(before), changes_(changes) {}

  // visit(keys tuple, optional before, optional after) for each changed entry of the item.
  template <class Item, class Visit>
  void for_each(const Item& item, Visit&& visit) const {
    const Bytes first(item.prefix.begin(), item.prefix.end());
    for (auto at = changes_.lower_bound(first); at != changes_.end(); ++at) {
      const auto& [key, bytes] = *at;
      if (key.size() < first.size() || !equal(ByteView(key).first(first.size()), first)) break;
      const auto keys = item.keys_of(key);
      TALLY_ASSERT(keys.has_value());
      visit(*keys, detail::decode_stored<typename Item::Value>(before_.get(key)),
            detail::decode_stored<typename Item::Value>(bytes));
    }
  }
  // The value of an entry after the changes.
  template <class Item, class... Keys>
  std::optional<typename Item::Value> after(const Item& item, const Keys&... keys) const {
    const StorageKey key = item.key(keys...);
    const auto found = changes_.find(to_bytes(key));
    return detail::decode_stored<typename Item::Value>(found == changes_.end() ? before_.get(key)
                                                                               : found->second);
  }
  // The state before the changes.
  const StateReader& before_state() const { return before_; }
  template <class Item, class... Keys>
  std::optional<typename Item::Value> before(const Item& item, const Keys&... keys) const {
    return item.find(before_, keys...);
  }

 private:
  const StateReader& before_;
  const StateChanges& changes_;
};

// What is broken, in words; nothing when all holds.
using Violation = std::optional<std::string>;

}  // namespace tally
