// A party's journal as a crash or a bad disk may leave it: it opens and goes on, or is refused.
#include "client-sdk/channel/journal.hpp"

#include "tests/fuzz/target.hpp"

namespace tally::fuzz {
namespace {

// The file outlives its journal, as a disk does.
class Memory final : public channel::JournalFile {
 public:
  explicit Memory(Bytes& content) : content_(content) {}
  Result<Bytes, Error> read() override { return content_; }
  Result<void, Error> append(ByteView bytes) override {
    tally::append(content_, bytes);
    return {};
  }
  Result<void, Error> sync() override { return {}; }
  Result<void, Error> cut(std::size_t size) override {
    TALLY_ASSERT(size <= content_.size());
    content_.resize(size);
    return {};
  }
  Result<void, Error> replace(ByteView whole) override {
    content_ = to_bytes(whole);
    return {};
  }

 private:
  Bytes& content_;
};

}  // namespace

void run(ByteView input) {
  Bytes disk = to_bytes(input);
  auto journal = channel::Journal::open(std::make_unique<Memory>(disk));
  if (!journal.ok()) {
    TALLY_ASSERT(!journal.error().message.empty());
    return;
  }
  channel::Journal::Entries expected = journal->entries();
  const channel::JournalKey key;
  TALLY_ASSERT(journal->write({{key, Bytes{1, 2, 3}}}).ok());
  expected[key] = Bytes{1, 2, 3};
  TALLY_ASSERT(journal->entries() == expected);
  const auto again = channel::Journal::open(std::make_unique<Memory>(disk));
  TALLY_ASSERT(again.ok() && again->entries() == expected && !again->tail_was_cut());
}

}  // namespace tally::fuzz
