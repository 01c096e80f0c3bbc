#include "worker/service/held_results.hpp"

#include "worker/service/job.hpp"

namespace tally::worker {

namespace {

struct Written {
  AccountId requester;
  task::SignedReceipt receipt;
  Bytes sealed_output;
};
TALLY_DESCRIBE(Written, requester, receipt, sealed_output);

constexpr std::size_t kBeside = 512;  // the receipt and the books, about

}  // namespace

HeldResults::Key HeldResults::key_of(const HeldResult& result) {
  return {result.receipt.receipt.channel_id, result.receipt.receipt.task_id};
}

std::size_t HeldResults::size_of(const HeldResult& result) {
  return result.sealed_output.size() + kBeside;
}

Result<HeldResult, Error> HeldResults::read(const std::string& name) const {
  auto written = decode<Written>(TALLY_TRY(folder_->read(name)));
  if (!written.ok()) {
    return fail_with("the result " + name + " is of another version: " + to_text(written.error()));
  }
  return HeldResult{written->requester, std::move(written->receipt),
                    std::move(written->sealed_output), true};
}

Result<std::vector<std::string>, Error> HeldResults::load() {
  std::vector<std::string> faults;
  if (!folder_) return faults;
  for (const std::string& name : TALLY_TRY(folder_->names())) {
    auto result = read(name);
    if (!result.ok()) faults.push_back(result.error().message);
    const bool new_here = result.ok() && !results_.contains(key_of(*result));
    if (new_here) {
      insert(*std::move(result), name);
    } else {
      TALLY_TRY(folder_->remove(name));
    }
  }
  return faults;
}

Result<void, Error> HeldResults::add(HeldResult result) {
  const Key key = key_of(result);
  if (results_.contains(key)) return {};
  const bool owed = result.owed;
  insert(std::move(result), {});
  const auto found = results_.find(key);
  if (!owed || found == results_.end()) return {};
  return write(found->second);
}

Result<void, Error> HeldResults::owe(HeldResult& held) {
  held.owed = true;
  return write(results_.at(key_of(held)));
}

HeldResult* HeldResults::find(const ChannelId& channel, std::uint64_t task) {
  const auto found = results_.find({channel, task});
  return found == results_.end() ? nullptr : &found->second.result;
}

Result<void, Error> HeldResults::write(Entry& entry) {
  if (!folder_ || !entry.file.empty()) return {};
  const HeldResult& result = entry.result;
  entry.file = TALLY_TRY(folder_->add(
      wall_clock(), encode(Written{result.requester, result.receipt, result.sealed_output})));
  return {};
}

void HeldResults::insert(HeldResult result, std::string file) {
  const Key key = key_of(result);
  const std::size_t size = size_of(result);
  if (!results_.try_emplace(key, Entry{std::move(result), std::move(file)}).second) return;
  order_.push_back(key);
  bytes_ += size;
  while (order_.size() > limits_.results || bytes_ > limits_.bytes) {
    const auto oldest = results_.find(order_.front());
    bytes_ -= size_of(oldest->second.result);
    // Left behind, it is thrown away at the next start.
    if (!oldest->second.file.empty()) static_cast<void>(folder_->remove(oldest->second.file));
    results_.erase(oldest);
    order_.pop_front();
  }
}

}  // namespace tally::worker
