// What a worker signs when it has done a task: the requester pays against it, its hash goes into
// the channel's receipts (a Merkle mountain range whose root both sign), and a dispute begins with
// it.
//
//   signed bytes  "tallystick/receipt/v1" ‖ SCALE(receipt)
//   receipt hash  blake2_256 of the same bytes
#pragma once

#include "primitives/crypto/sign.hpp"
#include "primitives/ids.hpp"
#include "primitives/task/price.hpp"

namespace tally::task {

struct Receipt {
  Hash genesis_hash;
  AccountId worker;
  AccountId requester;
  ChannelId channel_id;
  std::uint64_t task_id{};
  TaskType type{};
  Hash environment;  // of the executors' build contract: executor_environment()
  Hash spec_hash;    // blake2_256
  Hash input_hash;   // blake2_256
  Hash output_hash;  // client-sdk/task/output.hpp
  Balance price;
  std::uint64_t metered_units{};
  TimestampMs started_ms;  // of the worker's clock
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

Hash receipt_hash(const Receipt& receipt);
SignedReceipt sign_receipt(const KeyPair& worker, const Receipt& receipt);
bool receipt_signature_is_valid(const SignedReceipt& receipt);

}  // namespace tally::task
