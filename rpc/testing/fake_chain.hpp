// A chain in memory for tests of what stands above ports::Query: real headers, signatures, state
// roots and proofs, made by a test one block at a time, and a way to lie about each of them.
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <vector>

#include "node/ports/query.hpp"
#include "primitives/extrinsic.hpp"
#include "rpc/testing/knob.hpp"

namespace tally::testing {

class FakeChain final : public ports::Query {
 public:
  // The validators are of equal weight; the set stays the same through all epochs unless `members`
  // says otherwise.
  explicit FakeChain(std::size_t validators = 4, std::uint32_t epoch_blocks = 5);

  // What a client may believe.
  // Its blocks are a tenth of a second apart from here on.
  static constexpr TimestampMs kGenesisTime{1'700'000'000'000};

  Hash genesis_hash() const { return genesis_hash_; }
  Hash genesis_state_root() const {
    const std::lock_guard lock(mutex_);
    return blocks_[0].header.state_root;
  }
  const ValidatorSet& validators() const { return set_; }
  // Who validates in an epoch from the third on, by the numbers of their keys.
  Knob<std::function<std::vector<std::size_t>(Epoch)>> members;
  ValidatorSet set_in(Epoch epoch) const;
  // The statement, signed by the keys of these numbers, as a certificate of a set of just them.
  Finalization sign_as(const std::vector<std::size_t>& numbers, const Statement& statement) const;
  std::uint32_t epoch_blocks() const { return epoch_blocks_; }

  using Changes = std::map<Bytes, std::optional<Bytes>>;
  // Appends a block that is final at once, and tells the subscribers.
  ports::BlockRef add_block(const Changes& changes = {}, std::vector<Bytes> extrinsics = {});
  // A best head that never becomes final.
  void announce_best(const Header& header);
  // What has been submitted and watched, and how it goes on.
  std::vector<Bytes> submitted() const;
  void tell(const Hash& extrinsic, const ports::TxStatus& status);
  std::size_t subscribers() const;
  // Waits for subscribers to come or go; false after a generous while.
  bool wait_for_subscribers(std::size_t count) const;

  // Lies: each changes an answer on its way out.
  Knob<std::function<void(Header&)>> lie_in_header;
  Knob<std::function<void(ports::BlockView&)>> lie_in_block;
  Knob<std::function<void(FinalityProof&)>> lie_in_proof;
  Knob<std::function<void(ports::StateRead&)>> lie_in_state;
  Knob<std::function<void(ports::ScanPage&)>> lie_in_scan;
  Knob<std::optional<ports::QueryError>> state_error;
  Knob<BlockNumber> keeps_from;  // headers below are gone
  Knob<std::optional<ports::Rejection>> refuse_submissions;
  // What a pool would add to the state's nonce.
  Knob<std::function<std::optional<Nonce>(const AccountId&)>> pooled_nonce;
  // Called with every watched extrinsic, on the submitter's thread, after it is known.
  Knob<std::function<void(const Bytes&)>> on_submit;

  ports::ChainInfo chain_info() const override;
  ports::Heads heads() const override;
  ports::QueryResult<ports::Head> header(const ports::BlockAt& at) const override;
  ports::QueryResult<ports::BlockView> block(const ports::BlockAt& at) const override;
  ports::QueryResult<FinalityProof> finality_proof(const ports::BlockAt& at) const override;
  ports::QueryResult<ports::BlockEvents> events(const ports::BlockAt& at) const override;
  ports::QueryResult<ports::TransactionAt> find_transaction(const Hash& hash) const override;
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
  struct Stored {
    Header header;
    Hash hash;
    std::vector<Bytes> extrinsics;
    std::map<Bytes, Bytes> state;
    Finalization finalization;
  };
  struct HeadSubscription;
  struct TxSubscription;

  ports::QueryResult<const Stored*> find(const ports::BlockAt& at) const;
  Finalization certify(const Hash& hash, const ConsensusDigest& digest) const;

  mutable std::recursive_mutex mutex_;
  mutable std::condition_variable_any subscribed_;
  std::vector<std::size_t> members_in(Epoch epoch) const;

  ValidatorSet set_;
  std::uint32_t epoch_blocks_;
  Hash genesis_hash_;
  std::vector<Stored> blocks_;  // by height
  std::vector<Bytes> submitted_;
  std::list<ports::HeadListener*> head_listeners_;
  std::list<std::pair<Hash, ports::TxListener*>> tx_listeners_;
};

}  // namespace tally::testing
