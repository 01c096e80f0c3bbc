// What the two parties of a channel say to each other. A message travels as SCALE(Message) inside
// whatever stream the parties share (a task stream's ChannelMessage); the stream keeps the order
// and says who the peer is.
//
// Errors: a message that does not decode, or is longer than kMessageMax, ends the conversation.
#pragma once

#include <optional>
#include <variant>

#include "modules/channels/types.hpp"
#include "primitives/bounded.hpp"

namespace tally::channel {

using channels::ChannelState;
using channels::CoSignedState;
using channels::Side;
using channels::SpliceBody;

constexpr std::size_t kReceiptsMax = 512;  // new receipts in one offer
constexpr std::size_t kMessageMax = 64 * 1024;
using ReceiptHashes = BoundedVec<Hash, kReceiptsMax>;

// The payer's signed next state. `base` is the version it builds on: the payer's offer before this
// one, or an update that both hold; `receipts` are what was appended since.
struct Offer {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "offer";
  ChannelState state;
  MultiSignature signature;
  ChannelVersion base;
  ReceiptHashes receipts;
  friend bool operator==(const Offer&, const Offer&) = default;
};
TALLY_DESCRIBE(Offer, state, signature, base, receipts);

// The payee's signature under the newest offer; it covers all offers before.
struct Countersigned {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "countersigned";
  CoSignedState update;
  friend bool operator==(const Countersigned&, const Countersigned&) = default;
};
TALLY_DESCRIBE(Countersigned, update);

struct CloseOffer {
  static constexpr std::uint8_t kIndex = 2;
  static constexpr std::string_view kName = "close_offer";
  ChannelState state;
  MultiSignature signature;
  friend bool operator==(const CloseOffer&, const CloseOffer&) = default;
};
TALLY_DESCRIBE(CloseOffer, state, signature);

struct CloseAccepted {
  static constexpr std::uint8_t kIndex = 3;
  static constexpr std::string_view kName = "close_accepted";
  CoSignedState close;
  friend bool operator==(const CloseAccepted&, const CloseAccepted&) = default;
};
TALLY_DESCRIBE(CloseAccepted, close);

struct SpliceOffer {
  static constexpr std::uint8_t kIndex = 4;
  static constexpr std::string_view kName = "splice_offer";
  SpliceBody splice;
  MultiSignature signature;
  friend bool operator==(const SpliceOffer&, const SpliceOffer&) = default;
};
TALLY_DESCRIBE(SpliceOffer, splice, signature);

struct SpliceAccepted {
  static constexpr std::uint8_t kIndex = 5;
  static constexpr std::string_view kName = "splice_accepted";
  SpliceBody splice;
  MultiSignature signature;  // of the one that accepts
  friend bool operator==(const SpliceAccepted&, const SpliceAccepted&) = default;
};
TALLY_DESCRIBE(SpliceAccepted, splice, signature);

// On every (re)connection, and before a claim: the newest update that I hold. The receiver learns
// what it lacks and sends again what I lack.
struct Hello {
  static constexpr std::uint8_t kIndex = 6;
  static constexpr std::string_view kName = "hello";
  ChannelId channel_id;
  std::optional<CoSignedState> newest;
  bool reply_wanted{};
  friend bool operator==(const Hello&, const Hello&) = default;
};
TALLY_DESCRIBE(Hello, channel_id, newest, reply_wanted);

// Of a restored party, which may sign nothing but a close that its peer offers: please offer one.
struct CloseWanted {
  static constexpr std::uint8_t kIndex = 7;
  static constexpr std::string_view kName = "close_wanted";
  ChannelId channel_id;
  friend bool operator==(const CloseWanted&, const CloseWanted&) = default;
};
TALLY_DESCRIBE(CloseWanted, channel_id);

using Message = std::variant<Offer, Countersigned, CloseOffer, CloseAccepted, SpliceOffer,
                             SpliceAccepted, Hello, CloseWanted>;

ChannelId channel_of(const Message& message);
Bytes encode_message(const Message& message);
Result<Message, DecodeError> decode_message(ByteView bytes);

}  // namespace tally::channel
