#include "client-sdk/chain/client.hpp"

#include <algorithm>
#include <chrono>

#include "client-sdk/chain/impl.hpp"
#include "modules/system/storage.hpp"
#include "modules/validators/storage.hpp"
#include "primitives/merkle/merkle.hpp"
#include "runtime/events.hpp"

namespace tally::client {

namespace {

constexpr std::size_t kHeadsKept = 1'024;
constexpr std::size_t kKeysPerCall = 128;
constexpr std::uint32_t kScanPage = 1'000;
// Of a scan: what is new since the head that is read at, or gone.
constexpr int kEmptyPagesMax = 8;

std::string name_of(BlockNumber number) {
  return "block " + std::to_string(number.value);
}

Bytes events_key() {
  return to_bytes(twox::storage_prefix("System", "Events"));
}

}  // namespace

proto::BlockAt at_hash(const Hash& hash) {
  proto::BlockAt at;
  at.set_hash(to_proto(hash));
  return at;
}

proto::BlockAt at_number(BlockNumber number) {
  proto::BlockAt at;
  at.set_number(number.value);
  return at;
}

ChainClient::Impl::Impl(const ClientConfig& config, TrustRoot root)
    : connection(config),
      chain(proto::Chain::NewStub(connection.channel())),
      state(proto::State::NewStub(connection.channel())),
      author(proto::Author::NewStub(connection.channel())),
      node(proto::Node::NewStub(connection.channel())),
      trust(std::move(root)) {
  newest.hash = trust.root().genesis_hash;
  newest.header.state_root = trust.root().genesis_state_root;
}

std::optional<FinalHead> ChainClient::Impl::known(const Hash& hash) const {
  const std::lock_guard lock(mutex);
  return known_locked(hash);
}
std::optional<FinalHead> ChainClient::Impl::known_locked(const Hash& hash) const {
  const auto found = std::find_if(proved.begin(), proved.end(),
                                  [&](const auto& entry) { return entry.second.hash == hash; });
  if (found == proved.end()) return std::nullopt;
  return found->second;
}

// Called with the mutex held.
void ChainClient::Impl::remember(const FinalHead& head) {
  proved.insert_or_assign(head.number, head);
  if (proved.size() > kHeadsKept) proved.erase(proved.begin());
  if (newest.number < head.number) newest = head;
  trust.seen(head.header, now());
}

TimestampMs ChainClient::Impl::now() const {
  if (connection.config().now) return connection.config().now();
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return TimestampMs(static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since).count()));
}

ClientResult<void> ChainClient::Impl::check_age(const Trust& known) const {
  const auto young = known.verify_age(now());
  if (young.ok()) return {};
  return fail(ClientError{ClientErrorKind::not_proved, "trust_expired", young.error().message,
                          Check::trust_period});
}

ClientResult<FinalBlock> ChainClient::Impl::fetch_block(const FinalHead& head) {
  proto::GetBlockRequest request;
  *request.mutable_at() = at_hash(head.hash);
  const auto reply = TALLY_TRY(connection.call(*chain, &proto::Chain::Stub::GetBlock, request));
  FinalBlock block{head, {}};
  std::vector<Hash> leaves;
  for (const std::string& extrinsic : reply.extrinsics()) {
    block.extrinsics.push_back(to_bytes(as_bytes(extrinsic)));
    leaves.push_back(extrinsic_hash(block.extrinsics.back()));
  }
  if (merkle_root(leaves) != head.header.extrinsics_root) {
    return fail(not_proved(Check::extrinsics, "the extrinsics of " + name_of(head.number) +
                                                  " do not match the root in its header"));
  }
  return block;
}

ClientResult<FinalHead> ChainClient::Impl::prove_inclusion(const Hash& extrinsic,
                                                           const TxInBlock& at) {
  const FinalHead head = TALLY_TRY(prove_at(at_hash(at.block_hash)));
  const FinalBlock block = TALLY_TRY(fetch_block(head));
  if (head.number != at.number || at.index >= block.extrinsics.size() ||
      extrinsic_hash(block.extrinsics[at.index]) != extrinsic) {
    return fail(not_proved(Check::extrinsics, "the transaction is not where the node says, in " +
                                                  name_of(at.number) + " at index " +
                                                  std::to_string(at.index)));
  }
  return head;
}

ClientResult<std::unique_ptr<ChainClient>> ChainClient::connect(const ClientConfig& config,
                                                                TrustRoot root) {
  auto impl = std::make_unique<Impl>(config, std::move(root));
  const auto info = TALLY_TRY(
      impl->connection.call(*impl->chain, &proto::Chain::Stub::GetInfo, proto::GetInfoRequest{}));
  const std::string expected = to_proto(impl->trust.root().genesis_hash);
  if (info.genesis_hash() != expected) {
    ClientError error = client_error(
        ClientErrorKind::wrong_chain,
        "the node at " + config.endpoint + " serves chain \"" + info.chain() + "\" with genesis " +
            to_hex_prefixed(as_bytes(info.genesis_hash())) + ", expected genesis " +
            to_hex_prefixed(as_bytes(expected)) + ": name the chain with --chain");
    error.check = Check::chain;
    return fail(std::move(error));
  }
  impl->version = {info.chain(), info.spec_version(), info.transaction_version()};
  return std::unique_ptr<ChainClient>(new ChainClient(std::move(impl)));
}

ChainClient::ChainClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ChainClient::~ChainClient() = default;

const ChainVersion& ChainClient::version() const {
  return impl_->version;
}
const TrustRoot& ChainClient::root() const {
  return impl_->trust.root();
}
const std::string& ChainClient::endpoint() const {
  return impl_->connection.config().endpoint;
}

ClientError ChainClient::undecodable(const DecodeError& error) {
  return not_proved(Check::encoding, "an answer does not decode (" + to_text(error) + ")");
}

ClientResult<FinalHead> ChainClient::finalized() {
  const FinalHead shown = TALLY_TRY(impl_->prove_at({}));
  const std::lock_guard lock(impl_->mutex);
  const BlockNumber reached = impl_->trust.reached();
  if (impl_->newest.number < reached) return fail(stale_head(endpoint(), shown.number, reached));
  return impl_->newest;
}

ClientResult<FinalHead> ChainClient::finalized_at(BlockNumber number) {
  {
    const std::lock_guard lock(impl_->mutex);
    const auto found = impl_->proved.find(number);
    if (found != impl_->proved.end()) return found->second;
  }
  const FinalHead head = TALLY_TRY(impl_->prove_at(at_number(number)));
  if (head.number != number) {
    return fail(not_proved(
        Check::header, name_of(number) + " was asked for and " + name_of(head.number) + " came"));
  }
  return head;
}

ClientResult<FinalBlock> ChainClient::block(BlockNumber number) {
  const FinalHead head = TALLY_TRY(finalized_at(number));
  return impl_->fetch_block(head);
}

ClientResult<TxInBlock> ChainClient::find_transaction(const Hash& extrinsic) {
  proto::FindTransactionRequest request;
  request.set_extrinsic_hash(to_proto(extrinsic));
  const auto found = TALLY_TRY(
      impl_->connection.call(*impl_->chain, &proto::Chain::Stub::FindTransaction, request));
  const auto hash = Hash::from(as_bytes(found.block().hash()));
  if (!hash) return fail(not_proved(Check::encoding, "a block hash of the wrong length came"));
  const TxInBlock at{BlockNumber(found.block().number()), *hash, found.index()};
  TALLY_TRY(impl_->prove_inclusion(extrinsic, at));
  return at;
}

ClientResult<std::vector<std::optional<Bytes>>> ChainClient::read(const std::vector<Bytes>& keys) {
  const FinalHead head = TALLY_TRY(finalized());
  return read_at(head, keys);
}

ClientResult<std::vector<std::optional<Bytes>>> ChainClient::read_at(
    const FinalHead& at, const std::vector<Bytes>& keys) {
  std::vector<std::optional<Bytes>> values;
  for (std::size_t begin = 0; begin < keys.size(); begin += kKeysPerCall) {
    const std::size_t end = std::min(keys.size(), begin + kKeysPerCall);
    proto::ReadStateRequest request;
    *request.mutable_at() = at_hash(at.hash);
    request.set_with_proof(true);
    for (std::size_t i = begin; i < end; ++i) request.add_keys(to_proto(keys[i]));
    const auto reply =
        TALLY_TRY(impl_->connection.call(*impl_->state, &proto::State::Stub::Read, request));
    if (static_cast<std::size_t>(reply.values_size()) != end - begin) {
      return fail(
          not_proved(Check::encoding, "another number of values came than keys were asked for"));
    }
    if (reply.block().number() != at.number.value || reply.block().hash() != to_proto(at.hash) ||
        reply.state_root() != to_proto(at.header.state_root)) {
      return fail(not_proved(Check::encoding,
                             "values of another block than " + name_of(at.number) + " came"));
    }
    for (std::size_t i = begin; i < end; ++i) {
      const proto::StateValue& item = reply.values(static_cast<int>(i - begin));
      if (item.key() != to_proto(keys[i])) {
        return fail(not_proved(Check::encoding, "a value of another key came"));
      }
      const auto proof = decode<StateProof>(as_bytes(item.proof()));
      if (!proof.ok()) return fail(undecodable(proof.error()));
      std::optional<Bytes> value;
      if (item.has_value()) value = to_bytes(as_bytes(item.value()));
      const auto proved = verify_state_value(at.header.state_root, keys[i], value, *proof);
      if (!proved.ok()) {
        return fail(not_proved(Check::state_proof,
                               "a value at " + name_of(at.number) + " does not match its proof (" +
                                   std::string(enumerator_name(proved.error())) + ")"));
      }
      values.push_back(std::move(value));
    }
  }
  return values;
}

ClientResult<system::AccountInfo> ChainClient::account(const AccountId& account) {
  const auto info = TALLY_TRY(read_item(system::kAccount, account));
  return info.value_or(system::AccountInfo{});
}

ClientResult<std::vector<std::pair<Bytes, Bytes>>> ChainClient::scan(const Bytes& prefix) {
  const FinalHead head = TALLY_TRY(finalized());
  std::vector<std::pair<Bytes, Bytes>> entries;
  proto::ScanStateRequest request;
  request.set_prefix(to_proto(prefix));
  request.set_limit(kScanPage);
  std::optional<Bytes> after;
  int empty_pages = 0;
  for (bool more = true; more;) {
    const auto page =
        TALLY_TRY(impl_->connection.call(*impl_->state, &proto::State::Stub::Scan, request));
    std::vector<Bytes> keys;
    for (const proto::StateEntry& entry : page.entries()) {
      Bytes key = to_bytes(as_bytes(entry.key()));
      const bool under =
          key.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), key.begin());
      if (!under || (after && key <= *after)) {
        return fail(not_proved(Check::encoding, "a scan's keys do not rise under its prefix"));
      }
      after = key;
      keys.push_back(std::move(key));
    }
    // Page by page: what is kept is no more than what the state holds.
    const auto values = TALLY_TRY(read_at(head, keys));
    const std::size_t before = entries.size();
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (values[i]) entries.emplace_back(std::move(keys[i]), *values[i]);
    }
    if (entries.size() == before && ++empty_pages > kEmptyPagesMax) {
      return fail(not_proved(Check::state_proof, "a scan shows keys that the state does not have"));
    }
    more = page.more() && after && !keys.empty();
    if (more) request.set_after(to_proto(*after));
  }
  return entries;
}

ClientResult<RawEvents> ChainClient::events(const FinalHead& head) {
  const auto values = TALLY_TRY(read_at(head, {events_key()}));
  // Genesis has no events, nor the item that would hold them.
  return RawEvents{head, values.front().value_or(Bytes{0}), true};
}

ClientResult<RawEvents> ChainClient::events_unproved(const FinalHead& head) {
  auto proved = events(head);
  if (proved.ok() || proved.error().kind != ClientErrorKind::pruned) return proved;
  proto::GetEventsRequest request;
  *request.mutable_at() = at_hash(head.hash);
  const auto reply =
      TALLY_TRY(impl_->connection.call(*impl_->chain, &proto::Chain::Stub::GetEvents, request));
  return RawEvents{head, to_bytes(as_bytes(reply.scale())), false};
}

ClientResult<void> ChainClient::follow(BlockNumber from, std::stop_token stop,
                                       const OnBlock& on_block) {
  return impl_->follow(from, stop, [&](const FinalHead& head) -> ClientResult<bool> {
    const RawEvents told = TALLY_TRY(events(head));
    return on_block({head, told});
  });
}

ClientResult<void> ChainClient::follow_unproved(BlockNumber from, std::stop_token stop,
                                                const OnBlock& on_block) {
  return impl_->follow(from, stop, [&](const FinalHead& head) -> ClientResult<bool> {
    const RawEvents told = TALLY_TRY(events_unproved(head));
    return on_block({head, told});
  });
}

ClientResult<void> ChainClient::Impl::follow(
    BlockNumber from, const std::stop_token& stop,
    const std::function<ClientResult<bool>(const FinalHead&)>& on_head) {
  connection.let_reconnect();
  grpc::ClientContext context;
  const std::stop_callback cancel(stop, [&] { context.TryCancel(); });
  proto::SubscribeFinalizedRequest request;
  request.set_from_number(from.value);
  request.set_with_proof(true);
  const auto reader = chain->SubscribeFinalized(&context, request);
  proto::FinalizedHeader message;
  for (BlockNumber number = from; reader->Read(&message); number = number.next()) {
    connection.count(message);
    const auto proof = decode<FinalityProof>(as_bytes(message.proof().scale()));
    if (!proof.ok()) return fail(undecodable(proof.error()));
    const FinalHead head = TALLY_TRY(prove(*proof));
    if (head.number != number) {
      return fail(not_proved(Check::header,
                             name_of(number) + " was due and " + name_of(head.number) + " came"));
    }
    if (!TALLY_TRY(on_head(head))) {
      context.TryCancel();
      return {};
    }
  }
  const grpc::Status status = reader->Finish();
  if (stop.stop_requested()) {
    return fail(client_error(ClientErrorKind::cancelled, "following was stopped"));
  }
  return fail(connection.to_error(context, status));
}

ClientResult<NodeStatus> ChainClient::node_status() {
  const Connection& connection = impl_->connection;
  proto::Node::Stub& node = *impl_->node;
  const auto version =
      TALLY_TRY(connection.call(node, &proto::Node::Stub::GetVersion, proto::GetVersionRequest{}));
  const auto peers =
      TALLY_TRY(connection.call(node, &proto::Node::Stub::GetPeers, proto::GetPeersRequest{}));
  const auto sync =
      TALLY_TRY(connection.call(node, &proto::Node::Stub::GetSync, proto::GetSyncRequest{}));
  const auto pool =
      TALLY_TRY(connection.call(node, &proto::Node::Stub::GetPool, proto::GetPoolRequest{}));
  const auto heads = TALLY_TRY(
      connection.call(*impl_->chain, &proto::Chain::Stub::GetHeads, proto::GetHeadsRequest{}));
  NodeStatus status;
  status.version = version.version();
  status.role = version.role();
  if (version.has_validator_index()) status.validator_index = version.validator_index();
  status.best_number = BlockNumber(heads.best().number());
  status.best_hash = Hash::from(as_bytes(heads.best().hash())).value_or(Hash{});
  for (const proto::Peer& peer : peers.peers()) {
    PeerStatus& out = status.peers.emplace_back();
    out = {peer.node_key(), peer.address(), peer.inbound(), std::nullopt, peer.best_number()};
    if (peer.has_validator_index()) out.validator_index = peer.validator_index();
  }
  status.syncing = sync.syncing();
  status.sync_target = BlockNumber(sync.target_number());
  status.pool_transactions = pool.transactions();
  status.pool_bytes = pool.bytes();
  return status;
}

ClientResult<FinalHead> ChainClient::trust_block(const Hash& hash) {
  const Header header = TALLY_TRY(impl_->fetch_header(at_hash(hash)));
  const FinalHead head{header.number.value, hash, header};
  const auto read = [&](const auto& item,
                        const auto&... keys) -> ClientResult<std::optional<Bytes>> {
    const auto values = TALLY_TRY(read_at(head, {to_bytes(item.key(keys...))}));
    return values.front();
  };
  const auto stored = TALLY_TRY(read(validators::kEpoch));
  const auto info = TALLY_TRY(decode_item<validators::EpochInfo>(stored));
  if (!info)
    return fail(not_proved(Check::trusted_block,
                           "the state of " + name_of(head.number) + " names no epoch"));
  std::vector<ValidatorSet> sets;
  for (const Epoch epoch : {info->epoch, info->epoch.next()}) {
    const auto bytes = TALLY_TRY(read(validators::kSets, epoch));
    const auto set = TALLY_TRY(decode_item<validators::EpochSet>(bytes));
    if (!set || !set->set.check().ok()) {
      return fail(not_proved(Check::trusted_block, "the state of " + name_of(head.number) +
                                                       " does not name the validators of epoch " +
                                                       std::to_string(epoch.value)));
    }
    sets.push_back(set->set);
  }
  const auto digest = consensus_digest(header);
  const TimestampMs time = digest ? digest->time : root().genesis_time;
  const std::lock_guard lock(impl_->mutex);
  Trust begun(impl_->trust.root());
  begun.begin_at({info->epoch, sets[0], sets[1], hash, time});
  TALLY_TRY(impl_->check_age(begun));
  impl_->trust = std::move(begun);
  impl_->remember(head);
  return head;
}

Hash ChainClient::trust_start() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->trust.start();
}

BlockNumber ChainClient::reached() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->trust.reached();
}

Epoch ChainClient::known_epoch() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->trust.known_up_to();
}

Traffic ChainClient::traffic() const {
  return impl_->connection.traffic();
}

Bytes ChainClient::save_trust() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->trust.save();
}

bool ChainClient::restore_trust(ByteView saved) {
  const std::lock_guard lock(impl_->mutex);
  return impl_->trust.restore(saved);
}

}  // namespace tally::client
