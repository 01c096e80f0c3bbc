// The channels module's storage items.
//
// The deadline queue is an index by time: bucket n holds the channels in challenge whose deadline
// lies in (n − 1, n] × Config.deadline_bucket. A challenge has exactly one entry from its start to
// its settlement; a deadline that moved is found out when its entry comes due and is entered anew.
#pragma once

#include "modules/channels/config.hpp"
#include "modules/channels/types.hpp"
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
inline constexpr StorageDoubleMap<Twox64Concat, std::uint64_t, Twox64Concat, std::uint32_t,
                                  ChannelId>
    kQueue{"Channels", "Queue", Modifier::optional, "Deadlines, by bucket and place in it."};
inline constexpr StorageMap<Twox64Concat, std::uint64_t, std::uint32_t> kQueueLength{
    "Channels", "QueueLength", Modifier::with_default, "How many deadlines a bucket holds."};
inline constexpr StorageValue<std::uint64_t> kQueueNext{
    "Channels", "QueueNext", Modifier::with_default, "The first bucket that is not done."};
inline constexpr StorageValue<std::uint64_t> kQueueSize{
    "Channels", "QueueSize", Modifier::with_default, "How many deadlines all buckets hold."};
inline constexpr StorageValue<Config> kConfig{"Channels", "Config", Modifier::optional,
                                              "The parameters of channels, fixed at genesis."};

}  // namespace tally::channels
