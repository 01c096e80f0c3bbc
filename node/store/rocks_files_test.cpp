// The files of a RocksDB store: what deletes leave of them, and what damage to them does.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "node/store/rocks_store.hpp"
#include "node/store/temp_folder.hpp"
#include "tests/support/process.hpp"

namespace tally::store {
namespace {

namespace fs = std::filesystem;
using ports::Column;
using ports::Durability;

constexpr std::uint32_t kBatches = 400;
constexpr const char* kFolderVariable = "TALLY_TEST_ROCKS_FOLDER";
const std::string kProgram = std::string(TALLY_BINARY_DIR) + "/tests/tally_store_tests";

Bytes text(std::string_view value) {
  return to_bytes(as_bytes(value));
}

Bytes value_of(std::uint32_t batch, std::size_t bytes) {
  Bytes out(bytes);
  std::uint32_t state = batch * 2'654'435'761U + 1;
  for (std::uint8_t& byte : out) {
    state = state * 1'664'525U + 1'013'904'223U;
    byte = static_cast<std::uint8_t>(state >> 24);
  }
  return out;
}

Bytes number_key(std::uint32_t number) {
  Bytes out;
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(number >> shift));
  }
  return out;
}

std::uint64_t folder_bytes(const std::string& folder) {
  std::uint64_t out = 0;
  std::error_code error;  // files come and go
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
    if (entry.is_regular_file(error)) out += entry.file_size(error);
  }
  return out;
}

RocksOptions small() {
  RocksOptions options;
  options.write_buffer_bytes = 256 << 10;
  return options;
}

// As a node's columns are: newest values replaced in place, versions that come and go in order.
void write_batches(ports::Store& store, std::uint32_t begin, std::uint32_t end,
                   std::uint32_t kept) {
  for (std::uint32_t i = begin; i < end; ++i) {
    ports::WriteBatch batch{{Column::tree, number_key(i), value_of(i, 2'000)},
                            {Column::blocks, number_key(i * 7'919), value_of(i, 1'000)},
                            {Column::state, number_key(i % 50), value_of(i, 300)},
                            {Column::meta, text("last"), number_key(i)}};
    if (i >= kept) {
      batch.push_back({Column::tree, number_key(i - kept), std::nullopt});
      batch.push_back({Column::blocks, number_key((i - kept) * 7'919), std::nullopt});
    }
    store.write(std::move(batch), i % 50 == 49 ? Durability::synced : Durability::buffered);
  }
}

TEST_CASE("RocksDB store: what is deleted frees its space while the node runs") {
  const TempFolder folder;
  const auto store = open_rocks_store(folder.path(), small());
  REQUIRE(store.ok());
  write_batches(**store, 0, 20'000, 256);
  const std::uint64_t then = folder_bytes(folder.path());
  write_batches(**store, 20'000, 60'000, 256);
  const std::uint64_t now = folder_bytes(folder.path());
  INFO("after 20,000 batches " << then << " bytes, after 60,000 " << now);
  CHECK(now < 3 * then);
  CHECK(now < 40 << 20);  // of 180 MB that were written, 1 MB is still there
}

// Run by the next test in a process of its own, since damage ends it: that everything it reads is
// as it was after one of the batches, and nothing of a later one is there.
TEST_CASE("RocksDB store: reader of a folder that may be damaged", "[.reader]") {
  const char* folder = std::getenv(kFolderVariable);
  REQUIRE(folder != nullptr);
  const auto opened = open_rocks_store(folder, small());
  if (!opened.ok()) {
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    std::_Exit(opened.error().damaged ? 65 : 1);
  }
  const ports::Store& store = **opened;
  const auto last = store.get(Column::meta, text("last"));
  std::uint32_t batches = 0;
  while (last && number_key(batches) <= *last) ++batches;
  for (std::uint32_t i = 0; i < kBatches; ++i) {
    const bool there = i < batches;
    CHECK(store.get(Column::tree, number_key(i)) ==
          (there ? std::optional(value_of(i, 2'000)) : std::nullopt));
    CHECK(store.get(Column::blocks, number_key(i * 7'919)) ==
          (there ? std::optional(value_of(i, 1'000)) : std::nullopt));
  }
  std::size_t scanned = 0;
  store.scan(Column::state, {}, [&](ByteView key, ByteView value) {
    const std::uint32_t slot = key[3];
    const std::uint32_t newest = (batches - 1 - slot) / 50 * 50 + slot;
    CHECK(to_bytes(value) == value_of(newest, 300));
    ++scanned;
    return true;
  });
  CHECK(scanned == std::min(batches, 50U));
}

enum class Damage { flip_early, flip_middle, flip_late, cut, cut_last_byte, remove };

void damage_file(const fs::path& file, Damage damage) {
  const auto size = fs::file_size(file);
  if (damage == Damage::remove) {
    fs::remove(file);
    return;
  }
  if (damage == Damage::cut) {
    fs::resize_file(file, size / 2);
    return;
  }
  if (damage == Damage::cut_last_byte) {
    fs::resize_file(file, size - 1);
    return;
  }
  const std::uint64_t part = damage == Damage::flip_early    ? 1
                             : damage == Damage::flip_middle ? 4
                                                             : 7;
  const auto offset = static_cast<std::streamoff>(size * part / 8);
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(offset);
  const char byte = static_cast<char>(stream.get() ^ 0x40);
  stream.seekp(offset);
  stream.put(byte);
}

TEST_CASE("RocksDB store: each file of a database damaged in turn is noticed, or does no harm") {
  const TempFolder original;
  const TempFolder work;
  // In a process of its own too, and twice, so that there are tables and a log.
  for (const auto& [begin, end] :
       {std::pair(0U, kBatches / 2), std::pair(kBatches / 2, kBatches)}) {
    const auto store = open_rocks_store(original.path(), small());
    REQUIRE(store.ok());
    write_batches(**store, begin, end, kBatches);
    (*store)->sync();
  }
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(original.path())) {
    if (entry.file_size() > 0) names.push_back(entry.path().filename().string());
  }
  std::size_t runs = 0;
  std::size_t noticed = 0;
  std::size_t tables = 0;
  for (const std::string& name : names) {
    for (const Damage damage : {Damage::flip_early, Damage::flip_middle, Damage::flip_late,
                                Damage::cut, Damage::cut_last_byte, Damage::remove}) {
      const std::string folder = work.path() + "/db";
      fs::remove_all(folder);
      fs::copy(original.path(), folder);
      damage_file(fs::path(folder) / name, damage);
      const auto ended = tests::run_to_end(
          {"/usr/bin/env", std::string(kFolderVariable) + "=" + folder, kProgram, "[.reader]"},
          work.path() + "/log" + std::to_string(runs++));
      INFO(name << ", damage " << static_cast<int>(damage) << ": exit " << ended.exit_code << "\n"
                << ended.output);
      CHECK((ended.exit_code == 0 || ended.exit_code == 65));
      const bool table = fs::path(name).extension() == ".sst";
      tables += table ? 1 : 0;
      if (ended.exit_code != 65) continue;
      ++noticed;
      CHECK_THAT(ended.output, Catch::Contains(folder) && Catch::Contains("votes.log"));
    }
  }
  CHECK(tables >= 20);
  CHECK(noticed >= tables);
}

}  // namespace
}  // namespace tally::store
