// Updates: offers, countersignatures, and what both learn of each other.
#include <algorithm>

#include "client-sdk/channel/party_handlers.hpp"
#include "client-sdk/channel/planted.hpp"
#include "primitives/assert.hpp"

namespace tally::channel {
namespace {

Balance shifted(Balance balance, Balance by, bool up) {
  const auto result = up ? checked_add(balance, by) : checked_sub(balance, by);
  TALLY_ASSERT(result.ok());
  return *result;
}

}  // namespace

// Rules 1 and 4, in the order of the rejections.
Handled Handlers::on(const Offer& offer) {
  const ChannelState& state = offer.state;
  const std::uint64_t window = p.policy_.window;
  if (state.channel_id != record().terms.channel_id) return fail(Rejection::wrong_channel);
  if (state.proposer() != peer()) return fail(Rejection::wrong_proposer);
  ChannelVersion seen = std::max(record().highest_signed, record().newest_version());
  if (p.pending_) seen = std::max(seen, p.pending_->offer.state.version);
  const bool stale = state.version <= seen && !planted(Fault::stale_offer);
  if (stale) return fail(Rejection::stale_version);
  if (state.version > seen && state.version.value - seen.value > 4 * window + 1'024) {
    return fail(Rejection::version_too_far);
  }
  // Its own jump takes a peer 2·window + 2 further than its window alone does.
  const std::uint64_t known = std::max(state.acked, record().floor.version).value;
  if (state.version.value > known && state.version.value - known > 2 * (2 * window + 2) + 1) {
    return fail(Rejection::version_too_far);
  }
  if (!sums_to_locked(state)) return fail(Rejection::wrong_sum);
  const bool falls = state.balance(me()) < floor_of_own_balance();
  if (falls && !planted(Fault::balance_falls)) return fail(Rejection::own_balance_falls);
  const bool pays = state.balance(peer()) < record().balance(peer());
  if (pays && below_reserve(state.balance(peer()))) return fail(Rejection::payer_below_reserve);
  // It cannot hold a state that I never signed.
  if (state.acked >= state.version || state.acked > record().highest_signed) {
    return fail(Rejection::bad_acked);
  }
  Mmr receipts = record().receipts;
  if (p.pending_ && offer.base == p.pending_->offer.state.version) {
    receipts = p.pending_->receipts;
  } else if (offer.base != record().newest_version()) {
    return fail(Rejection::unknown_base);
  }
  for (const Hash& receipt : offer.receipts) receipts.append(receipt);
  if (receipts.root() != state.receipts_root || receipts.count != state.receipts_count) {
    return fail(Rejection::wrong_receipts);
  }
  if (!peer_signed(channels::update_bytes(state), offer.signature)) {
    return fail(Rejection::bad_signature);
  }
  p.pending_ = Party::Pending{offer, std::move(receipts)};
  return {};
}

Handled Handlers::on(const TurnEnded&) {
  const bool signs = record().stage == Stage::ready || planted(Fault::sign_after_claim);
  if (p.pending_ && signs) countersign_pending();
  return {};
}

// One signature under the newest offer covers those before it. Offers of mine that are still open
// are below it now and will never count: they are made anew on top.
void Handlers::countersign_pending() {
  const ChannelState state = p.pending_->offer.state;
  const std::optional<OpenOffer> overtaken = record().offer;
  const Balance before = record().balance(me());
  const MultiSignature mine = sign(channels::update_bytes(state), state.version);
  record().newest = co_signed(state, mine, p.pending_->offer.signature);
  record().receipts = p.pending_->receipts;
  record().offer.reset();
  p.tip_receipts_ = record().receipts;
  p.pending_.reset();
  p.in_flight_.clear();
  persist();
  send(Countersigned{*record().newest});
  tell(Notice::received, state.version);
  if (!overtaken) return;
  tell(Notice::offers_superseded, overtaken->state.version);
  // A peer's state that takes me below what I had has taken a part of what I offered already (and
  // all of it if another holder of my key paid as well).
  const Balance had = min(before, state.balance(me()));
  const Balance owed = checked_sub(had, overtaken->state.balance(me())).value_or(Balance{});
  // Receipts that were paid ahead cost nothing more, and belong into the state all the same.
  const bool costs_nothing = before == overtaken->state.balance(me());
  const bool left = !owed.is_zero() || (costs_nothing && !overtaken->receipts.empty());
  if (left) make_offer(owed, overtaken->receipts.items());
}

// The part of a payment that still has to be signed.
Balance Handlers::amount_due(const Pay& pay) const {
  if (!pay.ahead && pay.receipts.empty()) return pay.amount;
  return checked_sub(pay.amount, record().prepaid).value_or(Balance{});
}

Handled Handlers::on(const Pay& pay) {
  if (pay.amount.is_zero()) return fail(Rejection::nothing_to_pay);
  const Balance due = amount_due(pay);
  if (pay.ahead && due.is_zero()) return {};
  const bool overtakes = p.pending_.has_value();
  const std::size_t open = record().offer ? record().offer->receipts.size() : 0;
  if (open + pay.receipts.size() > kReceiptsMax) return fail(Rejection::too_many_receipts);
  // Countersigning first merges my open offers into one.
  if (!overtakes && record().offer && record().offer->versions_open >= p.policy_.window) {
    return fail(Rejection::window_full);
  }
  if (p.payable() < due) return fail(Rejection::insufficient_balance);
  if (overtakes) countersign_pending();
  if (pay.ahead) {
    record().prepaid = shifted(record().prepaid, due, true);
  } else {
    record().prepaid = shifted(record().prepaid, *checked_sub(pay.amount, due), false);
  }
  make_offer(due, pay.receipts);
  return {};
}

Handled Handlers::on(const Issued& issued) {
  const auto earned = checked_add(record().earned, issued.price);
  if (!earned.ok()) return fail(Rejection::wrong_sum);
  record().earned = *earned;
  persist();
  return {};
}

void Handlers::make_offer(Balance amount, const std::vector<Hash>& receipts) {
  const ChannelVersion base =
      record().offer ? record().offer->state.version : record().newest_version();
  ChannelState state = tip_state();
  for (const Hash& receipt : receipts) p.tip_receipts_.append(receipt);
  state.version = next_version();
  state.acked = acked();
  state.balance_a = shifted(state.balance_a, amount, me() == Side::b);
  state.balance_b = shifted(state.balance_b, amount, me() == Side::a);
  state.receipts_root = p.tip_receipts_.root();
  state.receipts_count = p.tip_receipts_.count;
  const MultiSignature signature = sign(channels::update_bytes(state), state.version);
  OpenOffer open{state, signature, {}, 1};
  if (record().offer) {
    open.receipts = record().offer->receipts;
    open.versions_open = record().offer->versions_open + 1;
  }
  for (const Hash& receipt : receipts) TALLY_ASSERT(open.receipts.push_back(receipt));
  record().offer = std::move(open);
  p.in_flight_.push_back({state, signature, amount});
  persist();
  const auto added = ReceiptHashes::from(receipts);
  TALLY_ASSERT(added.has_value());
  send(Offer{state, signature, base, *added});
}

Handled Handlers::on(const Countersigned& message) {
  TALLY_TRY(learn(message.update));
  if (message.update.state.proposer() == me()) tell(Notice::paid, message.update.state.version);
  if (record().stage == Stage::ending || record().stage == Stage::restored) refute_or_close();
  return {};
}

Handled Handlers::on(const Learn& learned) {
  TALLY_TRY(learn(learned.update));
  if (record().stage == Stage::ending || record().stage == Stage::restored) refute_or_close();
  return {};
}

Handled Handlers::learn(const CoSignedState& update) {
  const ChannelState& state = update.state;
  if (state.channel_id != record().terms.channel_id) return fail(Rejection::wrong_channel);
  if (state.version <= record().newest_version()) return fail(Rejection::nothing_new);
  if (!sums_to_locked(state)) return fail(Rejection::wrong_sum);
  const auto flying =
      std::find_if(p.in_flight_.begin(), p.in_flight_.end(),
                   [&](const auto& offer) { return offer.state.version == state.version; });
  const bool known = flying != p.in_flight_.end() && flying->state == state &&
                     flying->signature == update.signature(me());
  const Bytes bytes = channels::update_bytes(state);
  if (!known && !verify_offchain(record().terms.self(), bytes, update.signature(me())).ok()) {
    return fail(Rejection::bad_signature);
  }
  if (!peer_signed(bytes, update.signature(peer()))) return fail(Rejection::bad_signature);

  const bool peer_is_ahead = state.version > record().highest_signed;
  if (peer_is_ahead) {
    record().highest_signed = state.version;
    become_restored();
  }
  auto& offer = record().offer;
  if (offer && offer->state.version > state.version) {
    // The receipts that this state already has move below it.
    const std::uint64_t taken = state.receipts_count - record().receipts.count;
    if (taken <= offer->receipts.size()) {
      ReceiptHashes left;
      for (std::size_t i = 0; i < offer->receipts.size(); ++i) {
        if (i < taken) {
          record().receipts.append(offer->receipts[i]);
        } else {
          TALLY_ASSERT(left.push_back(offer->receipts[i]));
        }
      }
      offer->receipts = std::move(left);
    }
  } else if (offer) {
    record().receipts = p.tip_receipts_;
    offer.reset();
  }
  while (!p.in_flight_.empty() && p.in_flight_.front().state.version <= state.version) {
    p.in_flight_.pop_front();
  }
  if (offer) {
    offer->versions_open = std::max<std::uint32_t>(
        1, static_cast<std::uint32_t>(std::min<std::size_t>(p.in_flight_.size(), UINT32_MAX)));
  }
  record().newest = update;
  persist();
  if (peer_is_ahead) tell(Notice::peer_ahead, state.version);
  return {};
}

Handled Handlers::on(const Connected&) {
  send(Hello{record().terms.channel_id, record().newest, true});
  return {};
}

// Whatever the peer says that is not signed by both is ignored, so a Hello is never refused for it.
Handled Handlers::on(const Hello& hello) {
  if (hello.channel_id != record().terms.channel_id) return fail(Rejection::wrong_channel);
  if (hello.newest && hello.newest->state.version > record().newest_version()) {
    static_cast<void>(learn(*hello.newest));
  }
  const ChannelVersion theirs = hello.newest ? hello.newest->state.version : ChannelVersion(0);
  if (hello.reply_wanted) {
    send(Hello{record().terms.channel_id, record().newest, false});
  } else if (record().newest && record().newest->state.version > theirs) {
    send(Countersigned{*record().newest});
  }
  if (record().offer && record().stage == Stage::ready) {
    const OpenOffer& offer = *record().offer;
    send(Offer{offer.state, offer.signature, record().newest_version(), offer.receipts});
  }
  if (const auto close = complete_close()) {
    send(CloseAccepted{*close});
  } else if (record().close && record().close->mine) {
    send(CloseOffer{record().close->state, *record().close->mine});
  }
  if (record().stage == Stage::splicing) {
    const SignedSplice& splice = *record().splice;
    if (splice.body.state.proposer() == me()) {
      send(SpliceOffer{splice.body, splice.mine});
    } else {
      send(SpliceAccepted{splice.body, splice.mine});
    }
  }
  if (record().end_wanted && !p.end_begun_) begin_end();
  return {};
}

}  // namespace tally::channel
