// The node's database on RocksDB: one database, one column family a Column, one write-ahead log, so
// that a batch over several columns is atomic and batches become durable in their order.
//
// open() fails with an error that tells a person what to do: another process has the folder, the
// database is damaged, or it was written by another version. After that a read of what is not what
// was written ends the process (end_for_damage), and so does what the disk refuses (end_for_disk):
// every block of a file has a checksum, which every read checks, and a manifest that ends early is
// noticed (manifest_record.hpp).
//
// What is deleted frees its space soon: a file that holds many deletes is compacted for them alone.
//
// Threads: reads from any thread; writes from one at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "node/ports/store.hpp"
#include "primitives/result.hpp"

namespace tally::store {

struct RocksOptions {
  std::size_t cache_bytes = 48 << 20;         // of data blocks read
  std::size_t write_buffer_bytes = 48 << 20;  // of all columns together, before a flush
  int open_files_max = 512;
};

struct OpenError {
  bool damaged = false;
  std::string message;
};

// Creates the folder and the database when there is none.
Result<std::unique_ptr<ports::Store>, OpenError> open_rocks_store(const std::string& folder,
                                                                  const RocksOptions& options = {});

}  // namespace tally::store
