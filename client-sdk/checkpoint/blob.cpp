#include "client-sdk/checkpoint/blob.hpp"

#include <zstd.h>

#include <algorithm>

#include "primitives/crypto/hash.hpp"

namespace tally::checkpoint {

namespace {

// Checkpoints are kept for years: worth some time, and still tens of megabytes a second.
constexpr int kLevel = 9;

std::array<std::uint8_t, 8> magic() {
  std::array<std::uint8_t, 8> out{};
  std::copy(BlobHeader::kMagic.begin(), BlobHeader::kMagic.end(), out.begin());
  return out;
}

// Nothing when it would not be shorter than the state.
std::optional<Bytes> compress(ByteView state) {
  if (state.empty()) return std::nullopt;
  Bytes out(state.size() - 1);
  const std::size_t size =
      ZSTD_compress(out.data(), out.size(), state.data(), state.size(), kLevel);
  if (ZSTD_isError(size)) return std::nullopt;
  out.resize(size);
  return out;
}

Result<Bytes, Error> payload_of(const BlobHeader& header, ByteView payload) {
  if (header.coding == Coding::plain) {
    if (payload.size() != header.plain_bytes) {
      return fail_with("the checkpoint's blob is cut off or too long: expected " +
                       std::to_string(header.plain_bytes) + " bytes behind its header, got " +
                       std::to_string(payload.size()));
    }
    return to_bytes(payload);
  }
  Bytes out(header.plain_bytes);
  const std::size_t size = ZSTD_decompress(out.data(), out.size(), payload.data(), payload.size());
  if (ZSTD_isError(size) || size != out.size()) {
    return fail_with("the checkpoint's blob does not decompress to " +
                     std::to_string(header.plain_bytes) + " bytes");
  }
  return out;
}

}  // namespace

StateHash state_hash(ByteView state) {
  StateHash hash;
  hash.bytes = sha256(state);
  return hash;
}

Result<Bytes, Error> pack(ByteView state) {
  if (state.size() > kMaxStateBytes) {
    return fail_with("a state may have " + std::to_string(kMaxStateBytes) +
                     " bytes, this one has " + std::to_string(state.size()) +
                     ": store it in parts");
  }
  const auto shorter = compress(state);
  BlobHeader header;
  header.magic = magic();
  header.version = BlobHeader::kVersion;
  header.coding = shorter ? Coding::zstd : Coding::plain;
  header.plain_bytes = state.size();
  header.state_hash = state_hash(state);
  Bytes blob = encode(header);
  TALLY_ASSERT(blob.size() == kBlobHeaderBytes);
  append(blob, shorter ? ByteView(*shorter) : state);
  return blob;
}

Result<Bytes, Error> unpack(ByteView blob, const Expected& expected) {
  if (blob.size() < kBlobHeaderBytes) {
    return fail_with("a checkpoint's blob has at least " + std::to_string(kBlobHeaderBytes) +
                     " bytes, this one has " + std::to_string(blob.size()));
  }
  const auto header = decode<BlobHeader>(blob.first(kBlobHeaderBytes));
  if (!header.ok() || header->magic != magic()) {
    return fail_with("these bytes are not a checkpoint's blob: it begins with TALLYCKP");
  }
  if (header->version != BlobHeader::kVersion) {
    return fail_with("the checkpoint's blob has version " + std::to_string(header->version) +
                     ", this program reads version 1: use a newer one");
  }
  if (header->plain_bytes != expected.state_bytes || header->state_hash != expected.state_hash) {
    return fail_with("the blob is that of another state: expected sha256 " +
                     to_hex(expected.state_hash) + " of " + std::to_string(expected.state_bytes) +
                     " bytes, got " + to_hex(header->state_hash) + " of " +
                     std::to_string(header->plain_bytes));
  }
  if (header->plain_bytes > kMaxStateBytes) {
    return fail_with("a state may have " + std::to_string(kMaxStateBytes) +
                     " bytes, this one has " + std::to_string(header->plain_bytes));
  }
  auto state = TALLY_TRY(payload_of(*header, blob.subspan(kBlobHeaderBytes)));
  if (state_hash(state) != expected.state_hash) {
    return fail_with("the bytes are not the state that was recorded: their sha256 is " +
                     to_hex(state_hash(state)) + ", expected " + to_hex(expected.state_hash));
  }
  return state;
}

}  // namespace tally::checkpoint
