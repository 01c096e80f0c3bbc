#include "client-sdk/channel/journal_records.hpp"

#include "primitives/assert.hpp"

namespace tally::channel {

const JournalKey kBegunAtKey = *JournalKey::from(as_bytes("tallystick/channel journal began"));

JournalKey key_of(const ChannelId& channel) {
  return *JournalKey::from(channel.view());
}

std::vector<Record> records_of(const Journal& journal) {
  std::vector<Record> out;
  for (const auto& [key, bytes] : journal.entries()) {
    if (key == kBegunAtKey) continue;
    auto record = decode<Record>(bytes);
    TALLY_ASSERT(record.ok());
    out.push_back(*std::move(record));
  }
  return out;
}

std::optional<BlockNumber> begun_at(const Journal& journal) {
  const auto entry = journal.entries().find(kBegunAtKey);
  if (entry == journal.entries().end()) return std::nullopt;
  const auto number = decode<BlockNumber>(entry->second);
  TALLY_ASSERT(number.ok());
  return *number;
}

}  // namespace tally::channel
