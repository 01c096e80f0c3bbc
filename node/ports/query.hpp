// What a node can be asked, as plain structures: the one interface that the RPC servers serve and
// that the node service implements over its core and its store. No transport types, no protocol
// buffers.
//
// Threads: every function may be called from any thread, several at once. A call returns within a
// bounded time; one that cannot be answered in it fails with `unavailable`. Listeners are called on
// a thread of the node, one at a time for each subscription, and must return at once: they queue.
// What a listener was told of is readable through the same interface before it is told.
//
// Structures that are hashed or signed appear as our own types; a server encodes them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "node/ports/rejection.hpp"
#include "primitives/finality/proof.hpp"
#include "primitives/header.hpp"
#include "primitives/ids.hpp"
#include "primitives/merkle/state_proof.hpp"
#include "primitives/result.hpp"

namespace tally::ports {

enum class QueryErrorCode : std::uint8_t {
  not_found = 0,    // no such block, transaction or certificate
  pruned = 1,       // it existed, and its state is no longer kept
  unavailable = 2,  // too busy, shutting down, or not yet known
};
TALLY_DESCRIBE_ENUM(QueryErrorCode, not_found, pruned, unavailable);

struct QueryError {
  QueryErrorCode code{};
  std::string message;  // what was asked for, what there is, what to do
};

template <class T>
using QueryResult = Result<T, QueryError>;

struct BlockRef {
  BlockNumber number;
  Hash hash;
  friend bool operator==(const BlockRef&, const BlockRef&) = default;
};

struct Head {
  BlockRef block;
  Header header;
};

// Which block a question is about. A number names the finalized block of that height.
struct LatestFinal {
  friend bool operator==(const LatestFinal&, const LatestFinal&) = default;
};
struct LatestBest {  // the highest certified block; its state may still be dropped
  friend bool operator==(const LatestBest&, const LatestBest&) = default;
};
using BlockAt = std::variant<LatestFinal, LatestBest, BlockNumber, Hash>;

struct ChainInfo {
  std::string chain;      // name of the chain spec
  std::string spec_name;  // "tallystick"
  std::uint32_t spec_version{};
  std::uint32_t transaction_version{};
  Hash genesis_hash;
};

struct Heads {
  BlockRef best;
  BlockRef finalized;
  Epoch epoch;
  View view;
};

struct BlockView {
  BlockRef block;
  bool finalized{};
  Header header;
  std::vector<Bytes> extrinsics;  // as submitted
};

// The value of System.Events after the block: SCALE of the list of event records. Kept longer than
// the state; a client that wants proof reads the storage item with a proof while the state is kept.
struct BlockEvents {
  BlockRef block;
  Bytes records;
};

struct TransactionAt {
  BlockRef block;
  bool finalized{};
  std::uint32_t index{};  // within the block
};

struct StateValue {
  Bytes key;
  std::optional<Bytes> value;
  std::optional<StateProof> proof;  // of inclusion or exclusion, when asked for
};

struct StateRead {
  BlockRef block;
  Hash state_root;
  std::vector<StateValue> values;  // in the order of the keys asked for
};

// A walk over the latest finalized state, in key order.
struct ScanRequest {
  Bytes prefix;
  std::optional<Bytes> after;  // the last key of the previous page
  std::uint32_t limit{};       // entries of this page
};
struct ScanPage {
  BlockRef block;
  std::vector<std::pair<Bytes, Bytes>> entries;
  bool more{};
};

struct TxReady {};  // in the pool; executable now or when the nonces before it are
struct TxInBlock {
  TransactionAt at;  // certified, not yet final; may happen again on another block
};
struct TxFinalized {
  TransactionAt at;
};
struct TxRejected {
  Rejection why;
};
struct TxExpired {
  BlockNumber death;  // the first block in which it is not valid
};
using TxStatus = std::variant<TxReady, TxInBlock, TxFinalized, TxRejected, TxExpired>;

struct PeerInfo {
  std::string node_key;  // hex of the Ed25519 node key
  std::string address;   // host:port
  bool inbound{};
  std::optional<std::uint32_t> validator;  // index in the current set, once proved
  std::uint64_t best_number{};             // as the peer says
};

struct SyncInfo {
  bool syncing{};
  BlockNumber current;
  BlockNumber target;  // the highest finalized number that a peer showed
};

struct PoolInfo {
  std::uint64_t transactions{};
  std::uint64_t bytes{};
  std::uint64_t transactions_max{};
  std::uint64_t bytes_max{};
};

struct NodeInfo {
  std::string version;
  std::string node_key;
  std::string role;  // "validator", "full"
  std::optional<std::uint32_t> validator;
};

// What a node is doing, as its operator is told: one state, why, and what to do. Names are part of
// the interface.
enum class NodeState : std::uint8_t {
  starting,          // opens its files, or waits for peers at the start
  syncing_snapshot,  // takes the state of a recent block from peers
  syncing_blocks,    // behind the chain, takes blocks
  listening,         // a validator that watches for another copy of itself before it votes
  validating,        // in the set of this epoch, votes
  following,         // keeps up with the chain and is not in the set of this epoch
  not_voting,        // in the set of this epoch, keeps up, and must not or cannot vote
  stopped,           // cannot go on; the process ends
};
TALLY_DESCRIBE_ENUM(NodeState, starting, syncing_snapshot, syncing_blocks, listening, validating,
                    following, not_voting, stopped);

struct NodeStatus {
  NodeState state{};
  std::string reason;  // a sentence, for every state
  std::string advice;  // what the operator should do; empty: nothing
  TimestampMs since;   // by the node's clock: when it came into this state

  struct Progress {
    std::uint64_t done{};
    std::uint64_t total{};
  };
  std::optional<Progress> progress;  // of syncing, in blocks or chunks; of listening, in ms

  struct Disk {
    std::uint64_t database_bytes{};
    std::uint64_t votes_bytes{};  // vote log and high-water file
    std::uint64_t free_bytes{};   // of the file system that holds the data folder
  };
  Disk disk;
  BlockNumber oldest_state;  // final blocks from here on can be asked for their state
  BlockNumber oldest_block;  // and from here on for their content, the chain's first apart
  std::uint32_t peers{};
  std::uint32_t validator_peers{};  // that proved the key of a member of the set, itself apart
  BlockNumber finalized;
  BlockNumber sync_target;  // the highest finalized number that a peer shows, or may have
};

// Ends when it is destroyed; after that the listener is not called again.
class Subscription {
 public:
  virtual ~Subscription() = default;
};
using SubscriptionPtr = std::unique_ptr<Subscription>;

enum class HeadKind : std::uint8_t { best = 0, finalized = 1 };
using HeadListener = std::function<void(HeadKind, const Head&)>;
using TxListener = std::function<void(const TxStatus&)>;

class Query {
 public:
  virtual ~Query() = default;

  virtual ChainInfo chain_info() const = 0;
  virtual Heads heads() const = 0;
  virtual QueryResult<Head> header(const BlockAt& at) const = 0;
  virtual QueryResult<BlockView> block(const BlockAt& at) const = 0;
  // Of a finalized block; its descendants reach up to the next block that a certificate names.
  virtual QueryResult<FinalityProof> finality_proof(const BlockAt& at) const = 0;
  virtual QueryResult<BlockEvents> events(const BlockAt& at) const = 0;
  virtual QueryResult<TransactionAt> find_transaction(const Hash& extrinsic_hash) const = 0;

  struct ReadRequest {
    std::vector<Bytes> keys;
    BlockAt at;
    bool with_proof{};
  };
  virtual QueryResult<StateRead> read_state(const ReadRequest& request) const = 0;
  virtual QueryResult<ScanPage> scan_state(const ScanRequest& request) const = 0;
  // The account's next nonce, counting what waits in the pool.
  virtual QueryResult<Nonce> next_nonce(const AccountId& account) const = 0;

  // Puts an extrinsic into the pool and gossips it. The hash is that of the bytes as given.
  virtual Result<Hash, Rejection> submit(ByteView extrinsic) = 0;
  // Submits, and tells the listener of every change until finalized, rejected or expired, which is
  // the last call. A refusal at the door is returned, not told. An extrinsic that is already known
  // is watched from where it stands.
  virtual Result<SubscriptionPtr, Rejection> submit_and_watch(ByteView extrinsic,
                                                              TxListener listener) = 0;

  // Every certified head as it becomes the best, and every finalized block without gaps.
  virtual SubscriptionPtr subscribe_heads(HeadListener listener) = 0;

  virtual NodeInfo node_info() const = 0;
  virtual std::vector<PeerInfo> peers() const = 0;
  virtual SyncInfo sync() const = 0;
  virtual PoolInfo pool() const = 0;
  // What needs the disk is a few seconds old at most.
  virtual NodeStatus status() const = 0;
};

}  // namespace tally::ports
