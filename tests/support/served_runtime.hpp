// The whole runtime behind a real gRPC server, for tests of what talks to a chain: one extrinsic a
// block, final at once, with fees, nonces, mortality and events as the runtime has them. The blocks
// and their proofs are rpc/testing's. No consensus.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "client-sdk/chain/client.hpp"
#include "genesis/test_chain.hpp"
#include "rpc/server.hpp"
#include "rpc/testing/fake_chain.hpp"

namespace tally::tests {

class ServedRuntime {
 public:
  explicit ServedRuntime(const genesis::ChainSpec& spec);

  std::unique_ptr<client::ChainClient> connect();

  // Applies calls in blocks that nobody is shown until the last; none may be refused.
  void apply(const KeyPair& key, const std::vector<runtime::RuntimeCall>& calls);
  // Blocks without extrinsics.
  void blocks(int count);
  MapState state() const {
    const std::lock_guard lock(mutex_);
    return chain_.state();
  }
  std::size_t included() const;  // extrinsics, of whatever outcome

 private:
  void on_submit(const Bytes& extrinsic);
  void include(const Bytes& extrinsic);
  void publish(const runtime::BlockOutcome& outcome, const std::vector<Bytes>& extrinsics);
  runtime::BlockOutcome execute(const std::vector<Bytes>& extrinsics);

  mutable std::recursive_mutex mutex_;
  testing::FakeChain served_;
  genesis::TestChain chain_;
  testing::FakeChain::Changes waiting_;  // not published yet
  std::size_t included_ = 0;
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace tally::tests
