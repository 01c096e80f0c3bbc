// The deadline queue: which challenges come due, without walking the state. See storage.hpp.
#pragma once

#include <optional>

#include "modules/channels/config.hpp"
#include "modules/support/overlay.hpp"
#include "primitives/ids.hpp"

namespace tally::channels {

struct Deadline {
  ChannelId channel_id;
  TimestampMs time;
};
// The deadline lies after the block's time.
void enqueue(Overlay& state, const Config& config, const Deadline& deadline);
// Takes out a channel whose bucket has passed; nothing when there is none.
std::optional<ChannelId> pop_due(Overlay& state, const Config& config, TimestampMs now);
// Whether pop_due would find one.
bool is_due(const StateReader& state, const Config& config, TimestampMs now);

}  // namespace tally::channels
