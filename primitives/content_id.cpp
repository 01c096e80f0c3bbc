#include "primitives/content_id.hpp"

#include "primitives/base64url.hpp"
#include "primitives/crypto/hash.hpp"
#include "primitives/ss58.hpp"

namespace tally {

namespace {

constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::uint8_t kSha256Code = 0x12;
constexpr std::uint8_t kSha256Size = 0x20;

std::string to_base32(ByteView bytes) {
  std::string out;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const std::uint8_t byte : bytes) {
    bits = (bits << 8 | byte) & 0xffff;
    held += 8;
    while (held >= 5) {
      held -= 5;
      out.push_back(kBase32[bits >> held & 31]);
    }
  }
  if (held > 0) out.push_back(kBase32[bits << (5 - held) & 31]);
  return out;
}

std::optional<Bytes> from_base32(std::string_view text) {
  Bytes out;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const auto value = kBase32.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 5 | static_cast<std::uint32_t>(value)) & 0xffff;
    held += 5;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<std::uint8_t>(bits >> held));
    }
  }
  return out;
}

// An unsigned varint of at most 9 bytes, in its shortest form, taken off the front.
std::optional<std::uint64_t> take_varint(ByteView& bytes) {
  std::uint64_t out = 0;
  for (unsigned i = 0; i < 9 && i < bytes.size(); ++i) {
    const std::uint8_t byte = bytes[i];
    out |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if ((byte & 0x80) != 0) continue;
    if (byte == 0 && i > 0) return std::nullopt;
    bytes = bytes.subspan(i + 1);
    return out;
  }
  return std::nullopt;
}

void put_varint(Bytes& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<std::uint8_t>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<std::uint8_t>(value));
}

bool take_sha256(ByteView bytes, Cid& cid) {
  if (bytes.size() != 2 + cid.sha256.size() || bytes[0] != kSha256Code || bytes[1] != kSha256Size) {
    return false;
  }
  std::memcpy(cid.sha256.data(), bytes.data() + 2, cid.sha256.size());
  return true;
}

std::optional<Cid> parse_any(std::string_view text) {
  Cid cid;
  if (text.starts_with("Qm")) {
    cid.version = 0;
    cid.codec = kCodecDagPb;
    const auto bytes = from_base58(text, 34);
    if (!bytes || !take_sha256(*bytes, cid)) return std::nullopt;
    return cid;
  }
  if (!text.starts_with('b')) return std::nullopt;
  const auto bytes = from_base32(text.substr(1));
  if (!bytes) return std::nullopt;
  ByteView rest = *bytes;
  const auto version = take_varint(rest);
  if (version != std::uint64_t{1}) return std::nullopt;
  const auto codec = take_varint(rest);
  if (!codec) return std::nullopt;
  cid.codec = *codec;
  if (!take_sha256(rest, cid)) return std::nullopt;
  return cid;
}

}  // namespace

std::optional<Cid> Cid::parse(std::string_view text) {
  if (text.size() > kMaxContentIdLength) return std::nullopt;
  const auto cid = parse_any(text);
  if (!cid || cid->to_text() != text) return std::nullopt;
  return cid;
}

std::string Cid::to_text() const {
  Bytes bytes;
  if (version != 0) {
    bytes.push_back(1);
    put_varint(bytes, codec);
  }
  bytes.push_back(kSha256Code);
  bytes.push_back(kSha256Size);
  append(bytes, sha256);
  return version == 0 ? to_base58(bytes) : "b" + to_base32(bytes);
}

Cid raw_cid(ByteView bytes) {
  Cid out;
  out.sha256 = sha256(bytes);
  return out;
}

bool content_id_is_valid(StoreKind store, std::string_view text) {
  switch (store) {
    case StoreKind::arweave: {
      const auto bytes = text.size() == 43 ? from_base64url(text) : std::nullopt;
      return bytes.has_value();
    }
    case StoreKind::ipfs:
    case StoreKind::filecoin:
      return Cid::parse(text).has_value();
    case StoreKind::directory: {
      const auto cid = Cid::parse(text);
      return cid && cid->version == 1 && cid->codec == kCodecRaw;
    }
  }
  return false;
}

}  // namespace tally
