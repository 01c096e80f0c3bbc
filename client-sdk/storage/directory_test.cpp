#include "client-sdk/storage/directory.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

namespace tally::storage {
namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "tally-store-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
};

DirectoryStore open_store(const Folder& folder) {
  auto store = DirectoryStore::open(folder.path / "blobs");
  REQUIRE(store.ok());
  return *store;
}

TEST_CASE("A directory gives back what was put", "[directory]") {
  const Folder folder;
  DirectoryStore store = open_store(folder);
  for (const std::size_t size : {0u, 1u, 262144u}) {
    const Bytes blob(size, 7);
    std::uint64_t told = 1;
    const auto stored = store.put(
        blob, {.folder = folder.path,
               .progress = [&](const Progress& progress) { told = progress.done_bytes; }});
    REQUIRE(stored.ok());
    CHECK(told == size);
    CHECK(stored->cost_winston == 0);
    CHECK(content_id_is_valid(StoreKind::directory, stored->id.id));
    CHECK(*store.get(stored->id, size) == blob);
    CHECK(store.status(stored->id)->presence == Presence::deep);
    CHECK(store.put(blob, {.folder = folder.path})->id == stored->id);
  }
}

TEST_CASE("A directory says what is missing, changed, too long or not its own", "[directory]") {
  const Folder folder;
  DirectoryStore store = open_store(folder);
  const Bytes blob(100, 9);
  const ContentId id = store.put(blob, {.folder = folder.path})->id;

  CHECK(store.get(id, 99).error().fault == StoreFault::too_large);
  const ContentId other{StoreKind::directory, raw_cid(as_bytes("other")).to_text()};
  CHECK(store.get(other, 100).error().fault == StoreFault::not_found);
  CHECK(store.status(other)->presence == Presence::absent);
  CHECK(store.get({StoreKind::arweave, std::string(43, 'A')}, 1).error().fault ==
        StoreFault::unsupported);
  CHECK(store.get({StoreKind::directory, "../../etc/passwd"}, 1).error().fault ==
        StoreFault::unsupported);

  std::ofstream(store.path_of(id), std::ios::binary) << "changed";
  CHECK(store.get(id, 100).error().fault == StoreFault::mismatch);
  CHECK(store.status(id).error().fault == StoreFault::mismatch);
  REQUIRE(store.put(blob, {.folder = folder.path}).ok());
  CHECK(*store.get(id, 100) == blob);
}

TEST_CASE("A directory's put obeys a stop", "[directory]") {
  const Folder folder;
  DirectoryStore store = open_store(folder);
  std::stop_source source;
  source.request_stop();
  const auto stored = store.put(Bytes(5, 1), {.folder = folder.path, .stop = source.get_token()});
  REQUIRE_FALSE(stored.ok());
  CHECK(stored.error().fault == StoreFault::interrupted);
}

}  // namespace
}  // namespace tally::storage
