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
// they served: a client that was away for too long, or that is new on an old chain, cannot tell two
// such histories apart by proofs. So what was learnt is trusted for the root's trust period, which
// is shorter than bonds stay bound, after the newest header that was proved, or after genesis.
// After it, verify_age() fails, and the user has to name a recent block that he has from somebody
// whom he trusts. The clock that the age is judged by is the client's own. Blocks of old epochs are
// believed on their validators' word, but none below reached() is the newest, nor makes what is
// known younger.
//
//   TALLY_TRY(trust.verify_age(now));
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

// A trust period of five sevenths of the chain's unbonding time: 5 days of 7.
constexpr DurationMs trust_period_of(DurationMs unbonding) {
  return DurationMs(unbonding.value / 7 * 5);
}

// What a client believes without proof.
struct TrustRoot {
  Hash genesis_hash;
  Hash genesis_state_root;
  std::uint32_t epoch_blocks{};  // the last block of epoch e has the number e · epoch_blocks
  ValidatorSet validators;       // of epochs 1 and 2
  TimestampMs genesis_time{};
  // Nothing: what was learnt is trusted for ever, as it must be where everybody knows the keys.
  std::optional<DurationMs> trust_period{};
  // Of all sets that are kept together, 2 MB; the oldest are forgotten first. Of a hundred
  // validators who change every epoch these are 200 epochs.
  std::size_t members_kept = 20'000;
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
    Hash block;        // which the user trusts
    TimestampMs time;  // in its header
  };
  void begin_at(Start start);
  // The block that the user trusted, or genesis.
  const Hash& start() const { return start_; }

  // The block whose proof is needed next on the way to the set of this epoch; nothing when the set
  // is known. A proof of it goes to learn().
  std::optional<BlockNumber> wanted_for(Epoch epoch) const;
  // Takes the proof of the block that wanted_for() named.
  struct Step {
    Epoch epoch;               // which ended
    std::size_t validators{};  // of the set that its end names
    bool set_changed{};        // from that of the epoch before
  };
  Result<Step, Error> learn(const FinalityProof& proof);
  // The last epoch whose validators are known.
  Epoch known_up_to() const { return known_up_to_; }
  Epoch known_from() const { return sets_.front().epoch; }
  // The chain has come this far: the end of the last epoch of which that was proved.
  BlockNumber reached() const;
  // Header time of what was proved last; genesis time at first.
  TimestampMs newest() const { return newest_; }
  // That the proof's header is final, and in its epoch. Its epoch's set must be known.
  Result<void, Error> verify(const FinalityProof& proof) const;

  // That the newest proved header is not older than the trust period. To be asked before learn()
  // and verify().
  Result<void, Error> verify_age(TimestampMs now) const;
  // A header was proved; its time counts as far as it is not ahead of `now`, and not at all below
  // reached().
  void seen(const Header& header, TimestampMs now);

  // What was learnt, as bytes bound to the genesis hash.
  Bytes save() const;
  // False, and nothing changes, when the bytes are damaged or of another chain.
  bool restore(ByteView saved);

 private:
  // nullptr for an epoch whose set is not known.
  const ValidatorSet* set_of(Epoch epoch) const;
  void forget_oldest();

  TrustRoot root_;
  Hash start_;
  TimestampMs newest_;          // header time of what was proved last
  std::vector<SetSince> sets_;  // by epoch, since 1, or where it began, or the oldest that is kept
  Epoch known_up_to_;
};

// The epoch of a block that is not genesis; nothing if its consensus digest is missing.
std::optional<Epoch> epoch_of(const Header& header);

}  // namespace tally::client
