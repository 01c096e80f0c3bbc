// The system module's storage items.
#pragma once

#include <string>

#include "modules/support/storage.hpp"
#include "modules/system/config.hpp"
#include "modules/system/types.hpp"

namespace tally::system {

inline constexpr StorageMap<Blake2_128Concat, AccountId, AccountInfo> kAccount{
    "System", "Account", Modifier::with_default, "Nonce and balances of an account."};
inline constexpr StorageValue<BlockNumber> kNumber{"System", "Number", Modifier::with_default,
                                                   "Height of the block that made this state."};
inline constexpr StorageValue<Hash> kParentHash{"System", "ParentHash", Modifier::with_default,
                                                "Hash of that block's parent."};
inline constexpr StorageMap<Twox64Concat, BlockNumber, Hash> kBlockHash{
    "System", "BlockHash", Modifier::with_default,
    "Hashes of the newest 4,096 blocks below this one, and of genesis."};
inline constexpr StorageValue<TimestampMs> kHeaderTime{
    "System", "HeaderTime", Modifier::with_default,
    "Time in the block's header, milliseconds since 1970."};
inline constexpr StorageValue<TimestampMs> kChainTime{
    "System", "ChainTime", Modifier::with_default,
    "The clock that deadlines count in: it stands still while the chain does."};
inline constexpr StorageValue<LaneUsage> kLaneUsage{
    "System", "LaneUsage", Modifier::with_default,
    "Use of the lane for operational calls over the last hour."};
inline constexpr StorageValue<Config> kConfig{"System", "Config", Modifier::optional,
                                              "The parameters of blocks, fixed at genesis."};

}  // namespace tally::system
