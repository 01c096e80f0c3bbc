// Results that may not have arrived: a requester that timed out, or connected again, asks for them
// once more. Bounded in number and bytes; the oldest go first.
//
// `owed`: the receipt left at least once, so it counts as unpaid work. One that never left costs
// nothing until it is asked for.
//
// No locks: the task service calls it under its own.
#pragma once

#include <deque>
#include <map>

#include "client-sdk/task/receipt.hpp"
#include "worker/service/connection.hpp"

namespace tally::worker {

struct HeldResult {
  AccountId requester;
  task::SignedReceipt receipt;
  Frame frame;
  bool owed{};
};

class HeldResults {
 public:
  struct Limits {
    std::size_t results = 256;
    std::size_t bytes = std::size_t{64} << 20;
  };
  HeldResults() : HeldResults(Limits{}) {}
  explicit HeldResults(const Limits& limits) : limits_(limits) {}

  void add(HeldResult result) {
    const Key key{result.receipt.receipt.channel_id, result.receipt.receipt.task_id};
    const std::size_t size = result.frame.ByteSizeLong();
    if (!results_.try_emplace(key, std::move(result)).second) return;
    order_.emplace_back(key, size);
    bytes_ += size;
    while (order_.size() > limits_.results || bytes_ > limits_.bytes) {
      results_.erase(order_.front().first);
      bytes_ -= order_.front().second;
      order_.pop_front();
    }
  }
  HeldResult* find(const ChannelId& channel, std::uint64_t task) {
    const auto found = results_.find({channel, task});
    return found == results_.end() ? nullptr : &found->second;
  }

 private:
  using Key = std::pair<ChannelId, std::uint64_t>;

  Limits limits_;
  std::map<Key, HeldResult> results_;
  std::deque<std::pair<Key, std::size_t>> order_;
  std::size_t bytes_ = 0;
};

}  // namespace tally::worker
