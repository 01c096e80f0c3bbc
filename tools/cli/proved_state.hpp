// The state at one final block, read item by item with a proof for each: what the modules' own
// reading functions (workers::find, reputation, …) are given by a client.
//
//   const auto state = TALLY_TRY(ProvedState::newest(session));
//   const auto worker = workers::find(*state, account);
//   TALLY_TRY(state->whole());            // before anything that was read is believed
//
// A read that fails gives nothing, since a StateReader cannot say why; whole() then says it.
#pragma once

#include <map>

#include "tools/cli/session.hpp"

namespace tally::cli {

class ProvedState final : public StateReader {
 public:
  static CliResult<std::unique_ptr<ProvedState>> newest(Session& session);
  ProvedState(client::ChainClient& chain, client::FinalHead head)
      : chain_(chain), head_(std::move(head)) {}

  std::optional<Bytes> get(ByteView key) const override;
  // Fetches these in one go; get() then answers without asking again.
  void fetch(const std::vector<Bytes>& keys) const;
  // Every read so far was answered and proved.
  CliResult<void> whole() const;

  const client::FinalHead& head() const { return head_; }
  TimestampMs chain_time() const;   // what deadlines are compared with
  TimestampMs header_time() const;  // of clocks
  Json block_json() const;          // Block

 private:
  client::ChainClient& chain_;
  client::FinalHead head_;
  mutable std::map<Bytes, std::optional<Bytes>> known_;
  mutable std::optional<client::ClientError> error_;
};

// "45 s", "12 min", "3 h 20 min", "7 days": two units at most.
std::string duration_text(std::uint64_t milliseconds);
// "in 45 s" or "now" for a deadline of chain time.
std::string until_text(TimestampMs deadline, TimestampMs now);
// "45 s ago" for a header time; "never" for 0.
std::string ago_text(TimestampMs then, TimestampMs now);
// Milliseconds that are left, 0 when it is past.
std::uint64_t remaining_ms(TimestampMs deadline, TimestampMs now);

}  // namespace tally::cli
