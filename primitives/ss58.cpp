#include "primitives/ss58.hpp"

#include <algorithm>

#include "primitives/assert.hpp"
#include "primitives/balance.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally {
namespace {

constexpr std::string_view kAlphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::size_t kChecksumSize = 2;
constexpr std::size_t kAddressSizeMax = 2 + AccountId::kSize + kChecksumSize;

Bytes prefix_bytes(std::uint16_t prefix) {
  if (prefix < 64) return {static_cast<std::uint8_t>(prefix)};
  return {static_cast<std::uint8_t>((prefix & 0xfc) >> 2 | 0x40),
          static_cast<std::uint8_t>(prefix >> 8 | (prefix & 3) << 6)};
}

Bytes checksum(ByteView prefix_and_account) {
  Bytes input = to_bytes(as_bytes("SS58PRE"));
  append(input, prefix_and_account);
  const auto digest = blake2_512(input);
  return {digest[0], digest[1]};
}

Failure<Error> bad_address(std::string_view text, std::string_view reason) {
  return fail_with("'" + std::string(text.substr(0, 80)) +
                   "' is not an address: " + std::string(reason));
}

}  // namespace

std::string to_base58(ByteView bytes) {
  Bytes digits;  // base 58, the least significant first
  for (std::uint8_t byte : bytes) {
    unsigned carry = byte;
    for (std::uint8_t& digit : digits) {
      carry += static_cast<unsigned>(digit) << 8;
      digit = static_cast<std::uint8_t>(carry % 58);
      carry /= 58;
    }
    for (; carry != 0; carry /= 58) digits.push_back(static_cast<std::uint8_t>(carry % 58));
  }
  std::string out;
  for (auto at = bytes.begin(); at != bytes.end() && *at == 0; ++at) out.push_back(kAlphabet[0]);
  for (auto at = digits.rbegin(); at != digits.rend(); ++at) out.push_back(kAlphabet[*at]);
  return out;
}

std::optional<Bytes> from_base58(std::string_view text, std::size_t max_bytes) {
  Bytes out;  // the least significant byte first
  for (char c : text) {
    const auto found = kAlphabet.find(c);
    if (found == kAlphabet.npos) return std::nullopt;
    auto carry = static_cast<unsigned>(found);
    for (std::uint8_t& byte : out) {
      carry += byte * 58u;
      byte = static_cast<std::uint8_t>(carry);
      carry >>= 8;
    }
    for (; carry != 0; carry >>= 8) out.push_back(static_cast<std::uint8_t>(carry));
    if (out.size() > max_bytes) return std::nullopt;
  }
  const std::size_t zeros = std::min(text.find_first_not_of(kAlphabet[0]), text.size());
  if (out.size() + zeros > max_bytes) return std::nullopt;
  out.insert(out.end(), zeros, 0);
  std::reverse(out.begin(), out.end());
  return out;
}

bool ss58_prefix_is_valid(std::uint16_t prefix) {
  return prefix <= 16'383 && prefix != 46 && prefix != 47;
}

std::string to_ss58(const AccountId& account, std::uint16_t prefix) {
  TALLY_ASSERT(ss58_prefix_is_valid(prefix));
  Bytes raw = prefix_bytes(prefix);
  append(raw, account);
  append(raw, checksum(raw));
  return to_base58(raw);
}

Result<Ss58Address, Error> parse_ss58(std::string_view text) {
  const auto raw = from_base58(text, kAddressSizeMax);
  if (!raw) return bad_address(text, "expected up to 50 base58 characters (no 0, O, I or l)");
  const std::size_t prefix_size = !raw->empty() && (*raw)[0] >= 64 ? 2 : 1;
  if (raw->size() != prefix_size + AccountId::kSize + kChecksumSize) {
    return bad_address(text, "its length is not that of a 32-byte account");
  }
  if ((*raw)[0] >= 128) return bad_address(text, "its prefix is of a reserved kind");
  Ss58Address out;
  out.prefix = (*raw)[0];
  if (prefix_size == 2) {
    out.prefix = static_cast<std::uint16_t>(((*raw)[0] & 0x3f) << 2 | (*raw)[1] >> 6 |
                                            ((*raw)[1] & 0x3f) << 8);
  }
  const ByteView body = ByteView(*raw).first(raw->size() - kChecksumSize);
  if (!equal(checksum(body), ByteView(*raw).last(kChecksumSize))) {
    return bad_address(text, "its checksum does not match; copy it again, whole");
  }
  if (!ss58_prefix_is_valid(out.prefix) || prefix_bytes(out.prefix).size() != prefix_size) {
    return bad_address(text, "its prefix is reserved or written in two bytes for no reason");
  }
  out.account = *AccountId::from(body.subspan(prefix_size));
  return out;
}

Result<AccountId, Error> parse_account(std::string_view text, std::uint16_t expected_prefix) {
  if (text.starts_with("0x")) {
    const auto raw = text.size() == 66 ? from_hex(text) : std::nullopt;
    if (!raw) return bad_address(text, "expected 64 hexadecimal digits after 0x");
    return *AccountId::from(*raw);
  }
  const Ss58Address parsed = TALLY_TRY(parse_ss58(text));
  if (parsed.prefix != expected_prefix) {
    return bad_address(text, "it is of network " + to_decimal(parsed.prefix) +
                                 ", this network is " + to_decimal(expected_prefix));
  }
  return parsed.account;
}

}  // namespace tally
