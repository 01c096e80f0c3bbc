#include "runtime/runtime.hpp"

#include <algorithm>

#include "modules/channels/dispatch.hpp"
#include "modules/disputes/dispatch.hpp"
#include "runtime/executor.hpp"
#include "runtime/read_ahead.hpp"

namespace tally::runtime {

std::string to_text(const BlockError& error) {
  std::string text(enumerator_name(error.code));
  if (error.code == BlockErrorCode::invalid_transaction) {
    text += " " + to_decimal(error.transaction) + ": " + std::string(enumerator_name(error.reason));
  }
  return text;
}

Result<BlockOutcome, BlockError> execute_block(const StateReader& parent, const BlockInput& input,
                                               std::span<const CheckedTransaction* const> txs,
                                               InvariantChecks checks) {
  BlockExecutor executor(parent, input, checks);
  TALLY_TRY(executor.start());
  for (std::size_t i = 0; i < txs.size(); ++i) {
    if (i % kReadAhead == 0) executor.expect(txs.subspan(i));
    const auto applied = executor.apply(*txs[i]);
    if (!applied.ok()) {
      return fail(BlockError{BlockErrorCode::invalid_transaction, i, applied.error()});
    }
  }
  return executor.finish();
}

Result<Proposal, BlockError> propose_block(const StateReader& parent, const BlockInput& input,
                                           std::span<const CheckedTransaction* const> candidates,
                                           InvariantChecks checks) {
  BlockExecutor executor(parent, input, checks);
  TALLY_TRY(executor.start());
  Proposal proposal;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (i % kReadAhead == 0) executor.expect(candidates.subspan(i));
    const auto applied = executor.apply(*candidates[i]);
    if (applied.ok()) {
      proposal.chosen.push_back(i);
    } else {
      proposal.refused.push_back({i, applied.error()});
    }
  }
  proposal.outcome = executor.finish();
  return proposal;
}

bool deadline_due(const StateReader& parent, TimestampMs header_time) {
  const Configs configs = Configs::read(parent);
  if (header_time <= system::kHeaderTime.get(parent)) return false;
  const TimestampMs time = system::next_chain_time(parent, configs.system, header_time);
  return channels::deadline_due(parent, configs.channels, time) ||
         disputes::deadline_due(parent, configs.disputes, time);
}

}  // namespace tally::runtime
