// SS58: how accounts are written for people. base58(prefix ‖ account ‖ checksum), the checksum
// being the first two bytes of BLAKE2b-512("SS58PRE" ‖ prefix ‖ account). The prefix names the
// network: one byte below 64, two bytes up to 16383. 46 and 47 are reserved and refused, as clients
// do.
//
// Strict: one text for an account and prefix. Source: Substrate's SS58 registry and clients.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "primitives/ids.hpp"
#include "primitives/result.hpp"

namespace tally {

constexpr std::uint16_t kGenericSs58Prefix = 42;

struct Ss58Address {
  AccountId account;
  std::uint16_t prefix{};
  friend bool operator==(const Ss58Address&, const Ss58Address&) = default;
};

bool ss58_prefix_is_valid(std::uint16_t prefix);
// The prefix must be valid.
std::string to_ss58(const AccountId& account, std::uint16_t prefix = kGenericSs58Prefix);
Result<Ss58Address, Error> parse_ss58(std::string_view text);
// What a person or client may give for an account: an address of this network, or 0x and 64 digits.
Result<AccountId, Error> parse_account(std::string_view text,
                                       std::uint16_t expected_prefix = kGenericSs58Prefix);

// Base58 with Bitcoin's alphabet; a leading zero byte is a leading '1'.
std::string to_base58(ByteView bytes);
// Nothing on a foreign character, or when the text stands for more than `max_bytes` bytes.
std::optional<Bytes> from_base58(std::string_view text, std::size_t max_bytes);

}  // namespace tally
