// Real processes for end-to-end tests: started with their output in a file, stopped by their id.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tally::tests {

// A folder of its own, removed at the end of the test.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class Process {
 public:
  // stdout and stderr go to the end of `log`.
  Process(const std::vector<std::string>& command, std::filesystem::path log);
  ~Process();  // kills it if it still runs
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  void signal(int number);
  // The exit code, 128 + signal for one that was killed; nothing if it still runs at the deadline.
  std::optional<int> wait(std::chrono::seconds deadline);
  std::string log() const;

 private:
  void reap(bool block);

  std::filesystem::path log_;
  pid_t pid_ = -1;
  std::optional<int> exit_;
};

struct Ended {
  int exit_code = -1;
  std::string output;
};
// Runs a command that is expected to end by itself.
Ended run_to_end(const std::vector<std::string>& command, const std::filesystem::path& log,
                 std::chrono::seconds deadline = std::chrono::seconds(30));

// Ports that nobody listens on at the moment, all different.
std::vector<std::uint16_t> free_ports(std::size_t count);

// Polls until the condition holds or the deadline has passed.
bool eventually(std::chrono::seconds deadline, const std::function<bool()>& condition);

}  // namespace tally::tests
