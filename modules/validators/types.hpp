// Types of the validators module. Amounts are µCC, times are chain time in milliseconds.
//
// Stake. A validator's own stake is its bond; others delegate to it. What is taken back waits as an
// Unbonding part and answers for what the validator does until then. All of it is held, of the
// account it belongs to, with reason validator_bond.
#pragma once

#include <cstdint>

#include "primitives/balance.hpp"
#include "primitives/bounded.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/finality/evidence.hpp"
#include "primitives/finality/validator_set.hpp"
#include "primitives/ids.hpp"

namespace tally::validators {

constexpr std::size_t kMaxCandidates = 1'024;  // accounts with a bond; no fewer than a set has
constexpr std::size_t kMaxDelegators = 256;    // of one validator
constexpr std::size_t kMaxUnbonding = 16;      // parts of one stake on their way out
constexpr std::size_t kMaxWindow = 4 * kMaxValidators;

// The epoch that the next block belongs to.
struct EpochInfo {
  Epoch epoch;
  BlockNumber first_block;
  Hash randomness;  // the beacon when the epoch before it ended; orders the leaders
  friend bool operator==(const EpochInfo&, const EpochInfo&) = default;
};
TALLY_DESCRIBE(EpochInfo, epoch, first_block, randomness);

// Who validates in an epoch. Kept until no evidence of that epoch counts any more.
struct EpochSet {
  ValidatorSet set;
  TimestampMs ended;  // of the epoch; 0 while it has not
  friend bool operator==(const EpochSet&, const EpochSet&) = default;
};
TALLY_DESCRIBE(EpochSet, set, ended);

// A part of a stake that was taken back. It may leave Config.unbonding after `asked`, or, where
// `last_epoch` is not 0, after the end of that epoch: the last one whose set counted it.
struct Unbonding {
  Balance amount;
  Epoch last_epoch;
  TimestampMs asked;
  friend bool operator==(const Unbonding&, const Unbonding&) = default;
};
TALLY_DESCRIBE(Unbonding, amount, last_epoch, asked);
using UnbondingList = BoundedVec<Unbonding, kMaxUnbonding>;

// bonded: may be named. out: was down, and is not named until `rejoin`. leaving: took its whole
// bond back.
enum class Standing : std::uint8_t { bonded = 0, out = 1, leaving = 2 };
TALLY_DESCRIBE_ENUM(Standing, bonded, out, leaving);

// A validator, named or not. Gone when nothing is held for it any more, or by an equivocation.
struct Candidate {
  Ed25519Key consensus_key;
  VrfKey vrf_key;
  Epoch registered;  // when it bonded; 0: at genesis. Evidence of this epoch or before is another's
  Epoch last_named;  // the last epoch whose set names it; 0: none
  Standing standing{};
  Balance bonded;           // own
  Balance delegated;        // Σ of what delegators have bonded
  UnbondingList unbonding;  // own

  Balance stake() const { return Balance(bonded.micro + delegated.micro); }
  // What is held of the validator itself.
  Balance own() const;
  friend bool operator==(const Candidate&, const Candidate&) = default;
};
TALLY_DESCRIBE(Candidate, consensus_key, vrf_key, registered, last_named, standing, bonded,
               delegated, unbonding);

struct Delegation {
  Balance bonded;
  UnbondingList unbonding;

  Balance held() const;
  friend bool operator==(const Delegation&, const Delegation&) = default;
};
TALLY_DESCRIBE(Delegation, bonded, unbonding);

// One offence: evidence that shows the same one again is worth nothing.
struct Offence {
  AccountId validator;
  View view;
  EvidenceKind kind{};
  friend bool operator==(const Offence&, const Offence&) = default;
};
TALLY_DESCRIBE(Offence, validator, view, kind);
// Of one epoch. An account is convicted at most once for what it did in an epoch: its bond is gone,
// and one registered later does not answer for it.
using Offences = BoundedVec<Offence, kMaxValidators>;

// A block whose leader still counts for a draw, see draw_ready.
struct WindowBlock {
  BlockNumber number;
  Epoch epoch;
  std::uint64_t views{};  // views of the chain up to this block, over all epochs
  AccountId leader;
  std::uint64_t weight{};
  friend bool operator==(const WindowBlock&, const WindowBlock&) = default;
};
TALLY_DESCRIBE(WindowBlock, number, epoch, views, leader, weight);

struct DrawWindow {
  BlockNumber ready;                           // draw_ready of the newest block
  BoundedVec<WindowBlock, kMaxWindow> blocks;  // those above `ready`, ascending
  friend bool operator==(const DrawWindow&, const DrawWindow&) = default;
};
TALLY_DESCRIBE(DrawWindow, ready, blocks);

}  // namespace tally::validators
