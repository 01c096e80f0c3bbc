// Who decides what is final: the chain of trust that a client follows instead of believing a node.
//
// It starts at what the chain spec says (the genesis block and the validators of epochs 1 and 2),
// or at a block that the user trusts, whose state holds the sets of its epoch and of the next; and
// it grows by one proof an epoch: the last block of epoch e names the set of epoch e + 2. With the
// set of an epoch any finality proof of that epoch can be checked. What was learnt can be saved, so
// that the next start does not walk from genesis again; a saved state must come from this user's
// own disk.
//
// Old sets. Validators take their bonds back and may then sign what they like for epochs in which
// they served. A client that was away for longer than kTrustPeriodMs, or that is new, should begin
// at a recent block that it has from somebody it trusts: the proofs alone do not tell it which of
// two such histories the others follow.
//
//   while (auto number = trust.wanted_for(epoch)) TALLY_TRY(trust.learn(proof_of(*number)));
//   TALLY_TRY(trust.verify(proof));
//
// No I/O, not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "primitives/codec/scale.hpp"
#include "primitives/finality/proof.hpp"
#include "primitives/ids.hpp"
#include "primitives/result.hpp"

namespace tally::client {

// Shorter than the time for which bonds stay bound after they were taken back.
constexpr std::uint64_t kTrustPeriodMs = 5 * 24 * 3'600'000ull;

// What a client believes without proof.
struct TrustRoot {
  Hash genesis_hash;
  Hash genesis_state_root;
  std::uint32_t epoch_blocks{};  // the last block of epoch e has the number e · epoch_blocks
  ValidatorSet validators;       // of epochs 1 and 2
};

// A set and the first epoch in which it serves; it serves until the next one does.
struct SetSince {
  Epoch epoch;
  ValidatorSet set;
  friend bool operator==(const SetSince&, const SetSince&) = default;
};
TALLY_DESCRIBE(SetSince, epoch, set);

class Trust {
 public:
  explicit Trust(TrustRoot root);

  const TrustRoot& root() const { return root_; }

  // Forgets what was learnt and begins at an epoch whose set, and the next one's, are proved by a
  // block that the user trusts. Earlier epochs can then not be checked. The sets pass check().
  struct Start {
    Epoch epoch;
    ValidatorSet set;
    ValidatorSet next;
  };
  void begin_at(Start start);

  // The block whose proof is needed next on the way to the set of this epoch; nothing when the set
  // is known. A proof of it goes to learn().
  std::optional<BlockNumber> wanted_for(Epoch epoch) const;
  // Takes the proof of the block that wanted_for() named.
  Result<void, Error> learn(const FinalityProof& proof);
  // That the proof's header is final. Its epoch's set must be known.
  Result<void, Error> verify(const FinalityProof& proof) const;

  // What was learnt, as bytes bound to the genesis hash.
  Bytes save() const;
  // False, and nothing changes, when the bytes are damaged or of another chain.
  bool restore(ByteView saved);

 private:
  // nullptr for an epoch whose set is not known.
  const ValidatorSet* set_of(Epoch epoch) const;

  TrustRoot root_;
  std::vector<SetSince> sets_;  // by epoch, since 1 or where it began
  Epoch known_up_to_;
};

// The epoch of a block that is not genesis; nothing if its consensus digest is missing.
std::optional<Epoch> epoch_of(const Header& header);

}  // namespace tally::client
