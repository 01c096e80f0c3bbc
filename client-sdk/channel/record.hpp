// All that a party must not forget of one channel: one record, written whole. Newest own-signed and
// newest co-signed state stand in the same record, because two records that can diverge are how
// others lost funds.
#pragma once

#include <optional>

#include "client-sdk/channel/messages.hpp"
#include "modules/channels/calls.hpp"
#include "primitives/merkle/merkle.hpp"

namespace tally::channel {

// Where a party stands in a channel. Numbers are in journals: append only.
enum class Stage : std::uint8_t {
  unopened = 0,  // its open is not final, or the record on chain was not compared yet
  ready = 1,     // pays and is paid
  splicing = 2,  // signed a splice: signs nothing until that is final or too late
  closing = 3,   // signed a close: signs nothing but a crossing close with the same balances
  ending = 4,    // claims or is claimed against: signs nothing but a close
  restored = 5,  // may have signed more than it knows: signs nothing but its peer's close
  closed = 6,    // paid out
};
TALLY_DESCRIBE_ENUM(Stage, unopened, ready, splicing, closing, ending, restored, closed);
constexpr std::size_t kStages = 7;

// What both agreed on before the open, and what the chain's record has to say.
struct Terms {
  ChannelId channel_id;
  AccountId opener;
  AccountId counterparty;
  Balance deposit_a;
  Balance deposit_b;
  DurationMs challenge_period;
  Side side{};  // mine

  const AccountId& self() const { return side == Side::a ? opener : counterparty; }
  const AccountId& peer() const { return side == Side::a ? counterparty : opener; }
  friend bool operator==(const Terms&, const Terms&) = default;
};
TALLY_DESCRIBE(Terms, channel_id, opener, counterparty, deposit_a, deposit_b, challenge_period,
               side);

// My newest offer that the peer has not countersigned, on top of the newest co-signed state.
struct OpenOffer {
  ChannelState state;
  MultiSignature signature;
  ReceiptHashes receipts;         // since the newest co-signed state
  std::uint32_t versions_open{};  // how many of my offers it covers, itself included
  friend bool operator==(const OpenOffer&, const OpenOffer&) = default;
};
TALLY_DESCRIBE(OpenOffer, state, signature, receipts, versions_open);

struct SignedClose {
  ChannelState state;
  std::optional<MultiSignature> mine;
  std::optional<MultiSignature> peers;
  friend bool operator==(const SignedClose&, const SignedClose&) = default;
};
TALLY_DESCRIBE(SignedClose, state, mine, peers);

struct SignedSplice {
  SpliceBody body;
  MultiSignature mine;
  std::optional<MultiSignature> peers;
  friend bool operator==(const SignedSplice&, const SignedSplice&) = default;
};
TALLY_DESCRIBE(SignedSplice, body, mine, peers);

// The open that I signed, while nothing final says how it ended. It is sent again as it stands, and
// no other open is signed meanwhile: two could both be included.
struct Opening {
  BoundedVec<std::uint8_t, 1'024> extrinsic;
  BlockNumber death;  // the first block in which it is not valid
  friend bool operator==(const Opening&, const Opening&) = default;
};
TALLY_DESCRIBE(Opening, extrinsic, death);

struct Record {
  Terms terms;
  Stage stage{};
  std::optional<Opening> opening;       // mine; only while unopened
  bool restored{};                      // stays when the stage goes on to closing
  ChannelVersion highest_signed;        // of mine, with any intent
  channels::Position floor;             // as the chain has it: the opening, or the last splice
  std::optional<CoSignedState> newest;  // co-signed update above the floor
  BalanceDelta brought;                 // my deposit and my splices: what I gained is above this
  Mmr receipts;                         // at `newest`, or at the floor
  std::optional<OpenOffer> offer;
  std::optional<SignedClose> close;
  std::optional<SignedSplice> splice;
  bool end_wanted{};  // a claim was asked for; it is begun after the peer was asked
  Balance earned;     // prices of the receipts that I issued here
  Balance prepaid;    // what I paid here before it was earned, and no receipt has used up

  ChannelVersion newest_version() const { return newest ? newest->state.version : floor.version; }
  Balance balance(Side side) const {
    return newest ? newest->state.balance(side) : floor.balance(side);
  }
  friend bool operator==(const Record&, const Record&) = default;
};
TALLY_DESCRIBE(Record, terms, stage, opening, restored, highest_signed, floor, newest, brought,
               receipts, offer, close, splice, end_wanted, earned, prepaid);

}  // namespace tally::channel
