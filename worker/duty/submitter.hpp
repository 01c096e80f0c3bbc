// One account's extrinsics from several threads: signed one after the other, so that each has a
// nonce of its own, and waited for side by side.
#pragma once

#include <mutex>

#include "client-sdk/chain/client.hpp"

namespace tally::worker {

class Submitter {
 public:
  // `chain` must outlive it.
  Submitter(KeyPair key, client::ChainClient& chain) : key_(std::move(key)), chain_(chain) {}

  // Returns when the extrinsic is final, or will not be.
  client::ClientResult<client::TxOutcome> submit(const Bytes& call, const std::stop_token& stop);
  const KeyPair& key() const { return key_; }
  client::ChainClient& chain() { return chain_; }

 private:
  KeyPair key_;
  client::ChainClient& chain_;
  std::mutex mutex_;  // from taking a nonce until the node has the extrinsic
};

}  // namespace tally::worker
