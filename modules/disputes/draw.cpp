#include "modules/disputes/draw.hpp"

#include <algorithm>

#include "primitives/assert.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::disputes {
namespace {

u128 number_of(const Hash& seed, std::uint32_t place) {
  const Hash hash = blake2_256({seed.view(), encode(place)});
  u128 out = 0;
  for (std::size_t i = 16; i-- > 0;) out = (out << 8) | hash.bytes[i];
  return out;
}

}  // namespace

Hash seed_of(const DrawSeed& seed) {
  return blake2_256({domain_tag("dispute-draw"), seed.beacon.view(), encode(seed.number)});
}

std::vector<AccountId> draw_order(const std::vector<PoolEntry>& pool, const Hash& seed,
                                  std::size_t count) {
  std::vector<PoolEntry> left = pool;
  u128 stake = 0;
  for (const PoolEntry& entry : left) {
    TALLY_ASSERT(!entry.stake.is_zero());
    stake += entry.stake.micro;
    TALLY_ASSERT(stake < (u128{1} << 127));
  }
  std::vector<AccountId> order;
  for (std::uint32_t place = 0; place < count && !left.empty(); ++place) {
    u128 r = number_of(seed, place) % stake;
    auto drawn = left.begin();
    while (r >= drawn->stake.micro) {
      r -= drawn->stake.micro;
      ++drawn;
    }
    order.push_back(drawn->account);
    stake -= drawn->stake.micro;
    left.erase(drawn);
  }
  return order;
}

std::vector<PoolEntry> without(const std::vector<PoolEntry>& pool,
                               const std::vector<AccountId>& called) {
  std::vector<PoolEntry> out;
  for (const PoolEntry& entry : pool) {
    if (std::find(called.begin(), called.end(), entry.account) == called.end()) {
      out.push_back(entry);
    }
  }
  return out;
}

Called called(const CalledFor& dispute, const std::vector<PoolEntry>& pool) {
  Called out;
  if (!dispute.draw.source) return out;
  const Hash seed = seed_of({dispute.draw.source->beacon, dispute.number});
  out.first = draw_order(pool, seed, dispute.draw.called);
  if (!dispute.appeal || !dispute.appeal->draw.source) return out;
  const Draw& draw = dispute.appeal->draw;
  out.appeal = draw_order(without(pool, out.first), seed_of({draw.source->beacon, dispute.number}),
                          draw.called);
  return out;
}

bool seats_match_draw(DisputeNumber number, const Dispute& dispute,
                      const std::vector<PoolEntry>& pool) {
  const Called drawn = called({number, dispute.draw, dispute.appeal}, pool);
  std::vector<AccountId> seen;
  for (const Seat& seat : dispute.seats) {
    const auto& round = seat.round == Round::appeal ? drawn.appeal : drawn.first;
    if (std::find(round.begin(), round.end(), seat.verifier) == round.end()) return false;
    if (std::find(seen.begin(), seen.end(), seat.verifier) != seen.end()) return false;
    seen.push_back(seat.verifier);
  }
  return true;
}

}  // namespace tally::disputes
