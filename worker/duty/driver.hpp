// The duty machine with a chain, a disk, a network and a sandbox around it.
//
// One thread owns the machine; one follows final blocks; a few carry actions out. Every block is
// read from a node and proved. When the node goes away it is asked again, and the state of every
// dispute is read afresh: nothing depends on having seen every block.
#pragma once

#include <functional>
#include <memory>

#include "client-sdk/chain/submitter.hpp"
#include "client-sdk/content/folder.hpp"
#include "worker/duty/duty.hpp"
#include "worker/duty/store.hpp"

namespace tally::worker {

struct DutyRun {
  task::TaskType type{};
  ByteView spec;
  ByteView input;
  std::chrono::milliseconds patience{};
};

struct DriverConfig {
  std::filesystem::path folder;  // <folder>/records and <folder>/inputs
  std::size_t duties_max = 8;
  std::size_t runs_max = 1;
  std::uint64_t max_input_bytes = content::kMaxContentBytes;
};

struct DriverPorts {
  client::Submitter& submitter;
  // In the same sandbox as paid work. Called from several threads.
  std::function<executors::TaskResult(const DutyRun&, const std::atomic<bool>& cancel)> run;
  std::function<void(bool warning, const std::string&)> tell;
};

struct DutyCounters {
  std::uint64_t accepted{};
  std::uint64_t committed{};
  std::uint64_t revealed{};
};

class DutyDriver {
 public:
  static Result<std::unique_ptr<DutyDriver>, Error> start(const DriverConfig& config,
                                                          DriverPorts ports);
  // What was begun goes on from the records at the next start.
  ~DutyDriver();
  DutyCounters counters() const;
  // Fetched inputs, while their disputes run: for a content server.
  const content::ContentFolder& inputs() const;

 private:
  struct State;
  explicit DutyDriver(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tally::worker
