// The open, and splices.
#include "client-sdk/channel/party_handlers.hpp"
#include "primitives/assert.hpp"

namespace tally::channel {

// Nobody signs in a channel before its open is final and the record matches.
Handled Handlers::on(const OpenedOnChain& event) {
  const Terms& terms = record().terms;
  const bool matches = event.opener == terms.opener && event.counterparty == terms.counterparty &&
                       event.deposit_a == terms.deposit_a && event.deposit_b == terms.deposit_b &&
                       event.challenge_period == terms.challenge_period;
  if (!matches) {
    tell(Notice::record_differs, ChannelVersion(0));
    return {};
  }
  record().stage = Stage::ready;
  record().opening.reset();
  persist();
  tell(Notice::opened, ChannelVersion(0));
  return {};
}

Handled Handlers::check_valid_until(BlockNumber last) const {
  if (last <= p.final_block_) return fail(Rejection::expired);
  if (last.value - p.final_block_.value > p.policy_.splice_blocks_max) {
    return fail(Rejection::valid_too_long);
  }
  return {};
}

Handled Handlers::on(const SpliceTogether& wish) {
  if (record().offer || p.pending_) return fail(Rejection::offers_open);
  TALLY_TRY(check_valid_until(wish.valid_until));
  SpliceBody body{base_state(), wish.delta_a, wish.delta_b, wish.valid_until};
  const auto a = checked_apply(body.state.balance_a, wish.delta_a);
  const auto b = checked_apply(body.state.balance_b, wish.delta_b);
  if (!a.ok() || !b.ok()) return fail(Rejection::insufficient_balance);
  body.state.balance_a = *a;
  body.state.balance_b = *b;
  body.state.version = next_version();
  body.state.acked = acked();
  const MultiSignature mine = sign(channels::splice_bytes(body), body.state.version);
  record().splice = SignedSplice{body, mine, std::nullopt};
  record().stage = Stage::splicing;
  persist();
  send(SpliceOffer{body, mine});
  return {};
}

Handled Handlers::check_splice(const SpliceOffer& offer) const {
  const ChannelState& state = offer.splice.state;
  const std::uint64_t window = p.policy_.window;
  if (state.channel_id != record().terms.channel_id) return fail(Rejection::wrong_channel);
  if (state.proposer() != peer()) return fail(Rejection::wrong_proposer);
  if (state.version <= record().highest_signed) return fail(Rejection::stale_version);
  if (state.version.value - record().highest_signed.value > 4 * window + 1'024) {
    return fail(Rejection::version_too_far);
  }
  if (state.acked >= state.version) return fail(Rejection::bad_acked);
  if (record().offer || p.pending_) return fail(Rejection::offers_open);
  TALLY_TRY(check_valid_until(offer.splice.valid_until));
  const ChannelState base = base_state();
  const auto a = checked_apply(base.balance_a, offer.splice.delta_a);
  const auto b = checked_apply(base.balance_b, offer.splice.delta_b);
  if (!a.ok() || !b.ok() || *a != state.balance_a || *b != state.balance_b) {
    return fail(Rejection::balances_differ);
  }
  if (state.receipts_root != base.receipts_root || state.receipts_count != base.receipts_count) {
    return fail(Rejection::wrong_receipts);
  }
  if (!peer_signed(channels::splice_bytes(offer.splice), offer.signature)) {
    return fail(Rejection::bad_signature);
  }
  return {};
}

Handled Handlers::on(const SpliceOffer& offer) {
  TALLY_TRY(check_splice(offer));
  if (offer.splice.delta(me()).micro != 0) {
    p.splice_offered_ = offer;
    tell(Notice::splice_offered, offer.splice.state.version);
    return {};
  }
  accept_splice(offer);
  return {};
}

Handled Handlers::on(const AcceptSplice& accepted) {
  if (!p.splice_offered_) return fail(Rejection::nothing_offered);
  const SpliceOffer offer = *p.splice_offered_;
  // The peer may have offered another since.
  if (offer.splice.delta(me()) != accepted.delta) return fail(Rejection::balances_differ);
  TALLY_TRY(check_splice(offer));
  p.splice_offered_.reset();
  accept_splice(offer);
  return {};
}

void Handlers::accept_splice(const SpliceOffer& offer) {
  const MultiSignature mine =
      sign(channels::splice_bytes(offer.splice), offer.splice.state.version);
  record().splice = SignedSplice{offer.splice, mine, offer.signature};
  record().stage = Stage::splicing;
  persist();
  send(SpliceAccepted{offer.splice, mine});
}

Handled Handlers::on(const SpliceAccepted& message) {
  SignedSplice& splice = *record().splice;
  if (message.splice != splice.body) return fail(Rejection::balances_differ);
  if (splice.peers) return fail(Rejection::nothing_new);
  if (!peer_signed(channels::splice_bytes(message.splice), message.signature)) {
    return fail(Rejection::bad_signature);
  }
  splice.peers = message.signature;
  persist();
  const CoSignedState both = co_signed(splice.body.state, splice.mine, message.signature);
  submit(channels::Splice{splice.body, both.signature_a, both.signature_b});
  set_timer(TimerKind::retry, p.policy_.retry);
  return {};
}

Handled Handlers::on(const SplicedOnChain& event) {
  if (event.version <= record().floor.version) return fail(Rejection::nothing_new);
  record().floor = {event.version, event.balance_a, event.balance_b, record().receipts.count};
  // A splice that I do not know of carries a signature that I do not know of.
  const bool known = record().splice && record().splice->body.state.version == event.version;
  if (known) record().brought.micro += record().splice->body.delta(me()).micro;
  if (!known && event.version > record().highest_signed) {
    record().highest_signed = event.version;
    become_restored();
    tell(Notice::peer_ahead, event.version);
  }
  if (record().newest && record().newest->state.version <= event.version) record().newest.reset();
  record().offer.reset();
  record().splice.reset();
  p.pending_.reset();
  p.in_flight_.clear();
  p.tip_receipts_ = record().receipts;
  if (record().stage == Stage::splicing) record().stage = Stage::ready;
  persist();
  tell(Notice::spliced, event.version);
  return {};
}

// Rule 3: a splice that is too late will never be.
Handled Handlers::on(const FinalBlock& block) {
  p.final_block_ = block.number;
  if (!record().splice || block.number <= record().splice->body.valid_until) return {};
  record().splice.reset();
  if (record().stage == Stage::splicing) record().stage = Stage::ready;
  persist();
  return {};
}

}  // namespace tally::channel
