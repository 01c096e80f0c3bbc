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

void CreditGate::open_books(const ChannelId& channel, const Totals& totals) {
  Account& account = accounts_[channel];
  if (!account.open) {
    account.open = true;
    account.receipted = totals.earned;
    // How many they were is not known any more.
    if (totals.earned > totals.received) account.receipts.push_back(totals.earned);
  }
  set_received(channel, totals.received);
}

void CreditGate::set_received(const ChannelId& channel, Balance received) {
  const auto found = accounts_.find(channel);
  if (found == accounts_.end() || !found->second.open) return;
  Account& account = found->second;
  account.received = max(account.received, received);
  while (!account.receipts.empty() && account.receipts.front() <= account.received) {
    account.receipts.pop_front();
  }
}

CreditGate::Exposure CreditGate::exposure(const ChannelId& channel) const {
  const auto found = accounts_.find(channel);
  if (found == accounts_.end()) return {};
  const Balance owed = sum(found->second.receipted, found->second.running_price);
  return {difference(owed, found->second.received), difference(found->second.received, owed)};
}

Balance CreditGate::committed(const ChannelId& channel, Balance next) const {
  const auto found = accounts_.find(channel);
  if (found == accounts_.end()) return next;
  const Account& account = found->second;
  Balance total = sum(sum(account.receipted, account.running_price), next);
  for (const JobPtr& job : account.waiting) total = sum(total, job->price);
  return difference(total, account.received);
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

bool CreditGate::may_start(const Account& account, Balance price) const {
  if (account.running + account.receipts.size() < window_) return true;
  const Balance owed = sum(account.receipted, account.running_price);
  return account.received >= sum(owed, price);
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
  while (!account.waiting.empty() && may_start(account, account.waiting.front()->price)) {
    JobPtr job = std::move(account.waiting.front());
    account.waiting.pop_front();
    ++account.running;
    account.running_price = sum(account.running_price, job->price);
    out.push_back(std::move(job));
  }
  return out;
}

void CreditGate::finished(const TaskJob& job, const std::optional<Balance>& receipted) {
  Account& account = accounts_[job.channel_id];
  TALLY_ASSERT(account.running > 0);
  --account.running;
  --tasks_;
  bytes_ -= job.input.size();
  account.running_price = difference(account.running_price, job.price);
  if (receipted) count_receipt(account, *receipted);
}

void CreditGate::count_receipt(Account& account, Balance price) {
  account.receipted = sum(account.receipted, price);
  // A requester may have paid before it sees the receipt: then it is not unpaid.
  if (account.receipted > account.received) account.receipts.push_back(account.receipted);
}

bool CreditGate::receipt_late(const ChannelId& channel, Balance price) {
  Account& account = accounts_[channel];
  if (!may_start(account, price)) return false;
  count_receipt(account, price);
  return true;
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
