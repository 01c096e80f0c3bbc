// What the requester's side does with a receipt (primitives/task/receipt.hpp) before it pays.
#pragma once

#include "client-sdk/task/specs.hpp"
#include "primitives/task/receipt.hpp"

namespace tally::task {

// A receipt whose times are further from the requester's clock could escape a dispute.
constexpr DurationMs kReceiptTolerance{60'000};

// Compares what came with what was agreed: every field but the times and the signature's bytes. The
// error names the first field that differs, with both values. `agreed.started_ms` is when the task
// was sent: the receipt's start may not be before it, nor its end far from `now`, by more than
// kReceiptTolerance.
Result<void, Error> check_receipt(const SignedReceipt& signed_receipt, const Receipt& agreed,
                                  TimestampMs now);

}  // namespace tally::task
