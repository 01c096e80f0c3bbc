#include "modules/support/overlay.hpp"

#include <cstring>

#include "primitives/assert.hpp"

namespace tally {

namespace {
constexpr std::size_t kFirstTableSize = 1024;
}

Overlay::Overlay(const StateReader& below, std::uint64_t seed)
    : below_(below), seed_(seed), table_(kFirstTableSize, 0) {}

std::uint64_t Overlay::hash(ByteView key) const {
  constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15;
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
  StateChanges out;
  for (const Entry& entry : entries_) {
    if (entry.written && entry.value != entry.original) out.emplace(entry.key, entry.value);
  }
  return out;
}

}  // namespace tally
