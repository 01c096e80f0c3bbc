#include "client-sdk/arweave/upload.hpp"

#include <nlohmann/json.hpp>

#include "client-sdk/content/files.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::arweave {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kFormat = "tallystick arweave upload, version 1";
constexpr std::uint64_t kMaxJournalBytes = 64 << 10;

StoreResult<void> or_local(Result<void, Error> result) {
  if (!result.ok()) return storage::store_failure(StoreFault::local, result.error().message);
  return {};
}

Failure<StoreError> damaged(const fs::path& file, const std::string& reason) {
  return storage::store_failure(
      StoreFault::local, file.string() + " does not hold: " + reason +
                             "; it may stand for a transaction that was paid. Restore it, or "
                             "remove it to sign and pay anew");
}

}  // namespace

fs::path ArweaveStore::Upload::data_file() const {
  fs::path out = file;
  return out.replace_extension(".data");
}

fs::path ArweaveStore::Upload::file_of(const fs::path& folder, ByteView blob) {
  return folder / ("arweave-" + to_hex(sha256(blob)) + ".json");
}

StoreResult<void> ArweaveStore::Upload::save() const {
  const nlohmann::json json = {
      {"format", kFormat},    {"transaction", nlohmann::json::parse(tx.to_json())},
      {"sent", sent},         {"chunks", chunks},
      {"complete", complete},
  };
  return or_local(content::write_durably(file, as_bytes(json.dump(2) + "\n")));
}

StoreResult<void> ArweaveStore::Upload::create() const {
  TALLY_TRY(or_local(content::write_durably(data_file(), data)));
  return save();
}

StoreResult<void> ArweaveStore::Upload::forget() const {
  TALLY_TRY(or_local(content::remove_durably(file)));
  return or_local(content::remove_durably(data_file()));
}

StoreResult<std::optional<ArweaveStore::Upload>> ArweaveStore::Upload::load(const fs::path& file) {
  std::error_code error;
  if (!fs::exists(file, error) && !error) return std::optional<Upload>();
  const auto text = content::read_whole(file, kMaxJournalBytes);
  if (!text.ok()) return damaged(file, text.error().message);
  const auto json = nlohmann::json::parse(as_text(*text), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.size() != 5 || json.value("format", "") != kFormat) {
    return damaged(file, "it is not such a journal");
  }
  const auto transaction = json.find("transaction");
  const auto sent = json.find("sent");
  const auto chunks = json.find("chunks");
  const auto complete = json.find("complete");
  if (transaction == json.end() || sent == json.end() || !sent->is_boolean() ||
      chunks == json.end() || !chunks->is_number_unsigned() || complete == json.end() ||
      !complete->is_boolean()) {
    return damaged(file, "a field is missing or of another type");
  }
  const auto tx = Transaction::from_json(transaction->dump());
  if (!tx.ok() || !tx->is_valid()) return damaged(file, "its transaction is not valid");
  Upload out{file, *tx, {}, {}, *sent, *chunks, *complete};
  auto data = content::read_whole(out.data_file(), kMaxStoredBytes);
  if (!data.ok()) return damaged(file, data.error().message);
  out.data = *std::move(data);
  out.tree = build_chunk_tree(out.data);
  const bool same_root = out.tx.data_root == (out.data.empty() ? std::optional<Hash256>()
                                                               : std::optional(out.tree.root));
  if (out.data.size() != out.tx.data_size || !same_root || out.chunks > out.tree.chunks.size()) {
    return damaged(file, "its transaction is of other data than those beside it");
  }
  return std::optional<Upload>(std::move(out));
}

}  // namespace tally::arweave
