// The end of a channel: together, alone, and against a peer.
#include <utility>

#include "client-sdk/channel/party_handlers.hpp"
#include "client-sdk/channel/planted.hpp"
#include "primitives/assert.hpp"

namespace tally::channel {

Handled Handlers::on(const CloseTogether&) {
  if (record().close) return fail(Rejection::balances_differ);
  if (record().splice && !planted(Fault::close_in_splice)) return fail(Rejection::splice_open);
  if (p.pending_ && record().stage == Stage::ready) countersign_pending();
  ChannelState state = tip_state();
  state.version = next_version();
  state.acked = acked();
  const MultiSignature mine = sign(channels::close_bytes(state), state.version);
  record().close = SignedClose{state, mine, std::nullopt};
  if (record().stage == Stage::ready) record().stage = Stage::closing;
  persist();
  send(CloseOffer{state, mine});
  return {};
}

Handled Handlers::on(const AskClose&) {
  send(CloseWanted{record().terms.channel_id});
  return {};
}

// What both agreed on ends at once; a peer that has lost its journal costs me nothing by it.
Handled Handlers::on(const CloseWanted& wanted) {
  if (wanted.channel_id != record().terms.channel_id) return fail(Rejection::wrong_channel);
  if (!record().close) return on(CloseTogether{});
  if (const auto close = complete_close()) {
    send(CloseAccepted{*close});
  } else if (record().close->mine) {
    send(CloseOffer{record().close->state, *record().close->mine});
  }
  return {};
}

Handled Handlers::check_close(const CloseOffer& offer) const {
  const ChannelState& state = offer.state;
  if (state.channel_id != record().terms.channel_id) return fail(Rejection::wrong_channel);
  if (state.proposer() != peer()) return fail(Rejection::wrong_proposer);
  if (state.version <= record().highest_signed || state.version <= record().newest_version()) {
    return fail(Rejection::stale_version);
  }
  if (!sums_to_locked(state)) return fail(Rejection::wrong_sum);
  if (record().splice && !planted(Fault::close_in_splice)) return fail(Rejection::splice_open);
  // Rule 3: a crossing close has the balances of mine.
  if (record().close && record().close->state.balance_a != state.balance_a) {
    return fail(Rejection::balances_differ);
  }
  if (state.acked >= state.version) return fail(Rejection::bad_acked);
  // There may be more, of an offer of the peer's that was lost; what I hold is not taken back.
  const ChannelState held = p.pending_ ? p.pending_->offer.state : base_state();
  if (state.receipts_count < held.receipts_count ||
      (state.receipts_count == held.receipts_count && state.receipts_root != held.receipts_root)) {
    return fail(Rejection::wrong_receipts);
  }
  if (!peer_signed(channels::close_bytes(state), offer.signature)) {
    return fail(Rejection::bad_signature);
  }
  return {};
}

Handled Handlers::on(const CloseOffer& offer) {
  TALLY_TRY(check_close(offer));
  if (!record().close && offer.state.balance(me()) < floor_of_own_balance()) {
    // A restored party may have paid since; only its user can tell.
    if (!record().restored) return fail(Rejection::own_balance_falls);
    p.close_offered_ = offer;
    tell(Notice::close_offered, offer.state.version);
    return {};
  }
  accept_close(offer);
  return {};
}

Handled Handlers::on(const AcceptClose& accepted) {
  if (!p.close_offered_) return fail(Rejection::nothing_offered);
  const CloseOffer offer = *p.close_offered_;
  // The peer may have offered another since.
  if (offer.state.balance(me()) < accepted.at_least) return fail(Rejection::own_balance_falls);
  TALLY_TRY(check_close(offer));
  p.close_offered_.reset();
  accept_close(offer);
  return {};
}

void Handlers::accept_close(const CloseOffer& offer) {
  const MultiSignature mine = sign(channels::close_bytes(offer.state), offer.state.version);
  record().close = SignedClose{offer.state, mine, offer.signature};
  if (record().stage == Stage::ready) record().stage = Stage::closing;
  p.pending_.reset();
  persist();
  send(CloseAccepted{co_signed(offer.state, mine, offer.signature)});
  // The one that wanted the close submits it; I do if it does not.
  set_timer(TimerKind::close_wait, p.policy_.close_wait);
}

Handled Handlers::on(const CloseAccepted& message) {
  const CoSignedState& close = message.close;
  if (!record().close || !record().close->mine) return fail(Rejection::nothing_offered);
  if (close.state != record().close->state) return fail(Rejection::balances_differ);
  if (record().close->peers) return fail(Rejection::nothing_new);
  if (!peer_signed(channels::close_bytes(close.state), close.signature(peer()))) {
    return fail(Rejection::bad_signature);
  }
  record().close->peers = close.signature(peer());
  persist();
  if (const auto both = complete_close()) submit(channels::Close{*both});
  set_timer(TimerKind::retry, p.policy_.retry);
  return {};
}

// Before a claim the peer is asked for anything newer; the claim follows its answer, or the timer.
Handled Handlers::on(const End&) {
  p.end_begun_ = false;
  if (!record().end_wanted) {
    record().end_wanted = true;
    persist();
  }
  send(Hello{record().terms.channel_id, record().newest, true});
  set_timer(TimerKind::answer_wait, p.policy_.answer_wait);
  return {};
}

void Handlers::begin_end() {
  p.end_begun_ = true;
  if (p.standing_) {
    refute_or_close();
    return;
  }
  if (const auto close = complete_close()) {
    submit(channels::Close{*close});
  } else if (record().restored && planted(Fault::restored_claims)) {
    submit(channels::CloseUnilateral{record().terms.channel_id, record().newest});
  } else if (record().restored) {
    // Rule 5. Its stage is in the journal already and admits no signature but under a close.
    submit(channels::RequestClose{record().terms.channel_id});
  } else {
    // Rule 2: first the newest valid offer, then `ending` into the journal, then the claim.
    if (p.pending_ && record().stage == Stage::ready) countersign_pending();
    record().stage = Stage::ending;
    persist();
    std::optional<CoSignedState> claimed = record().newest;
    if (planted(Fault::refute_with_floor)) claimed.reset();
    submit(channels::CloseUnilateral{record().terms.channel_id, claimed});
  }
  set_timer(TimerKind::retry, p.policy_.retry);
}

Handled Handlers::on(const ChallengedOnChain& event) {
  p.standing_ = event.standing;
  const bool had_splice = std::exchange(record().splice, std::nullopt).has_value();  // too late now
  if (record().stage != Stage::ending && record().stage != Stage::restored) {
    if (p.pending_ && record().stage == Stage::ready) countersign_pending();
    record().stage = Stage::ending;
    persist();
  } else if (had_splice) {
    persist();
  }
  tell(Notice::challenged, event.standing);
  refute_or_close();
  return {};
}

// In a challenge: what both agreed on, else whatever is newer than what stands.
void Handlers::refute_or_close() {
  if (!p.standing_) return;
  if (const auto close = complete_close()) {
    submit(channels::Close{*close});
  } else if (record().newest && record().newest->state.version > *p.standing_) {
    if (record().restored) {
      submit(channels::Refute{*record().newest, std::nullopt}, true);
    } else {
      submit(channels::CloseUnilateral{record().terms.channel_id, record().newest});
    }
  } else {
    return;
  }
  set_timer(TimerKind::retry, p.policy_.retry);
}

Handled Handlers::on(const TimerFired& timer) {
  if (record().stage == Stage::closed) return {};
  switch (timer.kind) {
    case TimerKind::close_wait:
      if (const auto close = complete_close()) {
        submit(channels::Close{*close});
        set_timer(TimerKind::close_wait, p.policy_.close_wait);
      }
      return {};
    case TimerKind::answer_wait:
      if (record().end_wanted && !p.end_begun_) begin_end();
      return {};
    case TimerKind::retry:
      if (record().splice && record().splice->peers && record().stage == Stage::splicing &&
          record().splice->body.state.proposer() == me()) {
        const SignedSplice& splice = *record().splice;
        const CoSignedState both = co_signed(splice.body.state, splice.mine, *splice.peers);
        submit(channels::Splice{splice.body, both.signature_a, both.signature_b});
        set_timer(TimerKind::retry, p.policy_.retry);
      }
      if (p.standing_) {
        refute_or_close();
      } else if (record().stage == Stage::ending || (record().restored && record().end_wanted) ||
                 complete_close()) {
        begin_end();
      }
      return {};
  }
  return {};
}

Handled Handlers::on(const ClosedOnChain& event) {
  record().stage = Stage::closed;
  p.pending_.reset();
  p.in_flight_.clear();
  p.standing_.reset();
  persist();
  tell(Notice::closed, event.version);
  return {};
}

}  // namespace tally::channel
