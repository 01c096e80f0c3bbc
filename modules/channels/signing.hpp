// The bytes that parties sign off chain, and ids.
//
//   state      "tallystick/channel-state/v1" ‖ intent u8 ‖ body
//              intents update (0) and close (1): body = SCALE(ChannelState)
//              intent splice (2):                body = SCALE(SpliceBody)
//   open       "tallystick/channel-open/v1" ‖ channel id ‖ deposit a ‖ deposit b ‖ valid_until u32
//   tower      "tallystick/tower-appointment/v1" ‖ channel id ‖ tower account
//   id         blake2_256("tallystick/channel-id/v1" ‖ genesis hash ‖ opener ‖ counterparty ‖
//              opener's channel counter u64 ‖ challenge period u64)
//
// No tag is a prefix of another and the intent stands before the body, so that nothing signed for
// one purpose passes for another. Signatures are verified as off-chain signatures
// (verify_offchain): a browser wallet's <Bytes> wrapping is accepted.
#pragma once

#include <cstdint>

#include "modules/channels/types.hpp"
#include "primitives/bytes.hpp"

namespace tally::channels {

enum class Intent : std::uint8_t { update = 0, close = 1, splice = 2 };
TALLY_DESCRIBE_ENUM(Intent, update, close, splice);

struct ChannelIdInput {
  Hash genesis_hash;
  AccountId opener;
  AccountId counterparty;
  std::uint64_t counter{};  // channels that the opener had opened before this one
  DurationMs challenge_period;
  friend bool operator==(const ChannelIdInput&, const ChannelIdInput&) = default;
};
TALLY_DESCRIBE(ChannelIdInput, genesis_hash, opener, counterparty, counter, challenge_period);

struct OpenConsent {
  ChannelId channel_id;
  Balance deposit_a;
  Balance deposit_b;
  BlockNumber valid_until;  // the last block that may hold the open
  friend bool operator==(const OpenConsent&, const OpenConsent&) = default;
};
TALLY_DESCRIBE(OpenConsent, channel_id, deposit_a, deposit_b, valid_until);

struct TowerAppointment {
  ChannelId channel_id;
  AccountId tower;
  friend bool operator==(const TowerAppointment&, const TowerAppointment&) = default;
};
TALLY_DESCRIBE(TowerAppointment, channel_id, tower);

ChannelId channel_id_of(const ChannelIdInput& input);

Bytes update_bytes(const ChannelState& state);
Bytes close_bytes(const ChannelState& state);
Bytes splice_bytes(const SpliceBody& splice);
Bytes open_consent_bytes(const OpenConsent& consent);
Bytes appointment_bytes(const TowerAppointment& appointment);

}  // namespace tally::channels
