// Moving what a channel holds: out of it while it is open, and all of it when it ends.
//
// Nothing here can fail: a payment comes out of holds that are there, and what an account cannot
// receive goes to the reward pool (credits/api.hpp). A payment takes the receiver's own part first.
#pragma once

#include "modules/channels/rules.hpp"
#include "modules/support/context.hpp"

namespace tally::channels {

// From the channel to one side's free credits; lowers channel.held. amount ≤ locked.
void pay_side(Context& ctx, Channel& channel, Side to, Balance amount);

struct End {
  ChannelId channel_id;
  Ending ending{};
  ChannelVersion version;
  std::uint64_t receipts_count{};
};
// Pays everything out as divided, removes the channel and says so.
void end_channel(Context& ctx, Channel channel, const End& end, const Division& division);
// The same for what stands in a challenge.
void settle_standing(Context& ctx, const Channel& channel, const ChannelId& channel_id,
                     Ending ending);
// Gives the opener its place back and forgets the channel; its holds are gone already.
void forget_channel(Context& ctx, const Channel& channel, const ChannelId& channel_id);

// Σ locked over all channels, kept as a sum.
void raise_locked(Context& ctx, Balance by);
void lower_locked(Context& ctx, Balance by);

}  // namespace tally::channels
