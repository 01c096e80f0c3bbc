// The disputes module's storage items.
//
// Draws are made in the order in which they were asked for: Waiting is a line of disputes, between
// the counters of WaitingLine. Deadlines stand in an index by time (modules/support/deadlines.hpp).
#pragma once

#include "modules/disputes/config.hpp"
#include "modules/disputes/types.hpp"
#include "modules/support/deadlines.hpp"
#include "modules/support/storage.hpp"

namespace tally::disputes {

// A draw that waits for its beacon.
struct WaitingDraw {
  DisputeNumber number;
  BlockNumber asked_in;
  std::optional<DrawSource> source;  // fixed, and the draw itself is to be made
  friend bool operator==(const WaitingDraw&, const WaitingDraw&) = default;
};
TALLY_DESCRIBE(WaitingDraw, number, asked_in, source);

// Places in the line: [drawn, fixed) have their beacon, [fixed, end) wait for it; the challenges of
// this block from `pooled` on have no pool yet.
struct WaitingLine {
  std::uint64_t drawn{};
  std::uint64_t fixed{};
  std::uint64_t pooled{};
  std::uint64_t end{};
  friend bool operator==(const WaitingLine&, const WaitingLine&) = default;
};
TALLY_DESCRIBE(WaitingLine, drawn, fixed, pooled, end);

// What a worker's lost disputes have paid verifiers, ever.
struct VerifierPay {
  Balance from_stake;  // as far as the pool may add to it: payout.hpp, Plan::matched
  Balance from_pool;   // never more than from_stake
  friend bool operator==(const VerifierPay&, const VerifierPay&) = default;
};
TALLY_DESCRIBE(VerifierPay, from_stake, from_pool);

inline constexpr StorageMap<Twox64Concat, DisputeNumber, Dispute> kDisputes{
    "Disputes", "Disputes", Modifier::optional, "Disputes that run or ended lately."};
inline constexpr StorageMap<Twox64Concat, DisputeNumber, Case> kCases{
    "Disputes", "Cases", Modifier::optional, "What verifiers re-run; until the dispute ends."};
inline constexpr StorageMap<Twox64Concat, DisputeNumber, Pool> kPools{
    "Disputes", "Pools", Modifier::optional,
    "Who could be drawn, as it was at the end of the challenge's block; as long as the dispute."};
inline constexpr StorageMap<Blake2_128Concat, Hash, DisputedReceipt> kReceipts{
    "Disputes", "Receipts", Modifier::optional, "Receipts that were challenged, by their hash."};
inline constexpr StorageValue<DisputeNumber> kNext{"Disputes", "Next", Modifier::with_default,
                                                   "The number of the next dispute."};
inline constexpr StorageMap<Twox64Concat, std::uint64_t, WaitingDraw> kWaiting{
    "Disputes", "Waiting", Modifier::optional, "Draws that were asked for, by place in the line."};
inline constexpr StorageValue<WaitingLine> kWaitingLine{"Disputes", "WaitingLine",
                                                        Modifier::with_default, "The line's ends."};
inline constexpr StorageMap<Blake2_128Concat, AccountId, VerifierPay> kVerifierPay{
    "Disputes", "VerifierPay", Modifier::with_default,
    "What a worker's lost disputes paid verifiers, from its stake and from the reward pool."};
inline constexpr StorageValue<Balance> kHeld{"Disputes", "Held", Modifier::with_default,
                                             "What is held of challengers, over all disputes."};
inline constexpr DeadlineQueue<DisputeNumber> kDeadlines{"Disputes"};
inline constexpr StorageValue<Config> kConfig{"Disputes", "Config", Modifier::optional,
                                              "The parameters of disputes, fixed at genesis."};

}  // namespace tally::disputes
