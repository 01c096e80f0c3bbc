#include "node/store/rocks_store.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>
#include <rocksdb/write_batch.h>

#include <filesystem>

#include "node/store/file.hpp"
#include "node/store/manifest_record.hpp"
#include "primitives/assert.hpp"

namespace tally::store {
namespace {

constexpr std::string_view kFormatKey = "format";
constexpr std::string_view kFormat = "tallystick/2";

constexpr std::array<const char*, ports::kColumns> kColumnNames = {
    "state",    "tree", "blocks",  "heights", "events",  "certificates",
    "tx_index", "meta", "history", "paths",   "snapshot"};

rocksdb::Slice slice(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
ByteView view(const rocksdb::Slice& slice) {
  return {reinterpret_cast<const std::uint8_t*>(slice.data()), slice.size()};
}

// Deletes that fill half of a stretch of a file have it compacted.
constexpr std::size_t kDeletesWindow = 4'096;
constexpr std::size_t kDeletesTrigger = 2'048;

rocksdb::ColumnFamilyOptions column_options(ports::Column column,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.format_version = 5;
  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.level_compaction_dynamic_level_bytes = true;
  options.table_properties_collector_factories.push_back(
      rocksdb::NewCompactOnDeletionCollectorFactory(kDeletesWindow, kDeletesTrigger));
  // Hashes do not compress; bodies and events do.
  const bool text = column == ports::Column::blocks || column == ports::Column::events;
  options.compression = text ? rocksdb::kLZ4Compression : rocksdb::kNoCompression;
  return options;
}

bool is_damage(const rocksdb::Status& status) {
  // A file that the others name and that is gone is damage too.
  return status.IsCorruption() || status.IsPathNotFound() ||
         (status.IsIOError() && status.ToString().find("No such file") != std::string::npos);
}

// The manifest grows when a table is made. RocksDB deletes the logs that the table replaces after
// this.
class ManifestListener final : public rocksdb::EventListener {
 public:
  explicit ManifestListener(std::shared_ptr<ManifestRecord> record) : record_(std::move(record)) {}
  void OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo&) override { record_->update(); }
  void OnCompactionCompleted(rocksdb::DB*, const rocksdb::CompactionJobInfo&) override {
    record_->update();
  }

 private:
  std::shared_ptr<ManifestRecord> record_;
};

class RocksStore final : public ports::Store {
 public:
  RocksStore(std::string folder, rocksdb::DB* db, std::vector<rocksdb::ColumnFamilyHandle*> columns)
      : folder_(std::move(folder)), db_(db), columns_(std::move(columns)) {}
  RocksStore(const RocksStore&) = delete;
  RocksStore& operator=(const RocksStore&) = delete;
  ~RocksStore() override {
    for (auto* column : columns_) (void)db_->DestroyColumnFamilyHandle(column);
    (void)db_->Close();
  }

  std::optional<Bytes> get(ports::Column column, ByteView key) const override {
    rocksdb::PinnableSlice value;
    const rocksdb::Status status = db_->Get(read_options(), handle(column), slice(key), &value);
    if (status.IsNotFound()) return std::nullopt;
    check(status, "read from the database in");
    return to_bytes(view(value));
  }

  void scan(ports::Column column, ByteView from,
            const std::function<bool(ByteView, ByteView)>& visit) const override {
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(read_options(), handle(column)));
    for (it->Seek(slice(from)); it->Valid(); it->Next()) {
      if (!visit(view(it->key()), view(it->value()))) return;
    }
    check(it->status(), "read from the database in");
  }

  void write(ports::WriteBatch batch, ports::Durability durability) override {
    std::size_t bytes = 0;
    for (const ports::Write& write : batch) {
      bytes += write.key.size() + (write.value ? write.value->size() : 0) + 16;
    }
    rocksdb::WriteBatch rocks(bytes);
    for (const ports::Write& write : batch) {
      auto* column = handle(write.column);
      check(write.value ? rocks.Put(column, slice(write.key), slice(*write.value))
                        : rocks.Delete(column, slice(write.key)),
            "write to the database in");
    }
    rocksdb::WriteOptions options;
    options.sync = durability == ports::Durability::synced;
    check(db_->Write(options, &rocks), "write to the database in");
  }

  void sync() override { check(db_->FlushWAL(true), "sync the database in"); }

 private:
  static rocksdb::ReadOptions read_options() { return {}; }

  rocksdb::ColumnFamilyHandle* handle(ports::Column column) const {
    return columns_[static_cast<std::size_t>(column) + 1];  // 0 is RocksDB's own default column
  }

  void check(const rocksdb::Status& status, const char* what) const {
    if (status.ok()) return;
    if (is_damage(status)) end_for_damage(folder_, status.ToString());
    end_for_disk(what, folder_, status.ToString());
  }

  std::string folder_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> columns_;
};

Failure<OpenError> unusable(std::string message) {
  return fail(OpenError{false, std::move(message)});
}

Failure<OpenError> open_error(const std::string& folder, const rocksdb::Status& status) {
  const std::string reason = status.ToString();
  if (status.IsIOError() && reason.find("lock") != std::string::npos) {
    return unusable("the data folder " + folder + " is in use by another process (" + reason +
                    "): stop that node, or give this one a folder of its own with --base-path");
  }
  if (is_damage(status)) {
    return fail(OpenError{true, damage_advice(folder, reason)});
  }
  return unusable("could not open the database in " + folder + ": " + reason +
                  ". Expected a folder that this user can write, on a disk with space");
}

bool has_tables_only(const std::string& folder) {
  if (std::filesystem::exists(std::filesystem::path(folder) / "CURRENT")) return false;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() == ".sst" || name.starts_with("MANIFEST")) return true;
  }
  return false;
}

rocksdb::DBOptions database_options(const RocksOptions& options) {
  rocksdb::DBOptions out;
  out.create_if_missing = true;
  out.create_missing_column_families = true;
  out.max_open_files = options.open_files_max;
  out.db_write_buffer_size = options.write_buffer_bytes;
  out.max_total_wal_size = 4 * options.write_buffer_bytes;
  out.max_background_jobs = 2;
  out.bytes_per_sync = 1 << 20;
  out.keep_log_file_num = 4;
  out.max_log_file_size = 4 << 20;
  out.max_manifest_file_size = 1 << 20;  // it is read whole for each record of it
  // A torn end of the write-ahead log is what a crash leaves; anything else is damage.
  out.track_and_verify_wals_in_manifest = true;
  out.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  return out;
}

}  // namespace

Result<std::unique_ptr<ports::Store>, OpenError> open_rocks_store(const std::string& folder,
                                                                  const RocksOptions& options) {
  std::error_code made;
  std::filesystem::create_directories(folder, made);
  if (made) {
    return unusable("could not create the data folder " + folder + ": " + made.message() +
                    ". Create it, or choose another with --base-path");
  }
  // RocksDB would begin a new database over the files of the old one.
  if (has_tables_only(folder)) {
    return fail(OpenError{true, damage_advice(folder, "its file CURRENT is missing")});
  }
  const auto record = std::make_shared<ManifestRecord>(folder);
  if (const auto fault = record->fault()) {
    return fail(OpenError{true, damage_advice(folder, *fault)});
  }
  const auto cache = rocksdb::NewLRUCache(options.cache_bytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> wanted{
      {rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions()}};
  for (std::size_t i = 0; i < ports::kColumns; ++i) {
    wanted.emplace_back(kColumnNames[i], column_options(static_cast<ports::Column>(i), cache));
  }
  rocksdb::DB* db = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> columns;
  rocksdb::DBOptions database = database_options(options);
  database.listeners.push_back(std::make_shared<ManifestListener>(record));
  const rocksdb::Status status = rocksdb::DB::Open(database, folder, wanted, &columns, &db);
  if (!status.ok()) return open_error(folder, status);
  record->update();
  auto store = std::make_unique<RocksStore>(folder, db, std::move(columns));

  const auto format = store->get(ports::Column::meta, as_bytes(kFormatKey));
  if (format && as_text(*format) != kFormat) {
    return unusable("the database in " + folder + " has the format \"" +
                    std::string(as_text(*format)) + "\", this program writes \"" +
                    std::string(kFormat) + "\": use the program that wrote it, or another folder");
  }
  if (!format) {
    store->write(
        {{ports::Column::meta, to_bytes(as_bytes(kFormatKey)), to_bytes(as_bytes(kFormat))}},
        ports::Durability::synced);
  }
  return std::unique_ptr<ports::Store>(std::move(store));
}

}  // namespace tally::store
