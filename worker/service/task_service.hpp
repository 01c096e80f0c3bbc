// The worker's side of the task stream (rpc/proto/task.proto): proves accounts, takes tasks, has
// them done within the credit that a channel has, and answers with results and receipts.
//
// A requester can cost at most what is stated: connections, frames, waiting tasks and kept parts
// are bounded; a connection that has not proved its account in time is ended; a peer that does not
// read is ended. Nothing that a requester sends stops the service.
//
// Threads: gRPC's own read the streams, the scheduler's run tasks. The earner is called from both.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client-sdk/task/channel_port.hpp"
#include "client-sdk/task/offer.hpp"
#include "worker/service/dead_letter.hpp"
#include "worker/service/job.hpp"

namespace tally::worker {

enum class LogLevel { debug, info, warning, error };

struct ServiceConfig {
  std::string listen;  // host:port; port 0 takes a free one
  KeyPair key;         // the worker's account
  Secret seal_secret;  // the offer's seal_key is its public key
  Hash genesis_hash;
  task::WorkerOffer offer;
  std::size_t threads = 1;  // tasks at a time
  std::size_t max_waiting_tasks = 1'024;
  std::uint64_t max_waiting_bytes = std::uint64_t{512} << 20;
  std::size_t max_connections = 64;
  std::chrono::milliseconds handshake_patience{10'000};
};

struct ServicePorts {
  task::EarnerPort& earner;
  DeadLetters& dead_letters;
  // Where results that are owed survive this process; none: they do not.
  std::optional<KeptFiles> results;
  std::function<executors::TaskResult(const TaskJob&)> run;
  std::function<void(LogLevel, const std::string&)> log;
};

struct ServiceCounters {
  std::uint64_t connections{};
  std::uint64_t tasks_done{};
  std::uint64_t tasks_failed{};
  std::uint64_t tasks_refused{};
};

class TaskService {
 public:
  static Result<std::unique_ptr<TaskService>, Error> start(ServiceConfig config,
                                                           ServicePorts ports);
  ~TaskService();
  // Takes no more tasks, tells every requester, cancels what runs, and returns when all is quiet.
  void stop();
  std::uint16_t port() const;
  ServiceCounters counters() const;

 private:
  struct State;
  explicit TaskService(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tally::worker
