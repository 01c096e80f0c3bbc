// Calls of the channels module.
//
// close, close_unilateral, request_close, refute and settle are operational: a quarter of every
// block is kept for them, so that a full block cannot keep a party from its money.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "modules/channels/types.hpp"
#include "modules/support/context.hpp"

namespace tally::channels {

struct Consent {
  BlockNumber valid_until;
  MultiSignature signature;  // the counterparty's, over open_consent_bytes
  friend bool operator==(const Consent&, const Consent&) = default;
};
TALLY_DESCRIBE(Consent, valid_until, signature);

// With consent, or when the counterparty brings nothing, the channel is open at once; else pending.
struct Open {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "open";
  AccountId counterparty;
  Compact<Balance> deposit;
  Compact<Balance> counterparty_deposit;
  std::optional<Consent> consent;
  DurationMs challenge_period;
  friend bool operator==(const Open&, const Open&) = default;
};
TALLY_DESCRIBE(Open, counterparty, deposit, counterparty_deposit, consent, challenge_period);

// The counterparty of a pending channel brings its deposit.
struct Accept {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "accept";
  ChannelId channel_id;
  friend bool operator==(const Accept&, const Accept&) = default;
};
TALLY_DESCRIBE(Accept, channel_id);

// The opener takes a pending channel back.
struct Cancel {
  static constexpr std::uint8_t kIndex = 2;
  static constexpr std::string_view kName = "cancel";
  ChannelId channel_id;
  friend bool operator==(const Cancel&, const Cancel&) = default;
};
TALLY_DESCRIBE(Cancel, channel_id);

// Anyone: pays out what both signed with intent close, in a challenge too.
struct Close {
  static constexpr std::uint8_t kIndex = 3;
  static constexpr std::string_view kName = "close";
  CoSignedState close;
  friend bool operator==(const Close&, const Close&) = default;
};
TALLY_DESCRIBE(Close, close);

// A or B: claims an update, or the floor when none is given. In a challenge it acts as refute.
struct CloseUnilateral {
  static constexpr std::uint8_t kIndex = 4;
  static constexpr std::string_view kName = "close_unilateral";
  ChannelId channel_id;
  std::optional<CoSignedState> claim;  // of this channel
  friend bool operator==(const CloseUnilateral&, const CloseUnilateral&) = default;
};
TALLY_DESCRIBE(CloseUnilateral, channel_id, claim);

// A or B: "I may have lost my copy". The floor stands, for a longer time.
struct RequestClose {
  static constexpr std::uint8_t kIndex = 5;
  static constexpr std::string_view kName = "request_close";
  ChannelId channel_id;
  friend bool operator==(const RequestClose&, const RequestClose&) = default;
};
TALLY_DESCRIBE(RequestClose, channel_id);

// Anyone: a newer update replaces the standing state. The appointment is the victim's signature
// over appointment_bytes for the caller; one that is not the victim's earns nothing, and the
// refutation holds all the same.
struct Refute {
  static constexpr std::uint8_t kIndex = 6;
  static constexpr std::string_view kName = "refute";
  CoSignedState update;
  std::optional<MultiSignature> appointment;
  friend bool operator==(const Refute&, const Refute&) = default;
};
TALLY_DESCRIBE(Refute, update, appointment);

// A or B: moves credits in or out of an open channel and raises its floor.
struct Splice {
  static constexpr std::uint8_t kIndex = 7;
  static constexpr std::string_view kName = "splice";
  SpliceBody splice;
  MultiSignature signature_a;
  MultiSignature signature_b;
  friend bool operator==(const Splice&, const Splice&) = default;
};
TALLY_DESCRIBE(Splice, splice, signature_a, signature_b);

// Anyone, after the deadline; the chain also does it by itself.
struct Settle {
  static constexpr std::uint8_t kIndex = 8;
  static constexpr std::string_view kName = "settle";
  ChannelId channel_id;
  friend bool operator==(const Settle&, const Settle&) = default;
};
TALLY_DESCRIBE(Settle, channel_id);

using Call = std::variant<Open, Accept, Cancel, Close, CloseUnilateral, RequestClose, Refute,
                          Splice, Settle>;

bool is_operational(const Call& call);
CallProperties properties(const Call& call);

}  // namespace tally::channels
