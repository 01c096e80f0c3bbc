// What the tests of checkpoints share: Bob with the whole runtime behind a server, a directory as a
// store that counts what it is paid, and a folder for everything.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "client-sdk/checkpoint/checkpoint.hpp"
#include "client-sdk/content/files.hpp"
#include "client-sdk/storage/directory.hpp"
#include "modules/credits/api.hpp"
#include "modules/storage_registry/storage.hpp"
#include "primitives/crypto/hash.hpp"
#include "tests/support/served_runtime.hpp"

namespace tally::checkpoint {

namespace fs = std::filesystem;

// Removed with everything in it.
class TestFolder {
 public:
  TestFolder() {
    std::string name = (fs::temp_directory_path() / "tally-checkpoint-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~TestFolder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// A directory that takes money as a store for ever does: once for a folder and blob, on record in
// the folder before the blob is written. It can lose, damage and be silent about what it has.
class PaidStore final : public storage::BlobStore {
 public:
  explicit PaidStore(const fs::path& folder) : inner_(*storage::DirectoryStore::open(folder)) {}

  StoreKind kind() const override { return inner_.kind(); }
  storage::StoreResult<storage::Stored> put(ByteView blob,
                                            const storage::PutOptions& options) override {
    ++puts;
    if (!content::make_private_folder(options.folder).ok()) throw std::runtime_error("folder");
    const fs::path receipt = options.folder / raw_cid(blob).to_text();
    if (!fs::exists(receipt)) {
      std::ofstream(receipt) << "paid";
      paid += kPrice;
    }
    if (after_paying) after_paying();
    auto stored = inner_.put(blob, options);
    if (stored.ok()) stored->cost_winston = kPrice;
    return stored;
  }
  storage::StoreResult<Bytes> get(const storage::ContentId& id, std::uint64_t max_bytes,
                                  const std::stop_token& stop) override {
    ++gets;
    if (before_get) before_get(path_of(id));
    return inner_.get(id, max_bytes, stop);
  }
  storage::StoreResult<storage::BlobStatus> status(const storage::ContentId& id,
                                                   const std::stop_token& stop) override {
    return inner_.status(id, stop);
  }
  fs::path path_of(const storage::ContentId& id) const { return inner_.path_of(id); }

  static constexpr std::uint64_t kPrice = 1'000;
  std::uint64_t paid = 0;
  int puts = 0;
  int gets = 0;
  std::function<void()> after_paying;
  std::function<void(const fs::path&)> before_get;

 private:
  storage::DirectoryStore inner_;
};

inline genesis::ChainSpec dev_spec() {
  return *genesis::preset("dev");
}

struct Scene {
  TestFolder files;
  tests::ServedRuntime served{dev_spec()};
  std::unique_ptr<client::ChainClient> chain = served.connect();
  PaidStore store{files.path() / "store"};
  KeyPair bob = dev_key(KeyScheme::ecdsa, "Bob");
  StoreFinder finder = [this](StoreKind kind) -> storage::BlobStore* {
    return kind == StoreKind::directory ? &store : nullptr;
  };

  fs::path folder() const { return files.path() / "cache"; }
  PushOptions options(const std::string& label) const {
    return {.label = label, .folder = folder(), .read_back_ms = 2'000, .poll_ms = 1};
  }
  CheckpointResult<Pushed> try_push(ByteView state, const PushOptions& options) {
    return push(state, options, {store, *chain, bob});
  }
  Pushed push_now(ByteView state, const std::string& label = "sim") {
    auto pushed = try_push(state, options(label));
    if (!pushed.ok()) throw std::runtime_error(pushed.error().message);
    return *std::move(pushed);
  }
  // From a machine with an empty disk, unless a folder is given.
  CheckpointResult<Pulled> try_pull(const Wanted& wanted, const std::string& machine = "other") {
    return pull(wanted, {.folder = files.path() / machine}, {finder, *chain});
  }
  std::size_t live() const {
    return storage_registry::kOwners.get(served.state(), bob.account()).live.size();
  }
  Balance deposits() const {
    return credits::held_balance(served.state(), bob.account(),
                                 credits::HoldReason::storage_deposit);
  }
  bool push_under_way() const {
    for (const auto& entry : fs::directory_iterator(folder() / "pushes")) {
      if (entry.is_directory()) return true;
    }
    return false;
  }
};

// Bytes that do not compress.
inline Bytes noise(std::size_t size, std::uint64_t seed = 1) {
  Bytes out;
  while (out.size() < size) {
    append(out, blake2_512(encode(std::pair(seed, std::uint64_t{out.size()}))));
  }
  out.resize(size);
  return out;
}

}  // namespace tally::checkpoint
