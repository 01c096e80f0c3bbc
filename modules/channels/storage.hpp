// The channels module's storage items.
//
// A challenge has exactly one entry in the queue of deadlines from its start to its settlement; a
// deadline that moved is found out when its entry comes due and is entered anew.
#pragma once

#include "modules/channels/config.hpp"
#include "modules/channels/types.hpp"
#include "modules/support/deadlines.hpp"
#include "modules/support/storage.hpp"

namespace tally::channels {

inline constexpr StorageMap<Blake2_128Concat, ChannelId, Channel> kChannels{
    "Channels", "Channels", Modifier::optional, "Channels that are pending, open or in challenge."};
inline constexpr StorageMap<Blake2_128Concat, AccountId, std::uint64_t> kCounter{
    "Channels", "Counter", Modifier::with_default,
    "How many channels an account has opened, ever: it survives the account."};
inline constexpr StorageMap<Blake2_128Concat, AccountId, std::uint32_t> kOpenCount{
    "Channels", "OpenCount", Modifier::with_default,
    "How many of an opener's channels there are now; no entry for zero."};
inline constexpr StorageValue<Balance> kLocked{"Channels", "Locked", Modifier::with_default,
                                               "What all channels hold together."};
inline constexpr DeadlineQueue<ChannelId> kDeadlines{"Channels"};
inline constexpr StorageValue<Config> kConfig{"Channels", "Config", Modifier::optional,
                                              "The parameters of channels, fixed at genesis."};

}  // namespace tally::channels
