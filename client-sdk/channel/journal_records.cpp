#include "client-sdk/channel/journal_records.hpp"

#include "primitives/assert.hpp"

namespace tally::channel {

const JournalKey kBegunAtKey = *JournalKey::from(as_bytes("tallystick/channel journal began"));
const JournalKey kGenesisKey = *JournalKey::from(as_bytes("tallystick/channel chain genesis"));
const JournalKey kNewestFinalKey = *JournalKey::from(as_bytes("tallystick/channel highest final"));

namespace {

template <class T>
std::optional<T> value_of(const Journal& journal, const JournalKey& key) {
  const auto entry = journal.entries().find(key);
  if (entry == journal.entries().end()) return std::nullopt;
  auto value = decode<T>(entry->second);
  TALLY_ASSERT(value.ok());
  return *std::move(value);
}

}  // namespace

JournalKey key_of(const ChannelId& channel) {
  return *JournalKey::from(channel.view());
}

std::vector<Record> records_of(const Journal& journal) {
  std::vector<Record> out;
  for (const auto& [key, bytes] : journal.entries()) {
    if (key == kBegunAtKey || key == kGenesisKey || key == kNewestFinalKey) continue;
    auto record = decode<Record>(bytes);
    TALLY_ASSERT(record.ok());
    out.push_back(*std::move(record));
  }
  return out;
}

std::optional<BlockNumber> begun_at(const Journal& journal) {
  return value_of<BlockNumber>(journal, kBegunAtKey);
}

std::optional<Hash> genesis_hash(const Journal& journal) {
  return value_of<Hash>(journal, kGenesisKey);
}

std::optional<BlockNumber> newest_final(const Journal& journal) {
  return value_of<BlockNumber>(journal, kNewestFinalKey);
}

}  // namespace tally::channel
