// For readers that take a path: one file of this process in memory, with the input as its content.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/fuzz/target.hpp"

namespace tally::fuzz {

class FuzzFolder {
 public:
  FuzzFolder() {
    const std::filesystem::path memory = "/dev/shm";
    std::error_code error;
    const auto base = std::filesystem::is_directory(memory, error)
                          ? memory
                          : std::filesystem::temp_directory_path();
    path_ = base / ("tally-fuzz-" + std::to_string(getpid()));
    std::filesystem::create_directories(path_);
  }
  ~FuzzFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  FuzzFolder(const FuzzFolder&) = delete;
  FuzzFolder& operator=(const FuzzFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path put(const std::string& name, ByteView content) const {
    const auto path = path_ / name;
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(as_text(content).data(), static_cast<std::streamsize>(content.size()));
    file.close();
    TALLY_ASSERT(file.good());
    return path;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace tally::fuzz
