#include "modules/channels/queue.hpp"

#include "modules/channels/storage.hpp"
#include "primitives/assert.hpp"

namespace tally::channels {
namespace {

std::uint64_t bucket_of(const Config& config, TimestampMs deadline) {
  const std::uint64_t width = config.deadline_bucket.value;
  return deadline.value / width + (deadline.value % width != 0 ? 1 : 0);
}

// The last bucket whose deadlines have all passed.
std::uint64_t last_due(const Config& config, TimestampMs now) {
  return now.value / config.deadline_bucket.value;
}

}  // namespace

void enqueue(Overlay& state, const Config& config, const Deadline& deadline) {
  const std::uint64_t bucket = bucket_of(config, deadline.time);
  const std::uint64_t size = kQueueSize.get(state);
  // In an empty queue every bucket is done; it begins at its first entry.
  if (size == 0 || bucket < kQueueNext.get(state)) kQueueNext.put(state, bucket);
  const std::uint32_t place = kQueueLength.get(state, bucket);
  kQueue.put(state, bucket, place, deadline.channel_id);
  kQueueLength.put(state, bucket, place + 1);
  kQueueSize.put(state, size + 1);
}

std::optional<ChannelId> pop_due(Overlay& state, const Config& config, TimestampMs now) {
  const std::uint64_t size = kQueueSize.get(state);
  if (size == 0) return std::nullopt;
  const std::uint64_t end = last_due(config, now);
  const std::uint64_t begin = kQueueNext.get(state);
  std::uint64_t bucket = begin;
  while (bucket <= end && !kQueueLength.contains(state, bucket)) ++bucket;
  if (bucket != begin) kQueueNext.put(state, bucket);
  if (bucket > end) return std::nullopt;

  const std::uint32_t place = kQueueLength.get(state, bucket) - 1;
  const auto channel_id = kQueue.find(state, bucket, place);
  TALLY_ASSERT(channel_id.has_value());
  kQueue.erase(state, bucket, place);
  if (place == 0) {
    kQueueLength.erase(state, bucket);
  } else {
    kQueueLength.put(state, bucket, place);
  }
  kQueueSize.put(state, size - 1);
  return channel_id;
}

bool is_due(const StateReader& state, const Config& config, TimestampMs now) {
  if (kQueueSize.get(state) == 0) return false;
  const std::uint64_t end = last_due(config, now);
  for (std::uint64_t bucket = kQueueNext.get(state); bucket <= end; ++bucket) {
    if (kQueueLength.contains(state, bucket)) return true;
  }
  return false;
}

}  // namespace tally::channels
