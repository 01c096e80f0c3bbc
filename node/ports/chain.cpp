#include "node/ports/chain.hpp"

namespace tally::ports {
namespace {

constexpr std::string_view kHeadKey = "head";
constexpr std::string_view kOldestBlockKey = "oldest-block";

template <class T>
Bytes big_endian(T value) {
  Bytes out;
  for (std::size_t i = sizeof(T); i > 0; --i) {
    out.push_back(static_cast<std::uint8_t>(value >> (8 * (i - 1))));
  }
  return out;
}

template <class T>
std::optional<T> read(const Store& store, Column column, ByteView key) {
  const auto bytes = store.get(column, key);
  if (!bytes) return std::nullopt;
  auto value = decode<T>(*bytes);
  TALLY_ASSERT(value.ok());
  return *std::move(value);
}

}  // namespace

Bytes height_key(BlockNumber number) {
  return big_endian(number.value);
}

Bytes epoch_key(Epoch epoch) {
  Bytes key = to_bytes(as_bytes("epoch/"));
  append(key, big_endian(epoch.value));
  return key;
}

Bytes beacon_key(Epoch epoch) {
  Bytes key = to_bytes(as_bytes("beacon/"));
  append(key, big_endian(epoch.value));
  return key;
}

Write put_block(const Hash& hash, const Block& block) {
  return {Column::blocks, to_bytes(hash), encode(block)};
}
Write erase_block(const Hash& hash) {
  return {Column::blocks, to_bytes(hash), std::nullopt};
}
Write put_height(BlockNumber number, const Hash& hash) {
  return {Column::heights, height_key(number), to_bytes(hash)};
}
Write put_certificate(const Hash& hash, const Finalization& finalization) {
  return {Column::certificates, to_bytes(hash), encode(finalization)};
}
Write put_head(const ChainHead& head) {
  return {Column::meta, to_bytes(as_bytes(kHeadKey)), encode(head)};
}
Write put_epoch_proof(Epoch epoch, const EpochProof& proof) {
  return {Column::meta, epoch_key(epoch), encode(proof)};
}
Write erase_epoch_proof(Epoch epoch) {
  return {Column::meta, epoch_key(epoch), std::nullopt};
}
Write put_epoch_beacon(Epoch epoch, const Hash& beacon) {
  return {Column::meta, beacon_key(epoch), to_bytes(beacon)};
}
Write put_oldest_block(BlockNumber number) {
  return {Column::meta, to_bytes(as_bytes(kOldestBlockKey)), encode(number)};
}

std::optional<Block> find_block(const Store& store, const Hash& hash) {
  return read<Block>(store, Column::blocks, hash);
}
std::optional<Hash> find_final(const Store& store, BlockNumber number) {
  return read<Hash>(store, Column::heights, height_key(number));
}
std::optional<Finalization> find_certificate(const Store& store, const Hash& hash) {
  return read<Finalization>(store, Column::certificates, hash);
}
std::optional<ChainHead> find_head(const Store& store) {
  return read<ChainHead>(store, Column::meta, as_bytes(kHeadKey));
}
std::optional<EpochProof> find_epoch_proof(const Store& store, Epoch epoch) {
  return read<EpochProof>(store, Column::meta, epoch_key(epoch));
}
std::optional<Hash> find_epoch_beacon(const Store& store, Epoch epoch) {
  return read<Hash>(store, Column::meta, beacon_key(epoch));
}
BlockNumber oldest_block(const Store& store) {
  return read<BlockNumber>(store, Column::meta, as_bytes(kOldestBlockKey)).value_or(BlockNumber(1));
}

}  // namespace tally::ports
