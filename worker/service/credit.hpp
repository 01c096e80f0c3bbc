// How much unpaid work a worker does: the gate between accepted tasks and the scheduler.
//
// For each channel: a task starts when fewer than `credit_window` tasks are running or receipted
// and unpaid, or when what was paid covers all that is running and receipted, and this task too
// (with a window of 0 that is the only way: prepaid). What was paid is what the channel gave since
// this program first saw it. Tasks that may not start yet wait here, in the order in which they
// came. Exposure after a restart of the program is again at most the window. Task ids are not taken
// twice.
//
// No I/O and no locks: the task service calls it under its own.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <vector>

#include "primitives/balance.hpp"
#include "worker/service/job.hpp"

namespace tally::worker {

class CreditGate {
 public:
  explicit CreditGate(std::uint32_t credit_window) : window_(credit_window) {}

  // Takes note of what a channel has received in all; the first call sets the base.
  void set_received(const ChannelId& channel, Balance received);
  // Unpaid receipts, running and waiting tasks: what is spoken for in the channel.
  Balance committed(const ChannelId& channel) const;
  // False if the id was used before.
  bool use_id(const ChannelId& channel, std::uint64_t id);

  void add(JobPtr job);
  // Tasks of the channel that may start now, which then count as running.
  std::vector<JobPtr> startable(const ChannelId& channel);
  void finished(const TaskJob& job, bool receipted);
  // Takes out those that wait and are cancelled.
  void drop_cancelled();

  std::size_t tasks() const { return tasks_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Account {
    Balance base;                  // received before
    Balance received;              // in all
    Balance receipted;             // sum of issued receipts
    std::deque<Balance> receipts;  // the sum after each unpaid receipt
    Balance running_price;
    std::size_t running = 0;
    std::deque<JobPtr> waiting;
    std::set<std::uint64_t> ids;
    std::uint64_t lowest_id = 0;  // ids below are used
  };
  bool may_start(const Account& account, const TaskJob& job) const;

  std::uint32_t window_;
  std::map<ChannelId, Account> accounts_;
  std::size_t tasks_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace tally::worker
