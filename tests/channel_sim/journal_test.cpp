// The journal on a real folder and on the simulated disk, under one conformance suite.
#include <unistd.h>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <functional>

#include "client-sdk/channel/journal.hpp"
#include "tests/channel_sim/disk.hpp"

namespace tally::channel {
namespace {

namespace fs = std::filesystem;
using channel_sim::SimDisk;

JournalKey key(std::uint8_t n) {
  JournalKey out;
  out.bytes.fill(n);
  return out;
}
Bytes value(std::uint8_t n, std::size_t size = 40) {
  return Bytes(size, n);
}

// A place for a journal, whatever it is made of.
struct Place {
  std::string name;
  std::function<Result<std::unique_ptr<JournalFile>, Error>()> open;
  std::function<Bytes()> bytes;
  std::function<void(const Bytes&)> set_bytes;
};

struct Folder {
  fs::path path = fs::temp_directory_path() / ("tally-journal-" + std::to_string(::getpid()));
  Folder() { fs::remove_all(path); }
  ~Folder() { fs::remove_all(path); }
};

Place on_disk(const Folder& folder) {
  const fs::path file = folder.path / "journal";
  return {"disk", [path = folder.path] { return open_journal_file(path); },
          [file] {
            std::ifstream in(file, std::ios::binary);
            return Bytes(std::istreambuf_iterator<char>(in), {});
          },
          [file](const Bytes& bytes) {
            std::ofstream out(file, std::ios::binary | std::ios::trunc);
            out.write(reinterpret_cast<const char*>(bytes.data()),
                      static_cast<std::streamsize>(bytes.size()));
          }};
}
Place simulated(SimDisk& disk) {
  return {"simulated", [&disk] { return disk.open(); }, [&disk] { return disk.synced(); },
          [&disk](const Bytes& bytes) { disk.restore_image(bytes); }};
}

Result<Journal, Error> open(const Place& place) {
  auto file = place.open();
  if (!file.ok()) return fail(file.error());
  return Journal::open(*std::move(file));
}

void write_some(const Place& place) {
  auto journal = open(place);
  REQUIRE(journal.ok());
  REQUIRE(journal->write({{key(1), value(1)}}).ok());
  REQUIRE(journal->write({{key(1), value(2)}, {key(2), value(3)}}).ok());
  REQUIRE(journal->write({{key(3), value(4)}}).ok());
}

void conforms(const Place& place) {
  SECTION(place.name + ": the newest value of each key comes back") {
    write_some(place);
    auto journal = open(place);
    REQUIRE(journal.ok());
    const Journal::Entries want{{key(1), value(2)}, {key(2), value(3)}, {key(3), value(4)}};
    CHECK(journal->entries() == want);
    CHECK_FALSE(journal->tail_was_cut());
    REQUIRE(journal->write({{key(2), {}}}).ok());
    CHECK(journal->entries().size() == 2);
  }
  SECTION(place.name + ": a second user is refused while the first is there") {
    auto first = open(place);
    REQUIRE(first.ok());
    CHECK_FALSE(place.open().ok());
  }
  SECTION(place.name + ": cut at every byte, it holds a prefix of the batches, whole") {
    write_some(place);
    const Bytes whole = place.bytes();
    for (std::size_t size = 0; size < whole.size(); ++size) {
      place.set_bytes(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
      auto journal = open(place);
      REQUIRE(journal.ok());
      const auto& entries = journal->entries();
      // The last batch is whole where only its mark is cut.
      if (size + 28 < whole.size()) CHECK(entries.count(key(3)) == 0);
      // The second batch came whole or not at all.
      if (entries.count(key(2)) == 1) CHECK(entries.at(key(1)) == value(2));
      REQUIRE(journal->write({{key(9), value(9)}}).ok());
    }
  }
  SECTION(place.name + ": a flipped byte is found out, or costs nothing") {
    write_some(place);
    const Bytes whole = place.bytes();
    const Journal::Entries want{{key(1), value(2)}, {key(2), value(3)}, {key(3), value(4)}};
    for (std::size_t at = 0; at < whole.size(); ++at) {
      Bytes bad = whole;
      bad[at] ^= 0x40;
      place.set_bytes(bad);
      auto journal = open(place);
      if (journal.ok()) CHECK(journal->entries() == want);
    }
  }
  SECTION(place.name + ": it does not grow without end") {
    auto journal = open(place);
    REQUIRE(journal.ok());
    for (std::uint8_t i = 0; i < 80; ++i) {
      REQUIRE(journal->write({{key(1), value(i, 200'000)}}).ok());
    }
    CHECK(place.bytes().size() < 6'000'000);
    CHECK(journal->entries().at(key(1)) == value(79, 200'000));
  }
}

}  // namespace

TEST_CASE("the journal keeps its promises on a real disk") {
  const Folder folder;
  conforms(on_disk(folder));
}

TEST_CASE("the journal keeps its promises on the simulated disk") {
  SimDisk disk;
  conforms(simulated(disk));
}

TEST_CASE("after a crash of the simulated disk everything synced is there") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    SimDisk disk;
    auto file = disk.open();
    REQUIRE(file.ok());
    JournalFile* raw = file->get();
    auto journal = Journal::open(*std::move(file));
    REQUIRE(journal->write({{key(1), value(1)}}).ok());
    REQUIRE(raw->append(value(9, random() % 100)).ok());  // under way, not synced
    disk.crash(random);
    auto again = Journal::open(*disk.open());
    REQUIRE(again.ok());
    CHECK(again->entries().at(key(1)) == value(1));
  }
}

// One frame of all this would be longer than what a reader takes for a frame: cut as a torn tail.
TEST_CASE("a batch larger than any frame comes back whole") {
  SimDisk disk;
  const Place place = simulated(disk);
  Journal::Entries batch;
  for (std::uint8_t n = 0; n < 70; ++n) batch.emplace(key(n), value(n, std::size_t{1} << 20));
  REQUIRE(open(place)->write(batch).ok());
  auto again = open(place);
  REQUIRE(again.ok());
  CHECK_FALSE(again->tail_was_cut());
  CHECK(again->entries() == batch);
}

}  // namespace tally::channel
