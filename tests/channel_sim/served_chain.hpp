// The channels module behind a real gRPC server, for tests of what talks to a chain: one extrinsic
// a block, final at once, with nonces, mortality and events as the runtime has them; the blocks
// themselves are rpc/testing's. No fees, no consensus.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "client-sdk/chain/client.hpp"
#include "rpc/server.hpp"
#include "rpc/testing/fake_chain.hpp"
#include "runtime/events.hpp"
#include "runtime/transaction.hpp"
#include "tests/channel_sim/chain.hpp"

namespace tally::channel_sim {

class ServedChain {
 public:
  // Every account starts with so much.
  explicit ServedChain(const std::vector<KeyPair>& accounts, Balance each = Balance(100'000'000));

  // A client with this patience for a submission.
  std::unique_ptr<client::ChainClient> connect(std::uint32_t submit_deadline_ms = 10'000);

  // While held back, what is submitted waits in the pool; release() includes it, or throws it away
  // (a node that lost its pool).
  void hold_back();
  void release(bool include = true);
  // The next submissions are turned away by the pool.
  void refuse(bool refused);
  // Until it is told otherwise the node shows this block as its newest, as one that lags does.
  void show_up_to(std::optional<BlockNumber> newest);
  BlockNumber newest() const { return served_.heads().finalized.number; }
  // The events of later blocks do not decode.
  void garble_events(bool garbled);
  // Requests that read the state, so far.
  std::size_t state_reads() const { return state_reads_; }
  // An open in a block of its own that no client of this account knows of, and without a nonce.
  void open_behind_its_back(const KeyPair& opener, const AccountId& counterparty, Balance deposit);
  // Blocks without extrinsics; chain time goes by.
  void blocks(int count, DurationMs each = DurationMs(100));
  // Blocks until the channel is gone; false after a generous number.
  bool settle(const ChannelId& id);

  // What was applied, by name, in order; what failed in a block, with a '!' in front.
  std::vector<std::string> calls() const;
  std::vector<channels::ChannelClosed> closed() const;
  std::size_t submissions() const { return served_.submitted().size(); }
  std::optional<channels::Channel> channel(const ChannelId& id) const;
  Balance wealth(const AccountId& account) const;
  Balance held(const AccountId& account) const;
  Hash genesis_hash() const { return served_.genesis_hash(); }

 private:
  void on_submit(const Bytes& extrinsic);
  void include(const Bytes& extrinsic);
  void publish(std::vector<runtime::EventRecord> records, const std::vector<Bytes>& extrinsics);
  void note(const channels::Event& event);

  mutable std::recursive_mutex mutex_;
  testing::FakeChain served_;
  std::unique_ptr<TestChain> chain_;
  std::map<Bytes, Bytes> published_;
  std::map<AccountId, std::uint32_t> nonces_;
  std::vector<Bytes> pool_;
  bool held_back_ = false;
  bool garbled_ = false;
  std::atomic<std::size_t> state_reads_ = 0;
  std::vector<std::string> calls_;
  std::vector<channels::ChannelClosed> closed_;
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace tally::channel_sim
