#include "primitives/crypto/hash_many.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "primitives/assert.hpp"
#include "primitives/crypto/hash.hpp"
#include "primitives/crypto/lanes/blake2_lanes.hpp"

namespace tally {
namespace {

static_assert(std::endian::native == std::endian::little, "words of a message are copied as bytes");

constexpr std::size_t kWordBytes = 8;
constexpr std::size_t kBlockBytes = lanes::kBlockWords * kWordBytes;
constexpr std::size_t kPairBytes = 65;

std::uint64_t word_at(const std::uint8_t* from) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, kWordBytes);
  return word;
}

void put_message(lanes::Group& group, std::size_t lane, ByteView message) {
  alignas(8) std::uint8_t block[kBlockBytes] = {};
  if (!message.empty()) std::memcpy(block, message.data(), message.size());
  for (std::size_t i = 0; i < lanes::kBlockWords; ++i) {
    group.message[i][lane] = word_at(block + i * kWordBytes);
  }
  group.bytes[lane] = message.size();
}

// The two parts, shifted by the tag's byte.
void put_pair(lanes::Group& group, std::size_t lane, std::uint64_t tag, const TaggedPair& pair) {
  std::uint64_t carried = tag;
  const auto put = [&](std::size_t i, std::uint64_t word) {
    group.message[i][lane] = carried | word << 8;
    carried = word >> 56;
  };
  for (std::size_t i = 0; i < 4; ++i) put(i, word_at(pair.first + i * kWordBytes));
  for (std::size_t i = 0; i < 4; ++i) put(4 + i, word_at(pair.second + i * kWordBytes));
  group.message[8][lane] = carried;
}

template <class Out>
void take_digest(const lanes::Group& group, std::size_t lane, Out& out) {
  static_assert(sizeof(Out) % kWordBytes == 0 && sizeof(Out) <= lanes::kDigestWords * kWordBytes);
  auto* bytes = reinterpret_cast<std::uint8_t*>(&out);
  for (std::size_t i = 0; i < sizeof(Out) / kWordBytes; ++i) {
    std::memcpy(bytes + i * kWordBytes, &group.digest[i][lane], kWordBytes);
  }
}

Hash pair_alone(std::uint8_t tag, const TaggedPair& pair) {
  std::uint8_t buffer[kPairBytes] = {tag};
  std::memcpy(buffer + 1, pair.first, Hash::kSize);
  std::memcpy(buffer + 1 + Hash::kSize, pair.second, Hash::kSize);
  return blake2_256(ByteView(buffer, sizeof buffer));
}

// A processor or a compiler that gets the lanes wrong would take this node off the chain.
bool lanes_agree() {
  lanes::Group group{};
  lanes::Group pairs{};
  std::uint8_t bytes[lanes::kLanes][kPairBytes];
  for (std::size_t lane = 0; lane < lanes::kLanes; ++lane) {
    for (std::size_t i = 0; i < kPairBytes; ++i) {
      bytes[lane][i] = static_cast<std::uint8_t>(31 * lane + 7 * i + 1);
    }
    put_message(group, lane, ByteView(bytes[lane], kPairBytes - lane));
    put_pair(pairs, lane, bytes[lane][0], {bytes[lane] + 1, bytes[lane] + 1 + Hash::kSize});
    pairs.bytes[lane] = kPairBytes;
  }
  lanes::hash(group);
  lanes::hash_pairs(pairs);
  for (std::size_t lane = 0; lane < lanes::kLanes; ++lane) {
    Hash alone;
    Hash pair;
    take_digest(group, lane, alone);
    take_digest(pairs, lane, pair);
    if (alone != blake2_256(ByteView(bytes[lane], kPairBytes - lane))) return false;
    if (pair != blake2_256(ByteView(bytes[lane], kPairBytes))) return false;
  }
  return true;
}

bool has_lanes() {
  static const bool has = lanes::available() && lanes_agree();
  return has;
}

// Of messages that are longer than a block, and where there are no lanes, one after another.
template <class Out, class Alone>
void hash_many(std::span<const ByteView> messages, std::span<Out> hashes, const Alone& alone) {
  TALLY_ASSERT(messages.size() == hashes.size());
  const bool together = has_lanes();
  lanes::Group group{};
  group.digest_bytes = sizeof(Out);
  std::size_t places[lanes::kLanes];
  std::size_t filled = 0;
  const auto flush = [&] {
    if (filled == 1) {
      hashes[places[0]] = alone(messages[places[0]]);
    } else if (filled > 1) {
      lanes::hash(group);
      for (std::size_t i = 0; i < filled; ++i) take_digest(group, i, hashes[places[i]]);
    }
    filled = 0;
  };
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (!together || messages[i].size() > kBlockBytes) {
      hashes[i] = alone(messages[i]);
      continue;
    }
    put_message(group, filled, messages[i]);
    places[filled++] = i;
    if (filled == lanes::kLanes) flush();
  }
  flush();
}

}  // namespace

void blake2_256_many(std::span<const ByteView> messages, std::span<Hash> hashes) {
  hash_many(messages, hashes, [](ByteView message) { return blake2_256(message); });
}

void blake2_128_many(std::span<const ByteView> messages,
                     std::span<std::array<std::uint8_t, 16>> hashes) {
  hash_many(messages, hashes, [](ByteView message) { return blake2_128(message); });
}

void hash_tagged_pairs(std::uint8_t tag, std::span<const TaggedPair> pairs) {
  if (pairs.size() < 2 || !has_lanes()) {
    for (const TaggedPair& pair : pairs) *pair.out = pair_alone(tag, pair);
    return;
  }
  lanes::Group group{};
  for (std::uint64_t& bytes : group.bytes) bytes = kPairBytes;
  for (std::size_t begin = 0; begin < pairs.size(); begin += lanes::kLanes) {
    const auto part = pairs.subspan(begin, std::min(lanes::kLanes, pairs.size() - begin));
    for (std::size_t lane = 0; lane < part.size(); ++lane) put_pair(group, lane, tag, part[lane]);
    lanes::hash_pairs(group);
    for (std::size_t lane = 0; lane < part.size(); ++lane) {
      take_digest(group, lane, *part[lane].out);
    }
  }
}

}  // namespace tally
