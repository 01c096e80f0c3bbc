// What a worker signs when it has done a task: the requester pays against it, its hash goes into
// the channel's receipts (a Merkle mountain range whose root both sign), and a dispute begins with
// it.
//
//   signed bytes  "tallystick/receipt/v1" ‖ SCALE(receipt)
//   receipt hash  blake2_256 of the same bytes
#pragma once

#include "client-sdk/task/specs.hpp"
#include "primitives/crypto/sign.hpp"
#include "primitives/ids.hpp"

namespace tally::task {

// A receipt whose times are further from the requester's clock could escape a dispute.
constexpr DurationMs kReceiptTolerance{60'000};

struct Receipt {
  Hash genesis_hash;
  AccountId worker;
  AccountId requester;
  ChannelId channel_id;
  std::uint64_t task_id{};
  TaskType type{};
  Hash environment;  // of the executors' build contract: kEnvironment
  Hash spec_hash;    // blake2_256
  Hash input_hash;   // blake2_256
  Hash output_hash;  // client-sdk/task/output.hpp
  Balance price;
  std::uint64_t metered_units{};
  TimestampMs started_ms;
  TimestampMs finished_ms;
  friend bool operator==(const Receipt&, const Receipt&) = default;
};
TALLY_DESCRIBE(Receipt, genesis_hash, worker, requester, channel_id, task_id, type, environment,
               spec_hash, input_hash, output_hash, price, metered_units, started_ms, finished_ms);

struct SignedReceipt {
  Receipt receipt;
  MultiSignature signature;
  friend bool operator==(const SignedReceipt&, const SignedReceipt&) = default;
};
TALLY_DESCRIBE(SignedReceipt, receipt, signature);

// blake2_256("tallystick/executors/v1"): what "exact" means for the types of specs.hpp. A change of
// any output's bits is a new environment.
Hash executor_environment();

Hash receipt_hash(const Receipt& receipt);
SignedReceipt sign_receipt(const KeyPair& worker, const Receipt& receipt);
bool receipt_signature_is_valid(const SignedReceipt& receipt);

// Compares what came with what was agreed: every field but the times and the signature's bytes. The
// error names the first field that differs, with both values. `agreed.started_ms` is when the task
// was sent: the receipt's start may not be before it, nor its end far from `now`, by more than
// kReceiptTolerance.
Result<void, Error> check_receipt(const SignedReceipt& signed_receipt, const Receipt& agreed,
                                  TimestampMs now);

}  // namespace tally::task
