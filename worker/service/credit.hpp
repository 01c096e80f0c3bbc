// How much unpaid work a worker does: the gate between accepted tasks and the scheduler.
//
// For each channel: a task starts when fewer than `credit_window` tasks are running or receipted
// and unpaid, or when what was paid covers all that is running and receipted, and this task too
// (with a window of 0 that is the only way: prepaid). What was paid is all that the channel has
// given, what is receipted is all that was earned in it, both from the worker's journal: a payment
// before the first task counts, and so does an unpaid receipt of an earlier run. Tasks that may not
// start yet wait here, in the order in which they came. Task ids are not taken twice.
//
// No I/O and no locks: the task service calls it under its own.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "primitives/balance.hpp"
#include "worker/service/job.hpp"

namespace tally::worker {

class CreditGate {
 public:
  explicit CreditGate(std::uint32_t credit_window) : window_(credit_window) {}

  struct Totals {
    Balance received;
    Balance earned;
  };
  // Before anything else of a channel; later calls are as set_received().
  void open_books(const ChannelId& channel, const Totals& totals);
  // What a channel has received in all. Of no effect while its books are not open.
  void set_received(const ChannelId& channel, Balance received);
  // How far receipts and running tasks are above what was paid, or below it.
  struct Exposure {
    Balance unpaid;
    Balance paid_ahead;
  };
  Exposure exposure(const ChannelId& channel) const;
  // What the channel must still pay for unpaid receipts, running and waiting tasks, and this one.
  Balance committed(const ChannelId& channel, Balance next = {}) const;
  // False if the id was used before.
  bool use_id(const ChannelId& channel, std::uint64_t id);

  void add(JobPtr job);
  // Tasks of the channel that may start now, which then count as running.
  std::vector<JobPtr> startable(const ChannelId& channel);
  // With the price on its receipt, which may be below what was agreed on; nothing: no receipt.
  void finished(const TaskJob& job, const std::optional<Balance>& receipted);
  // Counts a receipt for a task that had ended without one, if the credit is there for it.
  bool receipt_late(const ChannelId& channel, Balance price);
  // Takes out those that wait and are cancelled.
  void drop_cancelled();

  std::size_t tasks() const { return tasks_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Account {
    bool open = false;
    Balance received;              // in all
    Balance receipted;             // sum of issued receipts, in all
    std::deque<Balance> receipts;  // the sum after each unpaid receipt
    Balance running_price;
    std::size_t running = 0;
    std::deque<JobPtr> waiting;
    std::set<std::uint64_t> ids;
    std::uint64_t lowest_id = 0;  // ids below are used
  };
  bool may_start(const Account& account, Balance price) const;
  static void count_receipt(Account& account, Balance price);

  std::uint32_t window_;
  std::map<ChannelId, Account> accounts_;
  std::size_t tasks_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace tally::worker
