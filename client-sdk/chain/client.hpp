// A client of the chain that verifies instead of trusting: the node is only where bytes come from.
//
// Every finalized header is checked against the validators' signatures, every value of the state
// against the header's state root, every block's extrinsics against its extrinsics root. What
// cannot be proved is not returned, save where a function's name says `unproved`. What a lying node
// can still do is stay silent or show an older final block; `finalized()` therefore never goes
// back.
//
//   auto client = TALLY_TRY(ChainClient::connect({"127.0.0.1:9943"}, trust_root(spec)));
//   Balance free = TALLY_TRY(client->account(alice)).data.free;
//   auto outcome = TALLY_TRY(client->submit(key, call));      // waits until it is final
//
// Calls block, at most for the configured deadlines; they may be made from several threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "client-sdk/chain/trust.hpp"
#include "modules/support/error.hpp"
#include "modules/support/storage.hpp"
#include "modules/system/types.hpp"
#include "primitives/extrinsic.hpp"
#include "primitives/merkle/state_proof.hpp"

namespace tally::client {

enum class ClientErrorKind : std::uint8_t {
  unreachable,  // nobody answers at the endpoint, or not in time
  wrong_chain,  // the node serves another chain or version
  not_proved,   // the answer does not hold: a faulty or lying node
  not_found,
  pruned,    // the node no longer keeps the state asked for
  rejected,  // the pool or a block refused the transaction; `code` says why
  expired,   // the transaction's time is over; it will never be included
  invalid,   // the request itself is wrong
  cancelled,
};
TALLY_DESCRIBE_ENUM(ClientErrorKind, unreachable, wrong_chain, not_proved, not_found, pruned,
                    rejected, expired, invalid, cancelled);

// What an answer that is not_proved, or a chain that is the wrong one, did not pass.
enum class Check : std::uint8_t {
  chain,          // the node names our genesis block
  encoding,       // the answer decodes, and is the one that was asked for
  header,         // the header has the hash and the number that were asked for
  trusted_block,  // the trusted block's number, and that its state names validators
  trust_period,   // what is known of the validators is young enough to judge by
  epoch_proof,    // the end of an epoch: its certificate, and the set that it names
  finality,       // the certificate above the header
  freshness,      // the final block is not too old
  history,        // two nodes' final blocks are on one chain
  state_proof,    // the value is the one under the header's state root
  extrinsics,     // the extrinsics are those of the header
};
TALLY_DESCRIBE_ENUM(Check, chain, encoding, header, trusted_block, trust_period, epoch_proof,
                    finality, freshness, history, state_proof, extrinsics);

struct ClientError {
  ClientErrorKind kind{};
  std::string code;     // the node's stable code where it gave one, else the kind's name
  std::string message;  // what was expected, what came, what to do
  std::optional<Check> check{};
};

template <class T>
using ClientResult = Result<T, ClientError>;

// What a client has received and checked since it connected. Bytes are those of gRPC messages with
// their five bytes of frame, without the headers of HTTP/2, TCP and IP.
struct Traffic {
  std::uint64_t answers{};
  std::uint64_t received{};
  std::uint64_t sent{};
  std::uint64_t signatures{};  // of validators, verified
};

// The end of an epoch, proved: it names the validators of the epoch after the next.
struct EpochLearnt {
  Epoch epoch;
  BlockNumber end;
  std::size_t validators{};  // of the set that it names
  bool set_changed{};        // from the epoch before that one
  std::size_t signatures{};
  std::uint64_t received{};  // bytes of the answer
};

struct ClientConfig {
  std::string endpoint = "127.0.0.1:9943";
  std::uint32_t call_deadline_ms = 10'000;
  std::uint32_t submit_deadline_ms = 120'000;  // from submission to finality
  // What the trust period is judged by; none: the machine's clock.
  std::function<TimestampMs()> now{};
  // Told of every step of the chain of trust, on the thread that asked.
  std::function<void(const EpochLearnt&)> on_epoch{};
};

struct ChainVersion {
  std::string chain;
  std::uint32_t spec_version{};
  std::uint32_t transaction_version{};
};

// A header that was proved final.
struct FinalHead {
  BlockNumber number;
  Hash hash;
  Header header;
};

// A block whose extrinsics match its proved header.
struct FinalBlock {
  FinalHead head;
  std::vector<Bytes> extrinsics;
};

// The events of a block, undecoded: see client-sdk/chain/events.hpp.
struct RawEvents {
  FinalHead head;
  Bytes records;  // the value of System.Events
  bool proved{};
};

struct TxInBlock {
  BlockNumber number;
  Hash block_hash;
  std::uint32_t index{};
};

struct PeerStatus {
  std::string node_key;
  std::string address;
  bool inbound{};
  std::optional<std::uint32_t> validator_index;
  std::uint64_t best_number{};
};

// What a node says of itself: for display, nothing here is proved.
struct NodeStatus {
  std::string version;
  std::string role;
  std::optional<std::uint32_t> validator_index;
  BlockNumber best_number;
  Hash best_hash;
  std::vector<PeerStatus> peers;
  bool syncing{};
  BlockNumber sync_target;
  std::uint64_t pool_transactions{};
  std::uint64_t pool_bytes{};
};

// Progress of a transaction, as the node tells it: for display, nothing here is proved.
struct TxPending {};
using TxProgress = std::variant<TxPending, TxInBlock>;

struct SubmitOptions {
  Balance tip;
  std::uint32_t mortality_blocks = 1'024;
  std::optional<Nonce> nonce;  // none: the node's count of the pool's
  // Of a transaction that was signed before: final when it was, so that it is in a later block.
  BlockNumber above;
  std::function<void(const Hash& extrinsic_hash, const TxProgress&)> on_progress;
  std::stop_token stop;
};

struct SignedExtrinsic {
  Bytes bytes;
  BlockNumber above;  // for SubmitOptions
};

// A transaction that is in a final block, proved. It took effect, or it failed and only cost its
// fee.
struct TxOutcome {
  Hash extrinsic_hash;
  TxInBlock at;
  std::uint64_t finality_ms{};  // from the submission until the client knew
  RawEvents events;             // of the whole block
  std::optional<DispatchError> failure;
};

// What a follower is given for every finalized block, in order, without gaps.
struct FollowedBlock {
  FinalHead head;
  RawEvents events;
};

class ChainClient {
 public:
  // Asks the node who it is, and refuses another chain than the root's.
  static ClientResult<std::unique_ptr<ChainClient>> connect(const ClientConfig& config,
                                                            TrustRoot root);
  ~ChainClient();
  ChainClient(const ChainClient&) = delete;
  ChainClient& operator=(const ChainClient&) = delete;

  const ChainVersion& version() const;
  const TrustRoot& root() const;
  const std::string& endpoint() const;

  // The newest final block, proved; never older than one that was returned before, nor than the end
  // of the last epoch that is proved to be over: not_proved (freshness) then.
  ClientResult<FinalHead> finalized();
  // The same for a client that counts bytes: one call, whose answer is the proof. The head that
  // the node shows, even where an older one than before; not_proved (freshness) when its time is
  // more than max_age behind this client's clock or behind what it proved before. None: any age.
  ClientResult<FinalHead> newest(std::optional<DurationMs> max_age);
  ClientResult<FinalHead> finalized_at(BlockNumber number);
  ClientResult<FinalBlock> block(BlockNumber number);
  // Where a transaction is, checked to be in that final block.
  ClientResult<TxInBlock> find_transaction(const Hash& extrinsic_hash);

  // Values at the newest final block, or at one that was proved final, each with its proof checked.
  ClientResult<std::vector<std::optional<Bytes>>> read(const std::vector<Bytes>& keys);
  ClientResult<std::vector<std::optional<Bytes>>> read_at(const FinalHead& at,
                                                          const std::vector<Bytes>& keys);
  // A typed storage item: client.read_item(channels::kChannels, id).
  template <class Item, class... Keys>
  ClientResult<std::optional<typename Item::Value>> read_item(const Item& item,
                                                              const Keys&... keys) {
    auto values = TALLY_TRY(read({to_bytes(item.key(keys...))}));
    return decode_item<typename Item::Value>(values.front());
  }
  ClientResult<system::AccountInfo> account(const AccountId& account);
  // Entries under a prefix at the newest final block; each is proved, that none is missing is not.
  ClientResult<std::vector<std::pair<Bytes, Bytes>>> scan(const Bytes& prefix);

  // The events of a final block, proved; `pruned` where the node keeps the block's state no longer.
  ClientResult<RawEvents> events(const FinalHead& head);
  // The same, and then the node's word, with `proved` false: to be shown, not to be acted on.
  ClientResult<RawEvents> events_unproved(const FinalHead& head);

  // Signs, submits, and waits until the transaction is final. A refusal, an expiry, a deadline or a
  // stop is an error; a call that failed in its block is an outcome.
  ClientResult<TxOutcome> submit(const KeyPair& key, const Bytes& call,
                                 const SubmitOptions& options = {});
  // Signs only: the bytes for submit_signed().
  ClientResult<SignedExtrinsic> sign(const KeyPair& key, const Bytes& call,
                                     const SubmitOptions& options = {});
  ClientResult<TxOutcome> submit_signed(const Bytes& extrinsic, const SubmitOptions& options = {});
  ClientResult<Nonce> next_nonce(const AccountId& account);

  ClientResult<NodeStatus> node_status();

  // Calls on_block for every final block from `from` on, until it returns false or `stop` asks. The
  // error is `pruned` where the node does not prove a block's events, and those that it would have
  // shown are missed: what came of them stands in the state.
  using OnBlock = std::function<bool(const FollowedBlock&)>;
  ClientResult<void> follow(BlockNumber from, std::stop_token stop, const OnBlock& on_block);
  // The same with events_unproved().
  ClientResult<void> follow_unproved(BlockNumber from, std::stop_token stop,
                                     const OnBlock& on_block);

  // Begins the chain of trust at a block that the user trusts by its hash, instead of at genesis:
  // the validators of its epoch and of the next come from its state, proved. The node must still
  // keep that state, and the block must not be older than the trust period. Finality of blocks of
  // earlier epochs can then not be checked.
  ClientResult<FinalHead> trust_block(const Hash& hash);
  // The chain has come this far at least, as the ends of epochs prove.
  BlockNumber reached() const;
  // Up to which epoch the validators are known.
  Epoch known_epoch() const;
  Traffic traffic() const;
  // The block that the chain of trust began at; genesis when nobody named one.
  Hash trust_start() const;
  // The chain of trust as learnt so far, for the next start.
  Bytes save_trust() const;
  bool restore_trust(ByteView saved);

  struct Impl;

 private:
  explicit ChainClient(std::unique_ptr<Impl> impl);
  template <class Value>
  static ClientResult<std::optional<Value>> decode_item(const std::optional<Bytes>& bytes) {
    if (!bytes) return std::optional<Value>();
    auto value = decode<Value>(*bytes);
    if (!value.ok()) return fail(undecodable(value.error()));
    return std::optional<Value>(*std::move(value));
  }
  static ClientError undecodable(const DecodeError& error);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tally::client
