// Parameters of disputes.
#pragma once

#include <cstdint>

#include "modules/support/module.hpp"
#include "primitives/balance.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/ids.hpp"

namespace tally::disputes {

struct Config {
  static constexpr ModuleIndex kModule = ModuleIndex::disputes;

  DurationMs challenge_window;    // of a receipt, header time; its clock stops during a dispute
  DurationMs clock_tolerance;     // a receipt may end this far in the future of the header
  DurationMs accept_window;       // of a drawn verifier
  DurationMs window;              // of commits at least; of reveals; of appeals
  DurationMs commit_per_credit;   // of commits, for every CC of the fee
  DurationMs commit_max;          // of commits at most
  DurationMs ban;                 // of a worker whose output was rejected
  DurationMs deadline_bucket;     // grain of the deadline index
  std::uint32_t deadlines_max{};  // that the chain acts on by itself, a block
  std::uint32_t draws_max{};      // a block
  Balance fee_min;                // of one vote
  Balance award;                  // from the loser to the winner
  Balance burn;                   // from the loser
  Balance fine;                   // of a verifier, frozen from acceptance
  Balance overturned_fine;        // of a verifier whose verdict an appeal overturns
  std::uint32_t bond_fees{};      // votes' fees that a bond covers
  std::uint32_t
      appeal_factor{};       // an appeal's bond, award and burn are this many times the first's
  std::uint32_t pool_min{};  // drawable verifiers without whom nothing is disputed
  std::uint32_t seats_first{};
  std::uint32_t seats_more{};  // when the first do not agree
  std::uint32_t seats_appeal{};
  std::uint32_t quorum_first{};        // equal votes that decide, of the first seats
  std::uint32_t quorum_second{};       // of all seats
  std::uint32_t replacements_max{};    // of one round
  std::uint32_t challenger_penalty{};  // points, of one whose challenge was wrong
  friend bool operator==(const Config&, const Config&) = default;
};
TALLY_DESCRIBE(Config, challenge_window, clock_tolerance, accept_window, window, commit_per_credit,
               commit_max, ban, deadline_bucket, deadlines_max, draws_max, fee_min, award, burn,
               fine, overturned_fine, bond_fees, appeal_factor, pool_min, seats_first, seats_more,
               seats_appeal, quorum_first, quorum_second, replacements_max, challenger_penalty);

// The values for a real network; presets change the times only.
constexpr Config main_config() {
  constexpr std::uint64_t kMinute = 60'000;
  constexpr std::uint64_t kHour = 60 * kMinute;
  constexpr std::uint64_t kDay = 24 * kHour;
  return {.challenge_window = DurationMs(kDay),
          .clock_tolerance = DurationMs(kMinute),
          .accept_window = DurationMs(5 * kMinute),
          .window = DurationMs(30 * kMinute),
          .commit_per_credit = DurationMs(4 * kHour),
          .commit_max = DurationMs(20 * kHour),
          .ban = DurationMs(30 * kDay),
          .deadline_bucket = DurationMs(400),
          .deadlines_max = 64,
          .draws_max = 16,
          .fee_min = kCredit,
          .award = Balance(10 * kCredit.micro),
          .burn = kCredit,
          .fine = Balance(5 * kCredit.micro),
          .overturned_fine = Balance(10 * kCredit.micro),
          .bond_fees = 7,
          .appeal_factor = 2,
          .pool_min = 7,
          .seats_first = 3,
          .seats_more = 4,
          .seats_appeal = 21,
          .quorum_first = 2,
          .quorum_second = 4,
          .replacements_max = 21,
          .challenger_penalty = 5};
}

// For networks on one machine.
constexpr Config local_config() {
  Config config = main_config();
  config.accept_window = DurationMs(10'000);
  config.window = DurationMs(10'000);
  config.commit_per_credit = DurationMs(10'000);
  config.commit_max = DurationMs(60'000);
  config.deadline_bucket = DurationMs(100);
  return config;
}

}  // namespace tally::disputes
