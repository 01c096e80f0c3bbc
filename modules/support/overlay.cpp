#include "modules/support/overlay.hpp"

#include <algorithm>
#include <cstring>

#include "primitives/assert.hpp"

namespace tally {

namespace {

constexpr std::size_t kFirstTableSize = 1024;
constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15;

// The first bytes of a key as numbers, side by side, so that most comparisons of a sort follow no
// pointer: the item's prefix and half of the first hash.
struct SortKey {
  std::array<std::uint64_t, 5> words;
  std::uint32_t entry;
};

SortKey sort_key(ByteView key, std::uint32_t entry) {
  SortKey out{{}, entry};
  for (std::size_t i = 0; i < out.words.size() * 8; ++i) {
    out.words[i / 8] = (out.words[i / 8] << 8) | (i < key.size() ? key[i] : 0);
  }
  return out;
}

}  // namespace

Overlay::Overlay(const StateReader& below, std::uint64_t seed)
    : below_(below), seed_(seed), table_(kFirstTableSize, 0), recent_(kRecent) {}

std::uint64_t Overlay::hash(ByteView key) const {
  std::uint64_t h = seed_ ^ (key.size() * kMultiplier);
  const std::uint8_t* at = key.data();
  std::size_t left = key.size();
  while (left > 0) {
    std::uint64_t word = 0;
    const std::size_t n = left < sizeof(word) ? left : sizeof(word);
    std::memcpy(&word, at, n);
    h = (h ^ word) * kMultiplier;
    h ^= h >> 32;
    at += n;
    left -= n;
  }
  return h;
}

void Overlay::grow() const {
  std::vector<std::uint32_t> larger(table_.size() * 2, 0);
  const std::size_t mask = larger.size() - 1;
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    std::size_t at = hash(entries_[i].key) & mask;
    while (larger[at] != 0) at = (at + 1) & mask;
    larger[at] = i + 1;
  }
  table_ = std::move(larger);
}

Overlay::Slot Overlay::slot(ByteView key) const {
  const std::size_t mask = table_.size() - 1;
  std::size_t at = hash(key) & mask;
  while (table_[at] != 0) {
    const std::uint32_t index = table_[at] - 1;
    if (equal(entries_[index].key, key)) return static_cast<Slot>(index);
    at = (at + 1) & mask;
  }
  const auto index = static_cast<std::uint32_t>(entries_.size());
  entries_.push_back({to_bytes(key), below_.get(key), std::nullopt, false});
  table_[at] = index + 1;
  if (entries_.size() * 2 > table_.size()) grow();
  return static_cast<Slot>(index);
}

const std::optional<Bytes>& Overlay::read(Slot slot) const {
  const Entry& entry = entries_[static_cast<std::uint32_t>(slot)];
  return entry.written ? entry.value : entry.original;
}

void Overlay::write(Slot slot, std::optional<Bytes> value) {
  const auto index = static_cast<std::uint32_t>(slot);
  Entry& entry = entries_[index];
  if (in_transaction()) undo_.push_back({index, entry.written, std::move(entry.value)});
  entry.value = std::move(value);
  entry.written = true;
}

Overlay::Recent& Overlay::recent_place(ByteView part) const {
  std::uint64_t word = 0;
  std::memcpy(&word, part.data(), sizeof(word));
  word = (word ^ seed_) * kMultiplier;
  return recent_[(word >> 32) % kRecent];
}

std::optional<Overlay::Slot> Overlay::recent(const std::uint8_t* prefix, ByteView part) const {
  const Recent& place = recent_place(part);
  if (place.prefix != prefix || !equal(place.part, part)) return std::nullopt;
  return place.slot;
}

void Overlay::remember(const std::uint8_t* prefix, ByteView part, Slot slot) const {
  Recent& place = recent_place(part);
  place.prefix = prefix;
  std::memcpy(place.part.data(), part.data(), place.part.size());
  place.slot = slot;
}

std::optional<Bytes> Overlay::get(ByteView key) const {
  return read(slot(key));
}

void Overlay::begin() {
  marks_.push_back(undo_.size());
}

void Overlay::commit() {
  TALLY_ASSERT(in_transaction());
  marks_.pop_back();
  if (marks_.empty()) undo_.clear();
}

void Overlay::rollback() {
  TALLY_ASSERT(in_transaction());
  while (undo_.size() > marks_.back()) {
    Undo& undo = undo_.back();
    Entry& entry = entries_[undo.entry];
    entry.value = std::move(undo.value);
    entry.written = undo.written;
    undo_.pop_back();
  }
  marks_.pop_back();
}

StateChanges Overlay::changes() const {
  TALLY_ASSERT(!in_transaction());
  std::vector<SortKey> order;
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    if (entry.written && entry.value != entry.original) order.push_back(sort_key(entry.key, i));
  }
  std::sort(order.begin(), order.end(), [&](const SortKey& a, const SortKey& b) {
    if (a.words != b.words) return a.words < b.words;
    return entries_[a.entry].key < entries_[b.entry].key;
  });
  StateChanges out;
  for (const SortKey& key : order) {
    const Entry& entry = entries_[key.entry];
    out.emplace_hint(out.end(), entry.key, entry.value);
  }
  return out;
}

}  // namespace tally
