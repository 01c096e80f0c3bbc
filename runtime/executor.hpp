// Private to the runtime: one block being executed.
#pragma once

#include <cstdint>
#include <vector>

#include "modules/support/context.hpp"
#include "modules/system/api.hpp"
#include "runtime/configs.hpp"
#include "runtime/runtime.hpp"

namespace tally::runtime {

// Calls in this order: start, apply…, finish.
class BlockExecutor {
 public:
  BlockExecutor(const StateReader& parent, const BlockInput& input, InvariantChecks checks);
  BlockExecutor(const BlockExecutor&) = delete;
  BlockExecutor& operator=(const BlockExecutor&) = delete;

  Result<void, BlockError> start();
  // The first of these come next, most likely: their accounts are read together.
  void expect(std::span<const CheckedTransaction* const> coming) const;
  // A transaction that fails a pre-dispatch check leaves no trace.
  Result<void, InvalidTransaction> apply(const CheckedTransaction& checked);
  BlockOutcome finish();

 private:
  Result<void, InvalidTransaction> check_room(const Transaction& tx) const;
  void take_room(const Transaction& tx);
  Result<void, InvalidTransaction> charge(const Transaction& tx, Balance fee);
  void check_invariants() const;

  const StateReader& parent_;
  const BlockInput& input_;
  InvariantChecks checks_;
  Configs configs_;
  ConfigSet config_set_;
  Overlay state_;
  BlockContext block_;
  EventSink events_;
  Context ctx_;
  std::vector<TransactionResult> results_;
  std::vector<Hash> hashes_;
  std::uint64_t weight_ = 0;
  std::uint64_t operational_weight_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace tally::runtime
