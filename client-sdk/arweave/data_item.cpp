#include "client-sdk/arweave/data_item.hpp"

#include "primitives/base64url.hpp"
#include "primitives/crypto/hash.hpp"
#include "primitives/crypto/keccak.hpp"

namespace tally::arweave {

namespace {

constexpr std::size_t kIdBytes = 32;
constexpr std::uint8_t kRecoveryBase = 27;

struct Sizes {
  std::size_t signature = 0;
  std::size_t owner = 0;
};

Sizes sizes_of(SignatureType type) {
  switch (type) {
    case SignatureType::arweave:
      return {kRsaBytes, kRsaBytes};
    case SignatureType::ed25519:
      return {Ed25519Signature::kSize, Ed25519Key::kSize};
    case SignatureType::ethereum:
      return {EcdsaSignature::kSize, 65};
  }
  return {};
}

std::string_view name_of_refused(std::uint64_t type) {
  switch (type) {
    case 4:
      return " (Solana, signing hexadecimal text)";
    case 5:
      return " (Aptos)";
    case 6:
      return " (Aptos, several signers)";
    case 7:
      return " (Ethereum, typed data)";
    default:
      return "";
  }
}

Hash ethereum_digest(const Hash384& message) {
  Bytes signed_bytes =
      to_bytes(as_bytes("\x19"
                        "Ethereum Signed Message:\n48"));
  append(signed_bytes, message);
  Hash out;
  out.bytes = keccak_256(signed_bytes);
  return out;
}

bool ethereum_is_valid(const DataItem& item) {
  auto signature = EcdsaSignature::from(item.signature);
  if (!signature || signature->bytes[64] < kRecoveryBase ||
      signature->bytes[64] > kRecoveryBase + 1) {
    return false;
  }
  signature->bytes[64] = static_cast<std::uint8_t>(signature->bytes[64] - kRecoveryBase);
  const auto key = ecdsa_recover(*signature, ethereum_digest(item.signature_data()));
  const auto owner = key ? secp256k1_uncompressed(*key) : std::nullopt;
  return owner && equal(*owner, item.owner);
}

void put_number(Bytes& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void put_optional(Bytes& out, const std::optional<Hash256>& value) {
  out.push_back(value ? 1 : 0);
  if (value) append(out, *value);
}

// Takes fields off the front; remembers that one was missing.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  ByteView take(std::uint64_t size) {
    if (size > rest_.size()) {
      failed_ = true;
      return {};
    }
    const ByteView out = rest_.first(size);
    rest_ = rest_.subspan(size);
    return out;
  }
  std::uint64_t number(std::size_t size) {
    std::uint64_t out = 0;
    const ByteView bytes = take(size);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      out |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
    }
    return out;
  }
  std::optional<Hash256> optional_id() {
    const std::uint64_t there = number(1);
    failed_ = failed_ || there > 1;
    if (there != 1) return std::nullopt;
    const ByteView bytes = take(kIdBytes);
    Hash256 out{};
    if (bytes.size() == out.size()) std::memcpy(out.data(), bytes.data(), out.size());
    return out;
  }
  bool failed() const { return failed_; }
  ByteView rest() const { return rest_; }

 private:
  ByteView rest_;
  bool failed_ = false;
};

Failure<Error> malformed(const std::string& reason) {
  return fail_with("not a data item: " + reason);
}

}  // namespace

Hash384 DataItem::signature_data() const {
  const std::string number = std::to_string(static_cast<unsigned>(type));
  const auto tags = encode_tags(content.tags);
  TALLY_ASSERT(tags.has_value());
  const auto view = [](const std::optional<Hash256>& id) {
    return id ? ByteView(*id) : ByteView();
  };
  return DeepValue(std::vector<DeepValue>{as_bytes("dataitem"), as_bytes("1"), as_bytes(number),
                                          ByteView(owner), view(content.target),
                                          view(content.anchor), ByteView(*tags),
                                          ByteView(content.data)})
      .hash();
}

bool DataItem::is_valid() const {
  const Sizes sizes = sizes_of(type);
  if (signature.size() != sizes.signature || owner.size() != sizes.owner ||
      !item_tags_are_valid(content.tags)) {
    return false;
  }
  switch (type) {
    case SignatureType::arweave:
      return rsa_verify(owner, signature_data(), signature);
    case SignatureType::ed25519:
      return ed25519_verify(*Ed25519Key::from(owner), signature_data(),
                            *Ed25519Signature::from(signature));
    case SignatureType::ethereum:
      return ethereum_is_valid(*this);
  }
  return {};
}

Hash256 DataItem::raw_id() const {
  return sha256(signature);
}

std::string DataItem::id() const {
  return to_base64url(raw_id());
}

Bytes DataItem::encode() const {
  const auto tags = encode_tags(content.tags);
  TALLY_ASSERT(tags.has_value());
  Bytes out;
  put_number(out, static_cast<std::uint64_t>(type), 2);
  append(out, signature);
  append(out, owner);
  put_optional(out, content.target);
  put_optional(out, content.anchor);
  put_number(out, content.tags.size(), 8);
  put_number(out, tags->size(), 8);
  append(out, *tags);
  append(out, content.data);
  return out;
}

Result<DataItem, Error> DataItem::decode(ByteView bytes) {
  Reader reader(bytes);
  const std::uint64_t type = reader.number(2);
  if (reader.failed()) return malformed("it is shorter than its first field");
  if (type < 1 || type > 3) {
    return malformed("signature type " + std::to_string(type) + std::string(name_of_refused(type)) +
                     "; supported are 1 (Arweave), 2 (Ed25519) and 3 (Ethereum)");
  }
  DataItem out;
  out.type = static_cast<SignatureType>(type);
  const Sizes sizes = sizes_of(out.type);
  out.signature = to_bytes(reader.take(sizes.signature));
  out.owner = to_bytes(reader.take(sizes.owner));
  out.content.target = reader.optional_id();
  out.content.anchor = reader.optional_id();
  const std::uint64_t tag_count = reader.number(8);
  const std::uint64_t tag_bytes = reader.number(8);
  const ByteView tags = reader.take(tag_bytes);
  if (reader.failed()) return malformed("a field is cut off, or a flag is neither 0 nor 1");
  auto decoded = decode_tags(tags, tag_count);
  if (!decoded) return malformed("its tags are malformed or exceed 128 tags or 4096 bytes");
  out.content.tags = *std::move(decoded);
  out.content.data = to_bytes(reader.rest());
  return out;
}

Bytes item_owner(const KeyPair& key) {
  switch (key.scheme()) {
    case KeyScheme::ed25519:
      return to_bytes(ed25519_public(key.secret()));
    case KeyScheme::ecdsa: {
      const auto compressed = secp256k1_public(key.secret());
      TALLY_ASSERT(compressed.has_value());
      return to_bytes(*secp256k1_uncompressed(*compressed));
    }
  }
  return {};
}

DataItem sign_item(const KeyPair& key, ItemContent content) {
  DataItem out{
      key.scheme() == KeyScheme::ed25519 ? SignatureType::ed25519 : SignatureType::ethereum,
      {},
      item_owner(key),
      std::move(content)};
  const Hash384 message = out.signature_data();
  if (out.type == SignatureType::ed25519) {
    out.signature = to_bytes(ed25519_sign(key.secret(), message));
    return out;
  }
  auto signature = ecdsa_sign(key.secret(), ethereum_digest(message));
  TALLY_ASSERT(signature.has_value());
  signature->bytes[64] = static_cast<std::uint8_t>(signature->bytes[64] + kRecoveryBase);
  out.signature = to_bytes(*signature);
  return out;
}

DataItem sign_item(const RsaKey& key, ItemContent content) {
  TALLY_ASSERT(key.modulus().size() == kRsaBytes);
  DataItem out{SignatureType::arweave, {}, key.modulus(), std::move(content)};
  out.signature = key.sign(out.signature_data());
  return out;
}

}  // namespace tally::arweave
