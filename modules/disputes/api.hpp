// What programs that read the state may ask of disputes.
#pragma once

#include <optional>

#include "modules/disputes/config.hpp"
#include "modules/disputes/types.hpp"
#include "modules/support/context.hpp"

namespace tally::disputes {

inline constexpr ModuleIndex kModule = ModuleIndex::disputes;

std::optional<Dispute> find(const StateReader& state, DisputeNumber number);
// Nothing once the dispute has ended.
std::optional<Case> find_case(const StateReader& state, DisputeNumber number);
// As long as the dispute's record stays; none in the challenge's own block.
std::optional<Pool> find_pool(const StateReader& state, DisputeNumber number);
std::optional<DisputedReceipt> find_receipt(const StateReader& state, const Hash& receipt_hash);

// What is at stake in a dispute on this receipt.
struct Stakes {
  Balance fee;  // f: of one vote
  Balance bond;
  Balance appeal_bond;
  DurationMs commit_window;
  friend bool operator==(const Stakes&, const Stakes&) = default;
};
// Nothing where a price or fee is out of range.
std::optional<Stakes> stakes_of(const task::Receipt& receipt, const Config& config);

// The seat of a verifier in the round that runs; nothing when it has none.
const Seat* seat_of(const Dispute& dispute, const AccountId& verifier);
// Until when a verifier that was called may accept.
TimestampMs accept_by(const Seat& seat, const Config& config, PeriodStretch stretch);

}  // namespace tally::disputes
