#include "primitives/extrinsic.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "primitives/assert.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally {
namespace {

constexpr std::uint8_t kSignedV4 = 0x84;
constexpr std::uint8_t kBareV4 = 0x04;
constexpr std::size_t kHashPayloadsLongerThan = 256;
constexpr std::uint32_t kPeriodMin = 4;
constexpr std::uint32_t kPeriodMax = 65'536;

// Phases of long periods are counted in steps, so that they fit twelve bits.
std::uint32_t quantum(std::uint32_t period) {
  return std::max(period >> 12, 1u);
}

bool valid(const Era& era) {
  if (era.is_immortal()) return era.phase == 0;
  return std::has_single_bit(era.period) && era.period >= kPeriodMin && era.period <= kPeriodMax &&
         era.phase < era.period && era.phase % quantum(era.period) == 0;
}

}  // namespace

Era Era::mortal(std::uint64_t period, BlockNumber current) {
  const auto rounded = static_cast<std::uint32_t>(
      std::bit_ceil(std::clamp<std::uint64_t>(period, kPeriodMin, kPeriodMax)));
  const std::uint32_t phase = current.value % rounded;
  return {rounded, phase - phase % quantum(rounded)};
}

BlockNumber Era::birth(BlockNumber current) const {
  if (is_immortal()) return BlockNumber(0);
  return BlockNumber((std::max(current.value, phase) - phase) / period * period + phase);
}

std::optional<BlockNumber> Era::death(BlockNumber current) const {
  if (is_immortal()) return std::nullopt;
  const std::uint64_t end = std::uint64_t{birth(current).value} + period;
  return BlockNumber(static_cast<std::uint32_t>(
      std::min<std::uint64_t>(end, std::numeric_limits<std::uint32_t>::max())));
}

void Codec<Era>::encode(Encoder& out, const Era& era) {
  TALLY_ASSERT(valid(era));
  if (era.is_immortal()) return out.byte(0);
  const auto exponent = static_cast<unsigned>(std::countr_zero(era.period)) - 1;
  encode_to(out, static_cast<std::uint16_t>(era.phase / quantum(era.period) << 4 | exponent));
}

bool Codec<Era>::decode(Decoder& in, Era& era) {
  std::uint8_t low = 0;
  std::uint8_t high = 0;
  if (!in.byte(low)) return false;
  era = Era::immortal();
  if (low == 0) return true;
  if (!in.byte(high)) return false;
  const std::uint32_t period = 2u << (low & 15);
  const std::uint32_t steps = (std::uint32_t{high} << 8 | low) >> 4;
  era = {period, steps * quantum(period)};
  return valid(era) || in.fail(DecodeErrorCode::bad_value);
}

std::optional<AccountId> lookup(const MultiAddress& address) {
  if (const auto* id = std::get_if<AddressId>(&address)) return id->account;
  if (const auto* raw = std::get_if<Address32>(&address)) return raw->account;
  return std::nullopt;
}

Bytes encode_extrinsic(const Extrinsic& extrinsic) {
  Encoder body;
  body.byte(extrinsic.signature ? kSignedV4 : kBareV4);
  if (extrinsic.signature) encode_to(body, *extrinsic.signature);
  body.raw(extrinsic.call);
  return encode(body.bytes());
}

Result<Extrinsic, ExtrinsicError> decode_extrinsic(ByteView bytes) {
  Decoder in(bytes);
  u128 length = 0;
  if (!in.compact(length, std::numeric_limits<std::uint32_t>::max()) || length != in.remaining() ||
      length == 0) {
    return fail(ExtrinsicError::bad_length);
  }
  std::uint8_t version = 0;
  in.byte(version);
  if (version != kSignedV4 && version != kBareV4) return fail(ExtrinsicError::bad_version);
  Extrinsic out;
  if (version == kSignedV4 && !decode_from(in, out.signature.emplace())) {
    return fail(ExtrinsicError::bad_encoding);
  }
  ByteView call;
  in.take(in.remaining(), call);
  out.call = to_bytes(call);
  return out;
}

Hash extrinsic_hash(ByteView bytes) {
  return blake2_256(bytes);
}

Bytes signing_payload(ByteView call, const SignedExtra& extra, const SignedAdditional& additional) {
  Encoder payload;
  payload.raw(call);
  encode_to(payload, extra);
  encode_to(payload, additional);
  if (payload.bytes().size() <= kHashPayloadsLongerThan) return std::move(payload).take();
  return to_bytes(blake2_256(payload.bytes()));
}

Bytes sign_extrinsic(const KeyPair& key, Bytes call, const SignedExtra& extra,
                     const SignedAdditional& additional) {
  MultiSignature signature = key.sign(signing_payload(call, extra, additional));
  return encode_extrinsic(
      {ExtrinsicSignature{AddressId{key.account()}, std::move(signature), extra}, std::move(call)});
}

}  // namespace tally
