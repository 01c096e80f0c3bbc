// One account's extrinsics from several threads: signed one after the other, so that each has a
// nonce of its own, and waited for side by side.
#pragma once

#include <mutex>

#include "client-sdk/chain/client.hpp"

namespace tally::client {

class Submitter {
 public:
  // `chain` must outlive it.
  Submitter(KeyPair key, ChainClient& chain) : key_(std::move(key)), chain_(chain) {}

  // Returns when the extrinsic is final, or will not be.
  ClientResult<TxOutcome> submit(const Bytes& call, const std::stop_token& stop);
  const KeyPair& key() const { return key_; }
  ChainClient& chain() { return chain_; }

 private:
  KeyPair key_;
  ChainClient& chain_;
  std::mutex mutex_;  // from taking a nonce until the node has the extrinsic
};

}  // namespace tally::client
