// The chain as one pure function: (parent state, block input, transactions) → changes.
//
// No clock, no randomness, no I/O: the same input gives the same outcome everywhere, which is what
// consensus agrees on. The state root is not computed here: the outcome holds the changed keys, and
// the tree update runs outside. Order of a block: start hooks (system, validators, then what is due
// of channels), the transactions, end hooks, System.Events.
//
// What consensus has checked before: the parent, the epoch's validator set, the leader of the view
// and its VRF proof. What is checked here: height, header time, epoch, and every transaction's
// pre-dispatch checks; a block with a transaction that fails one is invalid. A transaction whose
// call fails is valid: it pays its fee, its nonce rises, and the state is otherwise as before.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "modules/support/state.hpp"
#include "primitives/finality/validator_set.hpp"
#include "primitives/header.hpp"
#include "runtime/transaction.hpp"

namespace tally::runtime {

struct BlockInput {
  Hash parent_hash;
  BlockNumber number;
  ConsensusDigest consensus;  // of the block's header
  AccountId proposer;         // account of the view's leader
};

// When the modules' invariants are checked. A violation is a bug and ends the process.
enum class InvariantChecks : std::uint8_t { sampled, every_block, every_transaction };

struct TransactionResult {
  std::optional<DispatchError> error;  // nothing: the call was applied
  Balance fee;
  Weight weight;
};

struct BlockOutcome {
  StateChanges changes;
  Bytes events;  // the value of System.Events
  std::vector<TransactionResult> results;
  Hash extrinsics_root;
  Weight weight;
  // The header has to name this set in a Consensus digest item, and no set when there is none.
  std::optional<ValidatorSet> named_set;
};

enum class BlockErrorCode : std::uint8_t {
  wrong_number,           // not the parent's + 1
  time_not_after_parent,  // header time at or below the parent's
  wrong_epoch,            // not the epoch that the parent's state says
  bad_vrf_proof,          // not 80 bytes that decode to a point and two scalars
  invalid_transaction,
};
TALLY_DESCRIBE_ENUM(BlockErrorCode, wrong_number, time_not_after_parent, wrong_epoch, bad_vrf_proof,
                    invalid_transaction);

struct BlockError {
  BlockErrorCode code{};
  // Of invalid_transaction:
  std::size_t transaction = 0;
  InvalidTransaction reason{};
  friend bool operator==(const BlockError&, const BlockError&) = default;
};
std::string to_text(const BlockError& error);

Result<BlockOutcome, BlockError> execute_block(const StateReader& parent, const BlockInput& input,
                                               std::span<const CheckedTransaction* const> txs,
                                               InvariantChecks checks = InvariantChecks::sampled);

struct RefusedCandidate {
  std::size_t candidate;
  InvalidTransaction reason;
};
struct Proposal {
  std::vector<std::size_t> chosen;  // indices of candidates, in the order of the block
  // Not in the block: exhausts_resources and future may come later, the others never will on this
  // fork.
  std::vector<RefusedCandidate> refused;
  BlockOutcome outcome;
};

// Takes candidates in their order as long as they are valid and fit.
Result<Proposal, BlockError> propose_block(const StateReader& parent, const BlockInput& input,
                                           std::span<const CheckedTransaction* const> candidates,
                                           InvariantChecks checks = InvariantChecks::sampled);

// Whether a block on this state with this header time has something to do of its own accord.
bool deadline_due(const StateReader& parent, TimestampMs header_time);

}  // namespace tally::runtime
