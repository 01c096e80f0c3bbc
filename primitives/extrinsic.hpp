// Extrinsics, version 4: a call, who signs for it, and the signed extensions.
//
//   bytes = Compact(len) ‖ 0x84 ‖ address ‖ signature ‖ era ‖ Compact nonce ‖ Compact tip ‖ call
//
// The call is kept as opaque bytes here (module index u8 ‖ call index u8 ‖ arguments); the runtime
// decodes it. An extrinsic's hash is blake2_256 of all bytes, the length prefix included; the bytes
// are never re-encoded. Sources: Substrate extrinsic format v4; the extensions, in order, are
// CheckNonZeroSender, CheckSpecVersion, CheckTxVersion, CheckGenesis, CheckMortality, CheckNonce,
// CheckWeight, ChargeTransactionPayment.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "primitives/codec/scale.hpp"
#include "primitives/crypto/sign.hpp"
#include "primitives/ids.hpp"

namespace tally {

// Mortality. An immortal extrinsic has period 0. A mortal one is valid in blocks birth ≤ n < death.
struct Era {
  std::uint32_t period{};  // a power of two, 4..65536; 0 = immortal
  std::uint32_t phase{};   // below period, a multiple of max(period >> 12, 1)

  static Era immortal() { return {}; }
  // The era that starts at `current`; the period is rounded up to a power of two within 4..65536.
  static Era mortal(std::uint64_t period, BlockNumber current);
  bool is_immortal() const { return period == 0; }
  BlockNumber birth(BlockNumber current) const;  // of an immortal era: 0
  // The first block in which it is not valid; nothing for an immortal era.
  std::optional<BlockNumber> death(BlockNumber current) const;
  friend bool operator==(const Era&, const Era&) = default;
};
template <>
struct Codec<Era> {
  static constexpr std::size_t kMinSize = 1;
  static void encode(Encoder& out, const Era& era);
  static bool decode(Decoder& in, Era& era);
};

struct AddressId {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "Id";
  AccountId account;
  friend bool operator==(const AddressId&, const AddressId&) = default;
};
TALLY_DESCRIBE(AddressId, account);
struct AddressIndex {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "Index";
  Compact<std::uint32_t> index;
  friend bool operator==(const AddressIndex&, const AddressIndex&) = default;
};
TALLY_DESCRIBE(AddressIndex, index);
struct AddressRaw {
  static constexpr std::uint8_t kIndex = 2;
  static constexpr std::string_view kName = "Raw";
  Bytes raw;
  friend bool operator==(const AddressRaw&, const AddressRaw&) = default;
};
TALLY_DESCRIBE(AddressRaw, raw);
struct Address32 {
  static constexpr std::uint8_t kIndex = 3;
  static constexpr std::string_view kName = "Address32";
  AccountId account;
  friend bool operator==(const Address32&, const Address32&) = default;
};
TALLY_DESCRIBE(Address32, account);
struct Address20 {
  static constexpr std::uint8_t kIndex = 4;
  static constexpr std::string_view kName = "Address20";
  std::array<std::uint8_t, 20> account{};
  friend bool operator==(const Address20&, const Address20&) = default;
};
TALLY_DESCRIBE(Address20, account);
using MultiAddress = std::variant<AddressId, AddressIndex, AddressRaw, Address32, Address20>;

// The account that an address names: Id and Address32 only.
std::optional<AccountId> lookup(const MultiAddress& address);

struct SignedExtra {
  Era era;
  Compact<Nonce> nonce;
  Compact<Balance> tip;
  friend bool operator==(const SignedExtra&, const SignedExtra&) = default;
};
TALLY_DESCRIBE(SignedExtra, era, nonce, tip);

// Signed over but not carried: what makes a signature useless on another chain or version.
struct SignedAdditional {
  std::uint32_t spec_version{};
  std::uint32_t transaction_version{};
  Hash genesis_hash;
  Hash birth_block_hash;  // of the era's birth block; the genesis hash when immortal
  friend bool operator==(const SignedAdditional&, const SignedAdditional&) = default;
};
TALLY_DESCRIBE(SignedAdditional, spec_version, transaction_version, genesis_hash, birth_block_hash);

struct ExtrinsicSignature {
  MultiAddress signer;
  MultiSignature signature;
  SignedExtra extra;
  friend bool operator==(const ExtrinsicSignature&, const ExtrinsicSignature&) = default;
};
TALLY_DESCRIBE(ExtrinsicSignature, signer, signature, extra);

struct Extrinsic {
  std::optional<ExtrinsicSignature> signature;  // none: a bare extrinsic
  Bytes call;
  friend bool operator==(const Extrinsic&, const Extrinsic&) = default;
};

enum class ExtrinsicError : std::uint8_t { bad_length, bad_version, bad_encoding };
TALLY_DESCRIBE_ENUM(ExtrinsicError, bad_length, bad_version, bad_encoding);

Bytes encode_extrinsic(const Extrinsic& extrinsic);
// Strict: the length prefix equals the rest exactly, version 4, every field canonical.
Result<Extrinsic, ExtrinsicError> decode_extrinsic(ByteView bytes);
Hash extrinsic_hash(ByteView bytes);

// call ‖ extra ‖ additional, hashed with blake2_256 when longer than 256 bytes: what is signed.
Bytes signing_payload(ByteView call, const SignedExtra& extra, const SignedAdditional& additional);
Bytes sign_extrinsic(const KeyPair& key, Bytes call, const SignedExtra& extra,
                     const SignedAdditional& additional);

}  // namespace tally
