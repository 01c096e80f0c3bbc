#include "client-sdk/arweave/chunk_tree.hpp"

#include "primitives/crypto/hash.hpp"

namespace tally::arweave {

namespace {

constexpr std::size_t kNoteSize = 32;
constexpr std::size_t kBranchSize = 32 + 32 + kNoteSize;
constexpr std::size_t kLeafSize = 32 + kNoteSize;
// A tree over 2^64 bytes is no deeper.
constexpr std::size_t kMaxDepth = 64;

using Note = std::array<std::uint8_t, kNoteSize>;

Note to_note(std::uint64_t value) {
  Note out{};
  for (std::size_t i = 0; i < 8; ++i) {
    out[kNoteSize - 1 - i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
  return out;
}

// Nothing for what does not fit 64 bits.
std::optional<std::uint64_t> from_note(ByteView note) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < kNoteSize; ++i) {
    if (i < kNoteSize - 8 && note[i] != 0) return std::nullopt;
    out = out << 8 | note[i];
  }
  return out;
}

Hash256 hash_of_hashes(std::initializer_list<ByteView> parts) {
  Bytes joined;
  for (const ByteView part : parts) append(joined, sha256(part));
  return sha256(joined);
}

struct Node {
  Hash256 id{};
  std::uint64_t end = 0;
  std::size_t first = 0;  // leaves [first, last)
  std::size_t last = 0;
};

struct Leaf {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  Hash256 data_hash{};
  std::vector<Bytes> branches;  // from the leaf up
};

std::vector<Leaf> cut(ByteView data) {
  std::vector<Leaf> out;
  std::uint64_t begin = 0;
  const auto take = [&](std::uint64_t size) {
    out.push_back({begin, begin + size, sha256(data.subspan(begin, size)), {}});
    begin += size;
  };
  while (data.size() - begin >= kMaxChunkBytes) {
    const std::uint64_t rest = data.size() - begin;
    const std::uint64_t after = rest - kMaxChunkBytes;
    take(after > 0 && after < kMinChunkBytes ? (rest + 1) / 2 : kMaxChunkBytes);
  }
  take(data.size() - begin);
  return out;
}

Node join(const Node& left, const Node& right, std::vector<Leaf>& leaves) {
  const Note note = to_note(left.end);
  Bytes branch = to_bytes(left.id);
  append(branch, right.id);
  append(branch, note);
  for (std::size_t i = left.first; i < right.last; ++i) leaves[i].branches.push_back(branch);
  return {hash_of_hashes({left.id, right.id, note}), right.end, left.first, right.last};
}

}  // namespace

ChunkTree build_chunk_tree(ByteView data) {
  std::vector<Leaf> leaves = cut(data);
  std::vector<Node> layer;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    layer.push_back(
        {hash_of_hashes({leaves[i].data_hash, to_note(leaves[i].end)}), leaves[i].end, i, i + 1});
  }
  while (layer.size() > 1) {
    std::vector<Node> above;
    for (std::size_t i = 0; i + 1 < layer.size(); i += 2) {
      above.push_back(join(layer[i], layer[i + 1], leaves));
    }
    if (layer.size() % 2 == 1) above.push_back(layer.back());
    layer = std::move(above);
  }
  ChunkTree out{layer.front().id, {}, leaves.size()};
  for (const Leaf& leaf : leaves) {
    if (leaf.begin == leaf.end) continue;
    Bytes path;
    for (auto branch = leaf.branches.rbegin(); branch != leaf.branches.rend(); ++branch) {
      append(path, *branch);
    }
    append(path, leaf.data_hash);
    append(path, to_note(leaf.end));
    out.chunks.push_back({leaf.begin, leaf.end, std::move(path)});
  }
  return out;
}

std::optional<ChunkBounds> check_path(const ChunkPlace& place, ByteView path) {
  if (place.offset >= place.data_size || path.size() < kLeafSize) return std::nullopt;
  const std::size_t branches = (path.size() - kLeafSize) / kBranchSize;
  if (path.size() != kLeafSize + branches * kBranchSize || branches > kMaxDepth) {
    return std::nullopt;
  }
  Hash256 id = place.root;
  ChunkBounds out{0, place.data_size, {}};
  for (std::size_t i = 0; i < branches; ++i) {
    const ByteView left = path.subspan(0, 32);
    const ByteView right = path.subspan(32, 32);
    const ByteView note = path.subspan(64, kNoteSize);
    path = path.subspan(kBranchSize);
    const auto middle = from_note(note);
    if (!middle || *middle <= out.begin || *middle > out.end ||
        hash_of_hashes({left, right, note}) != id) {
      return std::nullopt;
    }
    const bool go_left = place.offset < *middle;
    (go_left ? out.end : out.begin) = *middle;
    std::memcpy(id.data(), (go_left ? left : right).data(), id.size());
  }
  const ByteView note = path.subspan(32);
  if (from_note(note) != out.end || hash_of_hashes({path.first(32), note}) != id ||
      out.end - out.begin > kMaxChunkBytes) {
    return std::nullopt;
  }
  std::memcpy(out.data_hash.data(), path.data(), out.data_hash.size());
  return out;
}

std::optional<ChunkBounds> check_chunk(const ChunkPlace& place, ByteView path, ByteView bytes) {
  const auto bounds = check_path(place, path);
  if (!bounds || bytes.size() != bounds->end - bounds->begin ||
      sha256(bytes) != bounds->data_hash) {
    return std::nullopt;
  }
  return bounds;
}

}  // namespace tally::arweave
