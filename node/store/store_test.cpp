// One suite for every Store: RocksDB on a real folder and the simulated disk.
#include <catch2/catch.hpp>
#include <filesystem>

#include "node/store/rocks_store.hpp"
#include "node/store/sim_disk.hpp"
#include "node/store/temp_folder.hpp"

namespace tally::store {
namespace {

using ports::Column;
using ports::Durability;

Bytes text(std::string_view value) {
  return to_bytes(as_bytes(value));
}

class RocksMaker {
 public:
  std::unique_ptr<ports::Store> open() {
    auto store = open_rocks_store(folder_.path());
    REQUIRE(store.ok());
    return *std::move(store);
  }

 private:
  TempFolder folder_;
};

class SimMaker {
 public:
  std::unique_ptr<ports::Store> open() { return disk_.store(); }

 private:
  SimDisk disk_;
};

std::vector<std::pair<Bytes, Bytes>> scan_all(const ports::Store& store, Column column,
                                              std::string_view from) {
  std::vector<std::pair<Bytes, Bytes>> out;
  store.scan(column, as_bytes(from), [&](ByteView key, ByteView value) {
    out.emplace_back(to_bytes(key), to_bytes(value));
    return true;
  });
  return out;
}

TEMPLATE_TEST_CASE("store: what is written is read, in its own column", "", RocksMaker, SimMaker) {
  TestType maker;
  const auto store = maker.open();
  CHECK_FALSE(store->get(Column::state, as_bytes("a")).has_value());
  store->write({{Column::state, text("a"), text("1")}, {Column::tree, text("a"), text("2")}},
               Durability::buffered);
  CHECK(store->get(Column::state, as_bytes("a")) == text("1"));
  CHECK(store->get(Column::tree, as_bytes("a")) == text("2"));
  CHECK_FALSE(store->get(Column::blocks, as_bytes("a")).has_value());
  store->write({{Column::state, text("a"), std::nullopt}, {Column::state, text("b"), Bytes{}}},
               Durability::buffered);
  CHECK_FALSE(store->get(Column::state, as_bytes("a")).has_value());
  CHECK(store->get(Column::state, as_bytes("b")) == Bytes{});
}

TEMPLATE_TEST_CASE("store: within a batch the later write of a key counts", "", RocksMaker,
                   SimMaker) {
  TestType maker;
  const auto store = maker.open();
  store->write({{Column::meta, text("k"), text("1")},
                {Column::meta, text("k"), std::nullopt},
                {Column::meta, text("k"), text("2")}},
               Durability::buffered);
  CHECK(store->get(Column::meta, as_bytes("k")) == text("2"));
}

TEMPLATE_TEST_CASE("store: a scan goes by unsigned bytes, from the bound on, until told to stop",
                   "", RocksMaker, SimMaker) {
  TestType maker;
  const auto store = maker.open();
  const Bytes high{0xFF, 0x00};
  store->write({{Column::state, high, text("last")},
                {Column::state, text("ab"), text("2")},
                {Column::state, text("a"), text("1")},
                {Column::state, text("b"), text("3")}},
               Durability::buffered);
  const auto all = scan_all(*store, Column::state, "");
  REQUIRE(all.size() == 4);
  CHECK(all[0].first == text("a"));
  CHECK(all[1].first == text("ab"));
  CHECK(all[3] == std::pair(high, text("last")));
  CHECK(scan_all(*store, Column::state, "aa").size() == 3);
  int seen = 0;
  store->scan(Column::state, {}, [&](ByteView, ByteView) { return ++seen < 2; });
  CHECK(seen == 2);
}

TEMPLATE_TEST_CASE("store: the next start reads what was written", "", RocksMaker, SimMaker) {
  TestType maker;
  {
    const auto store = maker.open();
    store->write({{Column::heights, text("1"), text("x")}}, Durability::buffered);
    store->sync();
    store->write({{Column::heights, text("2"), text("y")}}, Durability::synced);
  }
  const auto store = maker.open();
  CHECK(scan_all(*store, Column::heights, "").size() == 2);
}

TEST_CASE("simulated store: a crash takes whole batches from the end, never a synced one") {
  bool lost_some = false;
  bool lost_none = false;
  for (std::uint64_t seed = 0; seed < 64; ++seed) {
    SimDisk disk;
    auto store = disk.store();
    store->write({{Column::state, text("base"), text("0")}}, Durability::synced);
    for (int i = 0; i < 4; ++i) {
      const std::string name = std::to_string(i);
      store->write(
          {{Column::state, text(name), text("v")}, {Column::state, text("base"), text(name)}},
          Durability::buffered);
    }
    disk.crash(seed);
    store = disk.store();
    REQUIRE(store->get(Column::state, as_bytes("base")).has_value());
    int kept = 0;
    while (kept < 4 && store->get(Column::state, as_bytes(std::to_string(kept)))) ++kept;
    for (int i = kept; i < 4; ++i) {
      CHECK_FALSE(store->get(Column::state, as_bytes(std::to_string(i))).has_value());
    }
    CHECK(store->get(Column::state, as_bytes("base")) ==
          text(kept == 0 ? "0" : std::to_string(kept - 1)));
    lost_some |= kept < 4;
    lost_none |= kept == 4;
  }
  CHECK((lost_some && lost_none));
}

TEST_CASE("RocksDB store: a folder in use says which, and what to do") {
  const TempFolder folder;
  const auto first = open_rocks_store(folder.path());
  REQUIRE(first.ok());
  const auto second = open_rocks_store(folder.path());
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().message.find(folder.path()) != std::string::npos);
  CHECK(second.error().message.find("in use by another process") != std::string::npos);
  CHECK(second.error().message.find("--base-path") != std::string::npos);
}

TEST_CASE("RocksDB store: a damaged database and a foreign format are told apart") {
  const TempFolder folder;
  {
    const auto store = open_rocks_store(folder.path());
    REQUIRE(store.ok());
    (*store)->write({{Column::meta, text("format"), text("tallystick/99")}}, Durability::synced);
  }
  const auto foreign = open_rocks_store(folder.path());
  REQUIRE_FALSE(foreign.ok());
  CHECK(foreign.error().message.find("tallystick/99") != std::string::npos);

  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("MANIFEST", 0) == 0) std::filesystem::resize_file(entry.path(), 20);
  }
  const auto damaged = open_rocks_store(folder.path());
  REQUIRE_FALSE(damaged.ok());
  CHECK(damaged.error().message.find("is damaged") != std::string::npos);
}

TEST_CASE("RocksDB store: a folder that cannot be made is an error, not a crash") {
  const auto store = open_rocks_store("/proc/nowhere/db");
  REQUIRE_FALSE(store.ok());
  CHECK(store.error().message.find("/proc/nowhere/db") != std::string::npos);
}

}  // namespace
}  // namespace tally::store
