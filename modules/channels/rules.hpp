// The rules of a channel as pure transitions: a channel and what happens to it in, the next channel
// or a numbered rejection out. Nothing here reads or writes the state; the dispatch does.
//
// Fraud. A poster is a cheater when a newer update w proves that it held more than it claimed: it
// countersigned w, or it proposed w with `acked` above the version that it claimed. (A payer may
// run ahead of its payee's countersignatures; one that claims the newest state it really holds is
// honest and only corrected.) The newest version that each side posted is kept until the channel
// ends, and every later refutation is tested against both.
//
// Times. A challenge lasts one period from its start (request_close: the configured factor times
// that). A refutation moves the deadline to at least now + half of it, never past start + twice of
// it. All of these stretch with the lane for operational calls (PeriodStretch), and the deadline is
// looked at again when it comes due, so a lane that fills up late stretches a running challenge.
//
// Errors: errors.hpp, in order of precedence. Source: the protocol's rules for channels.
#pragma once

#include "modules/channels/calls.hpp"
#include "modules/channels/config.hpp"
#include "modules/channels/errors.hpp"
#include "modules/channels/events.hpp"
#include "modules/channels/signing.hpp"
#include "modules/channels/types.hpp"
#include "modules/support/context.hpp"
#include "primitives/result.hpp"

namespace tally::channels {

template <class T>
using Ruling = Result<T, Error>;

// What the rules know of the block.
struct Moment {
  BlockNumber block;
  TimestampMs time;
  PeriodStretch stretch{1'000};
};

struct OpenTerms {
  AccountId opener;
  AccountId counterparty;
  Balance deposit_a;
  Balance deposit_b;
  DurationMs challenge_period;
  BlockNumber opened_in;
  Phase phase{};  // pending or open
};
Ruling<Channel> open_channel(const OpenTerms& terms, const Config& config);

// What the channel holds: both sides' parts.
Balance locked(const Channel& channel);

// True when update w proves that `side` held a co-signed state above `claimed`. w is newer.
bool proves_more(Side side, ChannelVersion claimed, const ChannelState& w);

// An update that may stand in this channel, signatures not looked at: sum, floor, acked.
Ruling<void> check_update(const Channel& channel, const ChannelState& state);

struct CoSigned {
  const MultiSignature& a;
  const MultiSignature& b;
};
Ruling<void> check_signatures(const Channel& channel, ByteView message, const CoSigned& signatures);

// close_unilateral in an open channel; no update: the floor is claimed.
Ruling<Channel> claim(Channel channel, Side by, const CoSignedState* update, const Moment& now);
Ruling<Channel> request_close(Channel channel, Side by, const Config& config, const Moment& now);

struct Refutation {
  const CoSignedState& update;
  AccountId by;
  const std::optional<MultiSignature>& appointment;
};
struct Refuted {
  Channel channel;
  PerSide<bool> newly_marked{};  // proved a cheater by this refutation
  bool ends_now = false;         // a participant without a mark proved the other's fraud
};
// Who posts an update, and against which side it shows the victim's appointment.
struct Poster {
  AccountId account;
  PerSide<bool> appointed_against{};
};
// The part of refute() after all its checks.
Refuted replace_standing(Channel channel, const ChannelState& w, const Poster& poster,
                         const Moment& now);
Ruling<Refuted> refute(Channel channel, const Refutation& refutation, const Moment& now);

Ruling<Channel> splice(Channel channel, const Splice& call, const Config& config,
                       const Moment& now);

// Whether the standing state may settle; a challenge that the busy lane stretches is not due.
Ruling<void> check_due(const Channel& channel, const Moment& now);
TimestampMs stretched_deadline(const Challenge& challenge, PeriodStretch stretch);

Ruling<void> check_close(const Channel& channel, const CoSignedState& close);

// Which side gained by the channel, and how much: |balance_b − base_b|.
struct Gain {
  Side side{};
  Balance amount;
};
Gain gain_of(const Channel& channel, Balance balance_b);

// What a side gained is taxed, per thousand.
struct FeeDue {
  Side side{};
  Balance amount;
};
FeeDue settlement_fee(const Channel& channel, Balance balance_b, const Config& config);

// How what the channel holds is divided. Sums to locked(channel) exactly.
struct Division {
  Payouts payouts;
  PerSide<Balance> to_tower;  // from that side's forfeit, to the tower of its mark
};
Division divide_challenge(const Channel& channel, const Config& config);
Division divide_close(const Channel& channel, const ChannelState& close, const Config& config);

}  // namespace tally::channels
