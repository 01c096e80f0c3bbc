#include "rpc/testing/fake_chain.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>

#include "modules/system/storage.hpp"
#include "primitives/crypto/vrf.hpp"
#include "primitives/merkle/merkle.hpp"
#include "runtime/events.hpp"
#include "runtime/tree/tree.hpp"

namespace tally::testing {

namespace {

constexpr std::uint64_t kBlockTimeMs = 100;

Secret secret_of(std::size_t index, std::uint8_t purpose) {
  std::array<std::uint8_t, 32> bytes{};
  bytes[0] = static_cast<std::uint8_t>(index + 1);
  bytes[1] = purpose;
  return Secret(bytes);
}

ValidatorSet set_of(const std::vector<std::size_t>& numbers) {
  ValidatorSet set;
  for (const std::size_t number : numbers) {
    const Ed25519Key key = ed25519_public(secret_of(number, 0));
    TALLY_ASSERT(
        set.members.push_back({key, vrf_public(secret_of(number, 1)), account_of(key), 1}));
  }
  return set;
}

class TreeNodes final : public tree::NodeReader {
 public:
  explicit TreeNodes(const tree::Update& update) {
    for (const auto& written : update.nodes) nodes_.emplace(written.key, written.node);
  }
  std::shared_ptr<const tree::Node> read(const tree::NodeKey& key) const override {
    const auto found = nodes_.find(key);
    return found == nodes_.end() ? nullptr : found->second;
  }

 private:
  std::map<tree::NodeKey, std::shared_ptr<const tree::Node>> nodes_;
};

}  // namespace

struct FakeChain::HeadSubscription final : ports::Subscription {
  FakeChain& chain;
  ports::HeadListener listener;
  HeadSubscription(FakeChain& of, ports::HeadListener given)
      : chain(of), listener(std::move(given)) {
    const std::lock_guard lock(chain.mutex_);
    chain.head_listeners_.push_back(&listener);
    chain.subscribed_.notify_all();
  }
  ~HeadSubscription() override {
    const std::lock_guard lock(chain.mutex_);
    chain.head_listeners_.remove(&listener);
    chain.subscribed_.notify_all();
  }
};

struct FakeChain::TxSubscription final : ports::Subscription {
  FakeChain& chain;
  ports::TxListener listener;
  TxSubscription(FakeChain& of, const Hash& hash, ports::TxListener given)
      : chain(of), listener(std::move(given)) {
    const std::lock_guard lock(chain.mutex_);
    chain.tx_listeners_.emplace_back(hash, &listener);
    chain.subscribed_.notify_all();
  }
  ~TxSubscription() override {
    const std::lock_guard lock(chain.mutex_);
    chain.tx_listeners_.remove_if([this](const auto& entry) { return entry.second == &listener; });
    chain.subscribed_.notify_all();
  }
};

FakeChain::FakeChain(std::size_t validators, std::uint32_t epoch_blocks)
    : epoch_blocks_(epoch_blocks) {
  std::vector<std::size_t> numbers(validators);
  std::iota(numbers.begin(), numbers.end(), 0);
  set_ = set_of(numbers);
  Stored genesis;
  genesis.header.state_root = tree::state_root(genesis.state);
  genesis.hash = block_hash(genesis.header);
  genesis_hash_ = genesis.hash;
  blocks_.push_back(std::move(genesis));
}

std::vector<std::size_t> FakeChain::members_in(Epoch epoch) const {
  const auto named = members.get();
  if (named && epoch > Epoch(2)) return named(epoch);
  std::vector<std::size_t> numbers(set_.size());
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

ValidatorSet FakeChain::set_in(Epoch epoch) const {
  return set_of(members_in(epoch));
}

Finalization FakeChain::sign_as(const std::vector<std::size_t>& numbers,
                                const Statement& statement) const {
  const Bytes message = statement_bytes(genesis_hash_, statement);
  std::vector<Vote> votes;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    votes.push_back({statement, ValidatorIndex(static_cast<std::uint16_t>(i)),
                     ed25519_sign(secret_of(numbers[i], 0), message)});
  }
  return make_certificate(votes, set_of(numbers));
}

Finalization FakeChain::certify(const Hash& hash, const ConsensusDigest& digest) const {
  return sign_as(members_in(digest.epoch), {digest.epoch, VoteKind::finalize, digest.view, hash});
}

ports::BlockRef FakeChain::add_block(const Changes& changes, std::vector<Bytes> extrinsics) {
  const std::lock_guard lock(mutex_);
  const Stored& parent = blocks_.back();
  Stored next;
  next.state = parent.state;
  for (const auto& [key, value] : changes) {
    if (value) next.state.insert_or_assign(key, *value);
    if (!value) next.state.erase(key);
  }
  const std::uint32_t number = parent.header.number.value.value + 1;
  const std::uint64_t epoch = (number - 1) / epoch_blocks_ + 1;
  const ConsensusDigest digest{Epoch(epoch), View(number - (epoch - 1) * epoch_blocks_),
                               TimestampMs(kGenesisTime.value + number * kBlockTimeMs), VrfProof{}};
  std::vector<Hash> leaves;
  for (const Bytes& extrinsic : extrinsics) leaves.push_back(extrinsic_hash(extrinsic));
  next.header.parent_hash = parent.hash;
  next.header.number = {BlockNumber(number)};
  next.header.state_root = tree::state_root(next.state);
  next.header.extrinsics_root = merkle_root(leaves);
  next.header.digest.push_back(make_consensus_digest(digest));
  if (number % epoch_blocks_ == 0) {
    next.header.digest.push_back(make_set_item(set_in(Epoch(epoch + 2))));
  }
  next.hash = block_hash(next.header);
  next.extrinsics = std::move(extrinsics);
  next.finalization = certify(next.hash, digest);
  blocks_.push_back(std::move(next));
  const ports::Head head{{BlockNumber(number), blocks_.back().hash}, blocks_.back().header};
  for (const auto kind : {ports::HeadKind::best, ports::HeadKind::finalized}) {
    for (ports::HeadListener* listener : head_listeners_) (*listener)(kind, head);
  }
  return head.block;
}

void FakeChain::announce_best(const Header& header) {
  const std::lock_guard lock(mutex_);
  const ports::Head head{{header.number.value, block_hash(header)}, header};
  for (ports::HeadListener* listener : head_listeners_) (*listener)(ports::HeadKind::best, head);
}

std::vector<Bytes> FakeChain::submitted() const {
  const std::lock_guard lock(mutex_);
  return submitted_;
}

void FakeChain::tell(const Hash& extrinsic, const ports::TxStatus& status) {
  const std::lock_guard lock(mutex_);
  for (const auto& [hash, listener] : tx_listeners_) {
    if (hash == extrinsic) (*listener)(status);
  }
}

std::size_t FakeChain::subscribers() const {
  const std::lock_guard lock(mutex_);
  return head_listeners_.size() + tx_listeners_.size();
}

bool FakeChain::wait_for_subscribers(std::size_t count) const {
  std::unique_lock lock(mutex_);
  return subscribed_.wait_for(lock, std::chrono::seconds(20),
                              [&] { return subscribers() == count; });
}

ports::QueryResult<const FakeChain::Stored*> FakeChain::find(const ports::BlockAt& at) const {
  if (const auto* number = std::get_if<BlockNumber>(&at)) {
    if (number->value < blocks_.size()) return &blocks_[number->value];
  } else if (const auto* hash = std::get_if<Hash>(&at)) {
    for (const Stored& stored : blocks_) {
      if (stored.hash == *hash) return &stored;
    }
  } else {
    return &blocks_.back();
  }
  return fail(ports::QueryError{ports::QueryErrorCode::not_found, "no such block"});
}

ports::ChainInfo FakeChain::chain_info() const {
  return {"fake", "tallystick", 1, 1, genesis_hash_};
}

ports::Heads FakeChain::heads() const {
  const std::lock_guard lock(mutex_);
  const ports::BlockRef last{blocks_.back().header.number.value, blocks_.back().hash};
  return {last, last, Epoch(1), View(1)};
}

ports::QueryResult<ports::Head> FakeChain::header(const ports::BlockAt& at) const {
  const std::lock_guard lock(mutex_);
  const Stored& stored = *TALLY_TRY(find(at));
  if (stored.header.number.value < keeps_from.get()) {
    return fail(ports::QueryError{ports::QueryErrorCode::pruned, "gone"});
  }
  ports::Head head{{stored.header.number.value, stored.hash}, stored.header};
  if (const auto lie = lie_in_header.get()) lie(head.header);
  return head;
}

ports::QueryResult<ports::BlockView> FakeChain::block(const ports::BlockAt& at) const {
  const std::lock_guard lock(mutex_);
  const Stored& stored = *TALLY_TRY(find(at));
  ports::BlockView view{
      {stored.header.number.value, stored.hash}, true, stored.header, stored.extrinsics};
  if (const auto lie = lie_in_block.get()) lie(view);
  return view;
}

ports::QueryResult<FinalityProof> FakeChain::finality_proof(const ports::BlockAt& at) const {
  const std::lock_guard lock(mutex_);
  const Stored& stored = *TALLY_TRY(find(at));
  FinalityProof proof{stored.header, {}, stored.finalization};
  if (const auto lie = lie_in_proof.get()) lie(proof);
  return proof;
}

ports::QueryResult<ports::BlockEvents> FakeChain::events(const ports::BlockAt& at) const {
  const std::lock_guard lock(mutex_);
  const Stored& stored = *TALLY_TRY(find(at));
  const auto found = stored.state.find(to_bytes(runtime::kEvents.key()));
  return ports::BlockEvents{{stored.header.number.value, stored.hash},
                            found == stored.state.end() ? Bytes{0} : found->second};
}

ports::QueryResult<ports::TransactionAt> FakeChain::find_transaction(const Hash& hash) const {
  const std::lock_guard lock(mutex_);
  for (const Stored& stored : blocks_) {
    for (std::size_t i = 0; i < stored.extrinsics.size(); ++i) {
      if (extrinsic_hash(stored.extrinsics[i]) != hash) continue;
      return ports::TransactionAt{
          {stored.header.number.value, stored.hash}, true, static_cast<std::uint32_t>(i)};
    }
  }
  return fail(ports::QueryError{ports::QueryErrorCode::not_found, "no such transaction"});
}

ports::QueryResult<ports::StateRead> FakeChain::read_state(const ReadRequest& request) const {
  const std::lock_guard lock(mutex_);
  if (auto error = state_error.get()) return fail(*std::move(error));
  const Stored& stored = *TALLY_TRY(find(request.at));
  const tree::Update built = tree::build(BlockNumber(0), stored.state);
  const TreeNodes nodes(built);
  ports::StateRead answer{{stored.header.number.value, stored.hash}, stored.header.state_root, {}};
  for (const Bytes& key : request.keys) {
    ports::StateValue value{key, std::nullopt, std::nullopt};
    const auto found = stored.state.find(key);
    if (found != stored.state.end()) value.value = found->second;
    if (request.with_proof) value.proof = *tree::prove(nodes, built.root, state_key_hash(key));
    answer.values.push_back(std::move(value));
  }
  if (const auto lie = lie_in_state.get()) lie(answer);
  return answer;
}

ports::QueryResult<ports::ScanPage> FakeChain::scan_state(const ports::ScanRequest& request) const {
  const std::lock_guard lock(mutex_);
  const Stored& stored = blocks_.back();
  ports::ScanPage page{{stored.header.number.value, stored.hash}, {}, false};
  auto entry = request.after ? stored.state.upper_bound(*request.after)
                             : stored.state.lower_bound(request.prefix);
  for (; entry != stored.state.end(); ++entry) {
    const bool inside =
        entry->first.size() >= request.prefix.size() &&
        std::equal(request.prefix.begin(), request.prefix.end(), entry->first.begin());
    if (!inside) break;
    if (page.entries.size() == request.limit) {
      page.more = true;
      break;
    }
    page.entries.emplace_back(*entry);
  }
  if (const auto lie = lie_in_scan.get()) lie(page);
  return page;
}

ports::QueryResult<Nonce> FakeChain::next_nonce(const AccountId& account) const {
  if (const auto pooled = pooled_nonce.get()) {
    if (const auto nonce = pooled(account)) return *nonce;
  }
  const std::lock_guard lock(mutex_);
  const auto found = blocks_.back().state.find(to_bytes(system::kAccount.key(account)));
  if (found == blocks_.back().state.end()) return Nonce(0);
  return decode<system::AccountInfo>(found->second)->nonce;
}

Result<Hash, ports::Rejection> FakeChain::submit(ByteView extrinsic) {
  const std::lock_guard lock(mutex_);
  if (auto refusal = refuse_submissions.get()) return fail(*std::move(refusal));
  submitted_.push_back(to_bytes(extrinsic));
  return extrinsic_hash(extrinsic);
}

Result<ports::SubscriptionPtr, ports::Rejection> FakeChain::submit_and_watch(
    ByteView extrinsic, ports::TxListener listener) {
  const Hash hash = TALLY_TRY(submit(extrinsic));
  ports::SubscriptionPtr subscription =
      std::make_unique<TxSubscription>(*this, hash, std::move(listener));
  if (const auto told = on_submit.get()) told(to_bytes(extrinsic));
  return subscription;
}

ports::SubscriptionPtr FakeChain::subscribe_heads(ports::HeadListener listener) {
  return std::make_unique<HeadSubscription>(*this, std::move(listener));
}

ports::NodeInfo FakeChain::node_info() const {
  return {"0.1.0-fake", "00", "full", std::nullopt};
}
std::vector<ports::PeerInfo> FakeChain::peers() const {
  return {{"ab", "127.0.0.1:1", true, 2u, 7}};
}
ports::SyncInfo FakeChain::sync() const {
  return {true, BlockNumber(1), BlockNumber(9)};
}
ports::PoolInfo FakeChain::pool() const {
  return {3, 400, 16'384, 32u << 20};
}

ports::NodeStatus FakeChain::status() const {
  ports::NodeStatus out;
  out.state = ports::NodeState::syncing_blocks;
  out.reason = "is at block 5 and a peer shows block 9";
  out.advice = "wait";
  out.since = TimestampMs(1'000);
  out.progress = ports::NodeStatus::Progress{5, 9};
  out.disk = {100, 20, 3'000};
  out.oldest_state = BlockNumber(2);
  out.oldest_block = BlockNumber(1);
  out.peers = 3;
  out.validator_peers = 2;
  out.finalized = BlockNumber(5);
  out.sync_target = BlockNumber(9);
  return out;
}

}  // namespace tally::testing
