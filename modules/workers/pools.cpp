#include "modules/workers/pools.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "modules/workers/storage.hpp"
#include "primitives/assert.hpp"

namespace tally::workers {

namespace {

using Pool = BoundedVec<AccountId, kMaxPool>;

const Offer* find_offer(const OfferList& offers, const PoolId& id) {
  for (const Offer& offer : offers) {
    if (PoolId{offer.type, offer.environment} == id) return &offer;
  }
  return nullptr;
}

void leave(Context& ctx, const PoolId& id, const AccountId& worker) {
  std::vector<AccountId> members = kPools.get(ctx.state, id).items();
  const auto at = std::lower_bound(members.begin(), members.end(), worker);
  TALLY_ASSERT(at != members.end() && *at == worker);
  members.erase(at);
  if (members.empty()) {
    kPools.erase(ctx.state, id);
  } else {
    kPools.put(ctx.state, id, *Pool::from(std::move(members)));
  }
}

DispatchResult join(Context& ctx, const PoolId& id, const AccountId& worker) {
  std::vector<AccountId> members = kPools.get(ctx.state, id).items();
  members.insert(std::lower_bound(members.begin(), members.end(), worker), worker);
  auto pool = Pool::from(std::move(members));
  if (!pool) return fail(reject(Error::pool_full));
  kPools.put(ctx.state, id, *pool);
  return {};
}

}  // namespace

Result<void, Error> check_profile(const Profile& profile) {
  if (profile.offers.empty()) return fail(Error::no_offers);
  for (std::size_t i = 1; i < profile.offers.size(); ++i) {
    if (profile.offers[i - 1].type >= profile.offers[i].type) {
      return fail(Error::offers_not_ascending);
    }
  }
  for (const TaskOffer& offer : profile.offers) {
    if (offer.per_units == 0) return fail(Error::zero_units);
  }
  if (profile.endpoint.size() > kMaxEndpoint) return fail(Error::endpoint_too_long);
  return {};
}

OfferList offers_of(const Profile& profile, const OfferList& before, TimestampMs header_time) {
  OfferList out;
  for (const TaskOffer& offer : profile.offers) {
    const Offer* old = find_offer(before, {offer.type, profile.environment});
    const bool room =
        out.push_back({offer.type, profile.environment, offer.price, offer.per_units,
                       offer.units_per_second, old == nullptr ? header_time : old->since});
    TALLY_ASSERT(room);
  }
  return out;
}

DispatchResult move_pools(Context& ctx, const OfferChange& change) {
  for (const Offer& offer : change.before) {
    const PoolId id{offer.type, offer.environment};
    if (find_offer(change.after, id) == nullptr) leave(ctx, id, change.worker);
  }
  for (const Offer& offer : change.after) {
    const PoolId id{offer.type, offer.environment};
    if (find_offer(change.before, id) == nullptr) TALLY_TRY(join(ctx, id, change.worker));
  }
  return {};
}

}  // namespace tally::workers
