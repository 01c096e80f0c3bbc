// What the system module stores. AccountInfo and AccountData are read by wallets byte for byte:
// their layout is Substrate's (u32 × 4, u128 × 4).
#pragma once

#include <cstdint>
#include <vector>

#include "primitives/balance.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/ids.hpp"

namespace tally::system {

// free + reserved is what the account owns. reserved is the sum of its holds; frozen is the part of
// free that may not leave it.
struct AccountData {
  Balance free;
  Balance reserved;
  Balance frozen;
  u128 flags{};  // always 0; there because wallets decode it
  friend bool operator==(const AccountData&, const AccountData&) = default;
};
TALLY_DESCRIBE(AccountData, free, reserved, frozen, flags);

struct AccountInfo {
  Nonce nonce;
  std::uint32_t consumers{};    // always 0
  std::uint32_t providers{};    // 1 while the account is alive
  std::uint32_t sufficients{};  // always 0
  AccountData data;
  bool alive() const { return providers != 0; }
  friend bool operator==(const AccountInfo&, const AccountInfo&) = default;
};
TALLY_DESCRIBE(AccountInfo, nonce, consumers, providers, sufficients, data);

// How full the lane for operational calls was, one bucket a minute of chain time.
struct LaneBucket {
  std::uint64_t minute{};
  Weight used;
  Weight capacity;
  friend bool operator==(const LaneBucket&, const LaneBucket&) = default;
};
TALLY_DESCRIBE(LaneBucket, minute, used, capacity);
constexpr std::size_t kLaneBuckets = 61;  // the last hour and the running minute
using LaneUsage = BoundedVec<LaneBucket, kLaneBuckets>;

}  // namespace tally::system
