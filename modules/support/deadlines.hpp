// An index by time of what comes due, kept in the state and never walked: bucket n holds the ids
// whose deadline lies in (n − 1, n] × width.
//
//   inline constexpr DeadlineQueue<ChannelId> kDeadlines{"Channels"};
//   kDeadlines.push(state, {id, deadline, config.deadline_bucket});
//   while (auto id = kDeadlines.pop_due(state, {now, width})) …      // bounded by the caller
//
// An id comes out in the first block after its bucket has passed, so at most one width late. It may
// stand in the index more than once, and its deadline may have moved meanwhile: what an entry means
// when it comes due is the caller's to find out.
#pragma once

#include <optional>

#include "modules/support/changes.hpp"
#include "modules/support/storage.hpp"
#include "primitives/ids.hpp"

namespace tally {

template <class Id>
struct DeadlineEntry {
  Id id;
  TimestampMs time;  // after the block's own
  DurationMs width;  // of a bucket; the same in every call
};
struct DeadlineMoment {
  TimestampMs now;
  DurationMs width;
};

template <class Id>
struct DeadlineQueue {
  StorageDoubleMap<Twox64Concat, std::uint64_t, Twox64Concat, std::uint32_t, Id> entries;
  StorageMap<Twox64Concat, std::uint64_t, std::uint32_t> length;
  StorageValue<std::uint64_t> next;
  StorageValue<std::uint64_t> size;

  constexpr explicit DeadlineQueue(std::string_view module)
      : entries(module, "Queue", Modifier::optional, "Deadlines, by bucket and place in it."),
        length(module, "QueueLength", Modifier::with_default, "How many deadlines a bucket holds."),
        next(module, "QueueNext", Modifier::with_default, "The first bucket that is not done."),
        size(module, "QueueSize", Modifier::with_default, "How many deadlines all buckets hold.") {}

  void push(Overlay& state, const DeadlineEntry<Id>& entry) const {
    const std::uint64_t width = entry.width.value;
    const std::uint64_t bucket = entry.time.value / width + (entry.time.value % width != 0 ? 1 : 0);
    const std::uint64_t all = size.get(state);
    // In an empty queue every bucket is done; it begins at its first entry.
    if (all == 0 || bucket < next.get(state)) next.put(state, bucket);
    const std::uint32_t place = length.get(state, bucket);
    entries.put(state, bucket, place, entry.id);
    length.put(state, bucket, place + 1);
    size.put(state, all + 1);
  }

  // Takes out an id whose bucket has passed; nothing when there is none.
  std::optional<Id> pop_due(Overlay& state, const DeadlineMoment& moment) const {
    const std::uint64_t all = size.get(state);
    if (all == 0) return std::nullopt;
    const std::uint64_t end = last_due(moment);
    const std::uint64_t begin = next.get(state);
    std::uint64_t bucket = begin;
    while (bucket <= end && !length.contains(state, bucket)) ++bucket;
    if (bucket != begin) next.put(state, bucket);
    if (bucket > end) return std::nullopt;

    const std::uint32_t place = length.get(state, bucket) - 1;
    auto id = entries.find(state, bucket, place);
    TALLY_ASSERT(id.has_value());
    entries.erase(state, bucket, place);
    if (place == 0) {
      length.erase(state, bucket);
    } else {
      length.put(state, bucket, place);
    }
    size.put(state, all - 1);
    return id;
  }

  // Whether pop_due would find one.
  bool is_due(const StateReader& state, const DeadlineMoment& moment) const {
    if (size.get(state) == 0) return false;
    const std::uint64_t end = last_due(moment);
    for (std::uint64_t bucket = next.get(state); bucket <= end; ++bucket) {
      if (length.contains(state, bucket)) return true;
    }
    return false;
  }

  Violation find_violation(const ChangeView& view) const {
    std::uint64_t held = 0;  // differences modulo 2^64
    std::uint64_t counted = 0;
    view.for_each(entries, [&](const auto&, const auto& before, const auto& after) {
      held += std::uint64_t{after.has_value()} - std::uint64_t{before.has_value()};
    });
    view.for_each(length, [&](const auto&, const auto& before, const auto& after) {
      counted += std::uint64_t{after.value_or(0)} - std::uint64_t{before.value_or(0)};
    });
    const std::uint64_t all = view.after(size).value_or(0) - view.before(size).value_or(0);
    if (held != counted || held != all) return "a deadline queue's lengths count its entries";
    return std::nullopt;
  }

 private:
  // The last bucket whose deadlines have all passed.
  static std::uint64_t last_due(const DeadlineMoment& moment) {
    return moment.now.value / moment.width.value;
  }
};

}  // namespace tally
