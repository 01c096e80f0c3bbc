// The draw, as a pure function: whoever has the pool and the beacon gets the same verifiers as the
// chain.
//
//   seed     blake2_256("tallystick/dispute-draw/v1" ‖ beacon ‖ dispute number u64)
//   place i  r = the first 16 bytes of blake2_256(seed ‖ i u32), little-endian, modulo the stake of
//            all that are not drawn yet; walking these in the pool's order (ascending by account),
//            the one in whose stake r falls
//
// So the order is without replacement and weighted by effective stake; the modulo favours nobody
// by more than (stake of the pool) / 2^128. The beacon is that of the first block whose draw_ready
// reached the block that asked: the one of the challenge, or of the appeal. The first round takes
// places 0, 1, 2, a replacement the next place, the second round the four after those. An appeal
// has a draw of its own, by the same number and its own later beacon, from what is left of the same
// pool.
//
// Source: the protocol's rules for disputes; sampling without replacement by sequential weights.
#pragma once

#include <vector>

#include "modules/disputes/types.hpp"

namespace tally::disputes {

struct DrawSeed {
  Hash beacon;
  DisputeNumber number;
};
Hash seed_of(const DrawSeed& seed);

// The first `count` places of the order, fewer if the pool is smaller. The pool ascends by account,
// and its stakes sum to less than 2^127.
std::vector<AccountId> draw_order(const std::vector<PoolEntry>& pool, const Hash& seed,
                                  std::size_t count);

// The pool without these.
std::vector<PoolEntry> without(const std::vector<PoolEntry>& pool,
                               const std::vector<AccountId>& called);

// Everybody that the chain called for a dispute, recomputed from its record and its pool: the first
// draw's places, then the appeal's. To be compared with Drawn and Replaced.
struct Called {
  std::vector<AccountId> first;
  std::vector<AccountId> appeal;
  friend bool operator==(const Called&, const Called&) = default;
};
struct CalledFor {
  DisputeNumber number;
  const Draw& draw;
  const std::optional<Appeal>& appeal;
};
Called called(const CalledFor& dispute, const std::vector<PoolEntry>& pool);

// Whether every seat is held by one whom the draw called. The beacons in the dispute's record are
// taken as they are: the caller compares them with those of the headers.
bool seats_match_draw(DisputeNumber number, const Dispute& dispute,
                      const std::vector<PoolEntry>& pool);

}  // namespace tally::disputes
