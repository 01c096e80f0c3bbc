// The index of workers by type and environment, and the offers that it follows from. Pools are kept
// in the order of accounts, so that a draw does not depend on the order of transactions.
#pragma once

#include "modules/support/context.hpp"
#include "modules/workers/errors.hpp"
#include "modules/workers/types.hpp"

namespace tally::workers {

using OfferList = BoundedVec<Offer, kMaxOffers>;

Result<void, Error> check_profile(const Profile& profile);
// The offers of a profile that passed. One that stood before in the same environment keeps its
// since.
OfferList offers_of(const Profile& profile, const OfferList& before, TimestampMs header_time);

struct OfferChange {
  const AccountId& worker;
  const OfferList& before;
  const OfferList& after;
};
// Leaves pools that are offered no more and joins new ones. Refuses: pool_full.
DispatchResult move_pools(Context& ctx, const OfferChange& change);

}  // namespace tally::workers
