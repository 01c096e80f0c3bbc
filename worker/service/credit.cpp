#include "worker/service/credit.hpp"

namespace tally::worker {

namespace {

// Ids remembered one by one; older ones are refused as a whole.
constexpr std::size_t kIdWindow = 4'096;

// Sums of prices that were each checked against a channel's balance.
Balance sum(Balance a, Balance b) {
  const auto result = checked_add(a, b);
  TALLY_ASSERT(result.ok());
  return *result;
}

Balance difference(Balance a, Balance b) {
  return a > b ? Balance(a.micro - b.micro) : Balance();
}

}  // namespace

void CreditGate::set_received(const ChannelId& channel, Balance received) {
  const auto [found, is_new] = accounts_.try_emplace(channel);
  Account& account = found->second;
  if (is_new) account.base = received;
  account.received = max(account.received, received);
  const Balance paid = difference(account.received, account.base);
  while (!account.receipts.empty() && account.receipts.front() <= paid) {
    account.receipts.pop_front();
  }
}

Balance CreditGate::committed(const ChannelId& channel) const {
  const auto found = accounts_.find(channel);
  if (found == accounts_.end()) return {};
  const Account& account = found->second;
  const Balance paid = difference(account.received, account.base);
  Balance total = sum(difference(account.receipted, paid), account.running_price);
  for (const JobPtr& job : account.waiting) total = sum(total, job->price);
  return total;
}

bool CreditGate::use_id(const ChannelId& channel, std::uint64_t id) {
  Account& account = accounts_[channel];
  if (id < account.lowest_id || !account.ids.insert(id).second) return false;
  if (account.ids.size() > kIdWindow) {
    account.lowest_id = *account.ids.begin() + 1;
    account.ids.erase(account.ids.begin());
  }
  return true;
}

bool CreditGate::may_start(const Account& account, const TaskJob& job) const {
  if (account.running + account.receipts.size() < window_) return true;
  const Balance paid = difference(account.received, account.base);
  const Balance owed = sum(account.receipted, account.running_price);
  return paid >= sum(owed, job.price);
}

void CreditGate::add(JobPtr job) {
  ++tasks_;
  bytes_ += job->input.size();
  Account& account = accounts_[job->channel_id];
  account.waiting.push_back(std::move(job));
}

std::vector<JobPtr> CreditGate::startable(const ChannelId& channel) {
  std::vector<JobPtr> out;
  Account& account = accounts_[channel];
  while (!account.waiting.empty() && may_start(account, *account.waiting.front())) {
    JobPtr job = std::move(account.waiting.front());
    account.waiting.pop_front();
    ++account.running;
    account.running_price = sum(account.running_price, job->price);
    out.push_back(std::move(job));
  }
  return out;
}

void CreditGate::finished(const TaskJob& job, bool receipted) {
  Account& account = accounts_[job.channel_id];
  TALLY_ASSERT(account.running > 0);
  --account.running;
  --tasks_;
  bytes_ -= job.input.size();
  account.running_price = difference(account.running_price, job.price);
  if (!receipted) return;
  account.receipted = sum(account.receipted, job.price);
  // A requester may have paid before it sees the receipt: then it is not unpaid.
  if (account.receipted > difference(account.received, account.base)) {
    account.receipts.push_back(account.receipted);
  }
}

void CreditGate::drop_cancelled() {
  for (auto& [channel, account] : accounts_) {
    std::erase_if(account.waiting, [&](const JobPtr& job) {
      if (!job->cancelled) return false;
      --tasks_;
      bytes_ -= job->input.size();
      return true;
    });
  }
}

}  // namespace tally::worker
