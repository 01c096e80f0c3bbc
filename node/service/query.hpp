// The Query port over a running node: final things straight from the store on the caller's thread,
// the rest on the core thread, through its inbox.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>

#include "genesis/chain_spec.hpp"
#include "node/core/node_core.hpp"
#include "node/execution/application.hpp"
#include "node/network/transport.hpp"
#include "node/ports/query.hpp"
#include "node/service/inbox.hpp"
#include "node/service/subscriptions.hpp"
#include "node/txpool/pool.hpp"

namespace tally::service {

// What the core thread shows of itself after each turn.
struct Snapshot {
  ports::Head best;
  ports::BlockRef finalized;
  Epoch epoch;
  View view;
  BlockNumber best_seen;
  ports::PoolInfo pool;
  std::vector<core::PeerStatus> peers;
  std::shared_ptr<const ValidatorSet> set;  // of the epoch; shared, since it stays for all of it
  std::optional<std::uint32_t> validator;   // this node's place in it
  ports::NodeStatus status;                 // without what the disk says
};

class NodeQuery final : public ports::Query {
 public:
  struct Parts {
    const genesis::ChainSpec& spec;
    Hash genesis_hash;
    ports::NodeInfo info;  // without the place in the set, which changes
    const ports::Store& store;
    std::filesystem::path base_path;
    const network::Transport& transport;
    Inbox& inbox;
    Subscriptions& subscriptions;
    // Core thread only.
    core::NodeCore& core;
    txpool::TxPool& pool;
    const execution::ChainApplication& application;
  };
  explicit NodeQuery(Parts parts) : parts_(std::move(parts)), history_(parts_.store) {}

  void publish(Snapshot snapshot);  // core thread
  Snapshot snapshot() const;

  ports::ChainInfo chain_info() const override;
  ports::Heads heads() const override;
  ports::QueryResult<ports::Head> header(const ports::BlockAt& at) const override;
  ports::QueryResult<ports::BlockView> block(const ports::BlockAt& at) const override;
  ports::QueryResult<FinalityProof> finality_proof(const ports::BlockAt& at) const override;
  ports::QueryResult<ports::BlockEvents> events(const ports::BlockAt& at) const override;
  ports::QueryResult<ports::TransactionAt> find_transaction(
      const Hash& extrinsic_hash) const override;
  ports::QueryResult<ports::StateRead> read_state(const ReadRequest& request) const override;
  ports::QueryResult<ports::ScanPage> scan_state(const ports::ScanRequest& request) const override;
  ports::QueryResult<Nonce> next_nonce(const AccountId& account) const override;
  Result<Hash, ports::Rejection> submit(ByteView extrinsic) override;
  Result<ports::SubscriptionPtr, ports::Rejection> submit_and_watch(
      ByteView extrinsic, ports::TxListener listener) override;
  ports::SubscriptionPtr subscribe_heads(ports::HeadListener listener) override;
  ports::NodeInfo node_info() const override;
  std::vector<ports::PeerInfo> peers() const override;
  ports::SyncInfo sync() const override;
  ports::PoolInfo pool() const override;
  ports::NodeStatus status() const override;

 private:
  // A block that is here, with where it stands.
  struct Found {
    ports::BlockRef ref;
    bool finalized = false;
    Block block;
  };
  ports::QueryResult<Found> find(const ports::BlockAt& at) const;
  ports::QueryResult<Hash> resolve(const ports::BlockAt& at) const;
  std::optional<EpochProof> epoch_end(const ports::BlockAt& at) const;
  Failure<ports::QueryError> pruned(const std::string& what) const;
  ports::QueryResult<ports::StateRead> read_final(const ReadRequest& request,
                                                  const Found& found) const;
  ports::QueryResult<ports::StateRead> read_pending(const ReadRequest& request,
                                                    const Found& found) const;
  // Runs it on the core thread and waits; nothing when the node is too busy or stopping.
  template <class T>
  std::optional<T> ask(std::function<T()> question) const;
  void tell_where_it_stands(const Hash& extrinsic) const;  // core thread

  Parts parts_;
  execution::History history_;
  mutable std::mutex mutex_;
  Snapshot snapshot_;
  mutable std::mutex disk_mutex_;
  mutable std::optional<std::chrono::steady_clock::time_point> disk_read_;
  mutable ports::NodeStatus::Disk disk_;
};

}  // namespace tally::service
