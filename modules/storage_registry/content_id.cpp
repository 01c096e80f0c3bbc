#include "modules/storage_registry/content_id.hpp"

#include "primitives/ss58.hpp"

namespace tally::storage_registry {

namespace {

constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::size_t kArweaveId = 43;  // characters of 32 bytes
constexpr std::size_t kCidV0 = 46;      // characters of 34 bytes
constexpr std::uint8_t kSha2_256Size = 32;
constexpr std::size_t kMaxDigest = 64;

// Bits of a base whose alphabet has 2^bits characters, most significant first.
std::optional<Bytes> from_base(std::string_view text, std::string_view alphabet, unsigned bits) {
  Bytes out;
  std::uint32_t kept = 0;
  unsigned kept_bits = 0;
  for (const char c : text) {
    const std::size_t digit = alphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    kept = (kept << bits) | static_cast<std::uint32_t>(digit);
    kept_bits += bits;
    if (kept_bits >= 8) {
      kept_bits -= 8;
      out.push_back(static_cast<std::uint8_t>(kept >> kept_bits));
      kept &= (1u << kept_bits) - 1;
    }
  }
  // What is left over is less than a character, and zero.
  if (kept_bits >= bits || kept != 0) return std::nullopt;
  return out;
}

std::string to_base32(ByteView bytes) {
  std::string out;
  std::uint32_t kept = 0;
  unsigned kept_bits = 0;
  for (const std::uint8_t byte : bytes) {
    kept = (kept << 8) | byte;
    kept_bits += 8;
    while (kept_bits >= 5) {
      kept_bits -= 5;
      out.push_back(kBase32[(kept >> kept_bits) & 31]);
    }
    kept &= (1u << kept_bits) - 1;
  }
  if (kept_bits > 0) out.push_back(kBase32[(kept << (5 - kept_bits)) & 31]);
  return out;
}

// An unsigned varint of at most 9 bytes, minimal; moves `bytes` past it.
std::optional<std::uint64_t> take_varint(ByteView& bytes) {
  constexpr std::size_t kMax = 9;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size() && i < kMax; ++i) {
    value |= std::uint64_t{bytes[i] & 0x7fu} << (7 * i);
    if ((bytes[i] & 0x80) != 0) continue;
    if (i > 0 && bytes[i] == 0) return std::nullopt;
    bytes = bytes.subspan(i + 1);
    return value;
  }
  return std::nullopt;
}

std::optional<Cid> parse_cid_v0(std::string_view text) {
  const auto bytes = from_base58(text, 2 + kSha2_256Size);
  if (!bytes || bytes->size() != 2 + kSha2_256Size) return std::nullopt;
  if ((*bytes)[0] != kSha2_256 || (*bytes)[1] != kSha2_256Size) return std::nullopt;
  return Cid{0, kCodecDagPb, kSha2_256, Bytes(bytes->begin() + 2, bytes->end())};
}

std::optional<Cid> parse_cid_v1(std::string_view text) {
  const auto bytes = from_base(text, kBase32, 5);
  if (!bytes) return std::nullopt;
  ByteView rest(*bytes);
  const auto version = take_varint(rest);
  if (version != 1u) return std::nullopt;
  const auto codec = take_varint(rest);
  if (!codec) return std::nullopt;
  const auto hash_code = take_varint(rest);
  if (!hash_code) return std::nullopt;
  const auto size = take_varint(rest);
  if (!size || *size == 0 || *size > kMaxDigest || *size != rest.size()) return std::nullopt;
  if (*hash_code == kSha2_256 && *size != kSha2_256Size) return std::nullopt;
  return Cid{1, *codec, *hash_code, to_bytes(rest)};
}

bool is_raw_sha256(const Cid& cid) {
  return cid.version == 1 && cid.codec == kCodecRaw && cid.hash_code == kSha2_256;
}

}  // namespace

std::optional<Cid> parse_cid(std::string_view text) {
  if (text.size() > kMaxContentId) return std::nullopt;
  if (text.size() == kCidV0 && text.starts_with("Qm")) return parse_cid_v0(text);
  if (text.starts_with('b')) return parse_cid_v1(text.substr(1));
  return std::nullopt;
}

std::string raw_cid(const std::array<std::uint8_t, 32>& sha256_of_content) {
  Bytes bytes{1, kCodecRaw, kSha2_256, kSha2_256Size};
  append(bytes, sha256_of_content);
  return "b" + to_base32(bytes);
}

bool content_id_is_valid(StoreKind store, std::string_view text) {
  switch (store) {
    case StoreKind::arweave:
      return text.size() == kArweaveId && from_base(text, kBase64Url, 6).has_value();
    case StoreKind::ipfs:
    case StoreKind::filecoin:
      return parse_cid(text).has_value();
    case StoreKind::directory: {
      const auto cid = parse_cid(text);
      return cid && is_raw_sha256(*cid);
    }
  }
  return false;
}

}  // namespace tally::storage_registry
