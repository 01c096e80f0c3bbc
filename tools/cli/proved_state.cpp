#include "tools/cli/proved_state.hpp"

#include <fmt/format.h>

#include "modules/system/storage.hpp"

namespace tally::cli {

CliResult<std::unique_ptr<ProvedState>> ProvedState::newest(Session& session) {
  client::ChainClient* chain = TALLY_TRY(session.client());
  auto head = TALLY_TRY(or_fault(chain->finalized()));
  session.save_trust();
  return std::make_unique<ProvedState>(*chain, std::move(head));
}

std::optional<Bytes> ProvedState::get(ByteView key) const {
  const Bytes wanted = to_bytes(key);
  if (!known_.contains(wanted)) fetch({wanted});
  const auto found = known_.find(wanted);
  return found == known_.end() ? std::nullopt : found->second;
}

void ProvedState::fetch(const std::vector<Bytes>& keys) const {
  if (error_) return;
  auto values = chain_.read_at(head_, keys);
  if (!values.ok()) {
    error_ = values.error();
    return;
  }
  for (std::size_t i = 0; i < keys.size(); ++i) known_[keys[i]] = std::move((*values)[i]);
}

CliResult<void> ProvedState::whole() const {
  if (error_) return fail(to_fault(*error_));
  return {};
}

TimestampMs ProvedState::chain_time() const {
  return system::kChainTime.get(*this);
}
TimestampMs ProvedState::header_time() const {
  return system::kHeaderTime.get(*this);
}
Json ProvedState::block_json() const {
  return Json{{"number", head_.number.value}, {"hash", to_json(head_.hash)}};
}

std::string duration_text(std::uint64_t milliseconds) {
  const std::uint64_t seconds = (milliseconds + 999) / 1'000;
  const std::uint64_t minutes = seconds / 60;
  const std::uint64_t hours = minutes / 60;
  const auto two = [](std::uint64_t large, const char* of, std::uint64_t small, const char* rest) {
    return small == 0 ? fmt::format("{} {}", large, of)
                      : fmt::format("{} {} {} {}", large, of, small, rest);
  };
  if (minutes == 0) return fmt::format("{} s", seconds);
  if (hours == 0) return two(minutes, "min", seconds % 60, "s");
  if (hours < 48) return two(hours, "h", minutes % 60, "min");
  return two(hours / 24, "days", hours % 24, "h");
}

std::uint64_t remaining_ms(TimestampMs deadline, TimestampMs now) {
  return deadline > now ? deadline.value - now.value : 0;
}

std::string until_text(TimestampMs deadline, TimestampMs now) {
  const std::uint64_t left = remaining_ms(deadline, now);
  return left == 0 ? "now" : "in " + duration_text(left);
}

std::string ago_text(TimestampMs then, TimestampMs now) {
  if (then == TimestampMs{}) return "never";
  return then < now ? duration_text(now.value - then.value) + " ago" : "just now";
}

}  // namespace tally::cli
