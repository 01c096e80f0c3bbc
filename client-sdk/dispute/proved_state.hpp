// A part of one final block's state, proved and kept, in the form that the chain's own functions
// read: so the client asks the very code that will judge its call. Internal to client-sdk/dispute.
#pragma once

#include <map>

#include "client-sdk/chain/client.hpp"
#include "modules/support/state.hpp"

namespace tally::dispute {

class ProvedState final : public StateReader {
 public:
  ProvedState(client::ChainClient& chain, const client::FinalHead& at) : chain_(chain), at_(at) {}

  // Fetches what is not there yet.
  client::ClientResult<void> fetch(const std::vector<Bytes>& keys) {
    std::vector<Bytes> missing;
    for (const Bytes& key : keys) {
      if (!values_.contains(key)) missing.push_back(key);
    }
    if (missing.empty()) return {};
    const auto values = TALLY_TRY(chain_.read_at(at_, missing));
    for (std::size_t i = 0; i < missing.size(); ++i) values_[missing[i]] = values[i];
    return {};
  }

  // Only what was fetched may be asked for.
  std::optional<Bytes> get(ByteView key) const override {
    const auto found = values_.find(to_bytes(key));
    TALLY_ASSERT(found != values_.end());
    return found->second;
  }

  const client::FinalHead& at() const { return at_; }

 private:
  client::ChainClient& chain_;
  client::FinalHead at_;
  std::map<Bytes, std::optional<Bytes>> values_;
};

// The bytes of an item's key.
template <class Item, class... Keys>
Bytes key_of(const Item& item, const Keys&... keys) {
  return to_bytes(item.key(keys...));
}

}  // namespace tally::dispute
