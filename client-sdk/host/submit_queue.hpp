// What is to be submitted. Of each channel and kind of call at most one waits, the newest, and it
// waits while one like it is under way. Those in a challenge are first, by when it ends, then the
// oldest.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "modules/channels/calls.hpp"

namespace tally::client {

struct ToSubmit {
  ChannelId channel;
  channels::Call call;
  bool by_third_party = false;
  std::optional<TimestampMs> deadline;  // of the channel's challenge
};

// One thread at a time.
class SubmitQueue {
 public:
  void put(ToSubmit item) {
    const Key key = key_of(item);
    const auto found = waiting_.find(key);
    const std::uint64_t place = found == waiting_.end() ? next_place_++ : found->second.place;
    waiting_.insert_or_assign(key, Waiting{std::move(item), place});
  }
  // Under way from now on, until done().
  std::optional<ToSubmit> take() {
    auto best = waiting_.end();
    for (auto at = waiting_.begin(); at != waiting_.end(); ++at) {
      if (under_way_.contains(at->first)) continue;
      if (best == waiting_.end() || rank(at->second) < rank(best->second)) best = at;
    }
    if (best == waiting_.end()) return std::nullopt;
    ToSubmit item = std::move(best->second.item);
    under_way_.insert(best->first);
    waiting_.erase(best);
    return item;
  }
  void done(const ToSubmit& item) { under_way_.erase(key_of(item)); }

 private:
  using Key = std::pair<ChannelId, std::size_t>;  // the kind of call
  struct Waiting {
    ToSubmit item;
    std::uint64_t place;
  };
  static Key key_of(const ToSubmit& item) { return {item.channel, item.call.index()}; }
  static std::tuple<bool, TimestampMs, std::uint64_t> rank(const Waiting& waiting) {
    const auto& deadline = waiting.item.deadline;
    return {!deadline, deadline.value_or(TimestampMs{}), waiting.place};
  }

  std::map<Key, Waiting> waiting_;
  std::set<Key> under_way_;
  std::uint64_t next_place_ = 0;
};

}  // namespace tally::client
