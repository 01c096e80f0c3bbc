// DurableFile: one small file whose every byte matters, as the vote log and the high-water file use
// it. The real one is a file of the operating system; the simulated one (sim_disk.hpp) loses and
// tears what was not synced. A write that the disk refuses ends the process: a node that cannot
// remember its promises must not make more.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "primitives/bytes.hpp"

namespace tally::store {

class DurableFile {
 public:
  virtual ~DurableFile() = default;
  // All of it; nothing when there is no such file.
  virtual std::optional<Bytes> read() = 0;
  // Creates the file if there is none. Not durable before sync().
  virtual void append(ByteView bytes) = 0;
  // Within the file's present size. Not durable before sync().
  virtual void write_at(std::size_t offset, ByteView bytes) = 0;
  // Cuts the end off; durable when it returns.
  virtual void truncate(std::size_t size) = 0;
  virtual void sync() = 0;
  // The whole content, atomically: after a crash the file is the old one or the new one. Durable
  // when it returns.
  virtual void replace(ByteView content) = 0;
};

// The folder of `path` must exist. Opens nothing before it is used.
std::unique_ptr<DurableFile> posix_file(std::string path);

// Says on stderr what the disk refused, where and why, and ends the process with status 74.
// What to do about a database whose files are not what was written to them.
std::string damage_advice(const std::string& folder, const std::string& reason);
// Says so on stderr and ends the process with status 65.
[[noreturn]] void end_for_damage(const std::string& folder, const std::string& reason);

[[noreturn]] void end_for_disk(const std::string& what, const std::string& path,
                               const std::string& reason);

}  // namespace tally::store
