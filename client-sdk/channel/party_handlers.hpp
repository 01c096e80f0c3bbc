// Private to the party: one handler an event. A handler checks everything before it changes
// anything, so that a rejection leaves the party as it was.
#pragma once

#include "client-sdk/channel/party.hpp"
#include "modules/channels/signing.hpp"

namespace tally::channel {

using Handled = Result<void, Rejection>;

struct Handlers {
  Party& p;
  Actions out;

  explicit Handlers(Party& party) : p(party) {}

  // party_update.cpp
  Handled on(const Offer& offer);
  Handled on(const Countersigned& message);
  Handled on(const Hello& hello);
  Handled on(const Learn& learned);
  Handled on(const Pay& pay);
  Handled on(const Issued& issued);
  Handled on(const Connected&);
  Handled on(const TurnEnded&);
  // party_end.cpp
  Handled on(const CloseOffer& offer);
  Handled on(const CloseAccepted& message);
  Handled on(const CloseTogether&);
  Handled on(const CloseWanted& wanted);
  Handled on(const AskClose&);
  Handled on(const AcceptClose& accepted);
  Handled on(const End&);
  Handled on(const TimerFired& timer);
  Handled on(const ChallengedOnChain& event);
  Handled on(const ClosedOnChain& event);
  // party_splice.cpp
  Handled on(const SpliceOffer& offer);
  Handled on(const SpliceAccepted& message);
  Handled on(const SpliceTogether& wish);
  Handled on(const AcceptSplice& accepted);
  Handled on(const SplicedOnChain& event);
  Handled on(const OpenedOnChain& event);
  Handled on(const FinalBlock& block);

  // Shared.
  Record& record() { return p.record_; }
  const Record& record() const { return p.record_; }
  Side me() const { return record().terms.side; }
  Side peer() const { return channels::other(me()); }
  void persist() { out.push_back(Persist{record()}); }
  void send(Message message) { out.push_back(Send{std::move(message)}); }
  void tell(Notice notice, ChannelVersion version) { out.push_back(Tell{notice, version}); }
  void submit(channels::Call call, bool by_third_party = false) {
    out.push_back(Submit{std::move(call), by_third_party});
  }
  void set_timer(TimerKind kind, DurationMs after) { out.push_back(SetTimer{kind, after}); }

  MultiSignature sign(ByteView message, ChannelVersion version);
  bool peer_signed(ByteView message, const MultiSignature& signature) const;
  CoSignedState co_signed(const ChannelState& state, const MultiSignature& mine,
                          const MultiSignature& peers) const;
  // What both hold, as a state: the newest update, or the floor.
  ChannelState base_state() const;
  // On top of which my next proposal goes: my newest offer, else base_state().
  ChannelState tip_state() const;
  ChannelVersion next_version() const;
  ChannelVersion acked() const;
  bool sums_to_locked(const ChannelState& state) const;
  bool below_reserve(Balance balance) const;
  // Own balance that no state I sign may fall below.
  Balance floor_of_own_balance() const;

  void countersign_pending();
  Balance amount_due(const Pay& pay) const;
  void make_offer(Balance amount, const std::vector<Hash>& receipts);
  // A co-signed update from anywhere. `newer`: it replaced the newest.
  Handled learn(const CoSignedState& update);
  void become_restored();
  void refute_or_close();
  void begin_end();
  Handled check_close(const CloseOffer& offer) const;
  void accept_close(const CloseOffer& offer);
  Handled check_splice(const SpliceOffer& offer) const;
  Handled check_valid_until(BlockNumber last) const;
  void accept_splice(const SpliceOffer& offer);
  // What both signed to end the channel, while the chain would take it.
  std::optional<CoSignedState> complete_close() const;
};

}  // namespace tally::channel
