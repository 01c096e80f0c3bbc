#include "node/service/query.hpp"

#include <future>

#include "node/service/status.hpp"
#include "primitives/crypto/hash.hpp"
#include "runtime/version.hpp"

namespace tally::service {

using ports::QueryError;
using ports::QueryErrorCode;
using ports::QueryResult;

namespace {

constexpr std::chrono::seconds kPatience{10};
constexpr std::chrono::seconds kDiskPause{3};
constexpr std::uint32_t kNearlyThere = 2;  // blocks behind that do not count as syncing

Failure<QueryError> busy() {
  return fail(QueryError{QueryErrorCode::unavailable,
                         "the node is too busy or stopping; ask again in a while"});
}

Failure<QueryError> not_found(std::string what) {
  return fail(QueryError{QueryErrorCode::not_found, std::move(what)});
}

Failure<QueryError> history_error(execution::HistoryError error, const ports::BlockRef& block,
                                  BlockNumber oldest) {
  const std::string number = std::to_string(block.number.value);
  switch (error) {
    case execution::HistoryError::unknown_height:
      return not_found("the state of block " + number + " is not here");
    case execution::HistoryError::pruned:
      break;
  }
  return fail(QueryError{QueryErrorCode::pruned,
                         "the state of block " + number + " is no longer kept; the oldest is " +
                             std::to_string(oldest.value) +
                             "; ask an archive node (tallyd --pruning archive)"});
}

}  // namespace

template <class T>
std::optional<T> NodeQuery::ask(std::function<T()> question) const {
  // Shared, because the asker may have given up when the core comes to it.
  const auto answer = std::make_shared<std::promise<T>>();
  auto future = answer->get_future();
  const bool queued = parts_.inbox.try_push(
      [answer, question = std::move(question)] { answer->set_value(question()); });
  if (!queued || future.wait_for(kPatience) != std::future_status::ready) return std::nullopt;
  return future.get();
}

void NodeQuery::publish(Snapshot snapshot) {
  const std::lock_guard lock(mutex_);
  snapshot_ = std::move(snapshot);
}

Snapshot NodeQuery::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

ports::ChainInfo NodeQuery::chain_info() const {
  const runtime::RuntimeVersion version = runtime::runtime_version();
  return {parts_.spec.chain_id, version.spec_name, version.spec_version,
          version.transaction_version, parts_.genesis_hash};
}

ports::Heads NodeQuery::heads() const {
  const Snapshot now = snapshot();
  return {now.best.block, now.finalized, now.epoch, now.view};
}

QueryResult<Hash> NodeQuery::resolve(const ports::BlockAt& at) const {
  if (const auto* hash = std::get_if<Hash>(&at)) return *hash;
  if (std::holds_alternative<ports::LatestBest>(at)) return snapshot().best.block.hash;
  if (std::holds_alternative<ports::LatestFinal>(at)) {
    const auto head = ports::find_head(parts_.store);
    TALLY_ASSERT(head.has_value());
    return head->hash;
  }
  const BlockNumber number = std::get<BlockNumber>(at);
  const auto hash = ports::find_final(parts_.store, number);
  if (!hash && number < ports::oldest_block(parts_.store)) {
    return pruned("block " + std::to_string(number.value) + " is no longer kept");
  }
  if (!hash) {
    return not_found("block " + std::to_string(number.value) +
                     " is not final here yet; the head is " +
                     std::to_string(snapshot().finalized.number.value));
  }
  return *hash;
}

// The proof of an epoch's end, by number, where the block itself may be gone.
std::optional<EpochProof> NodeQuery::epoch_end(const ports::BlockAt& at) const {
  const auto* number = std::get_if<BlockNumber>(&at);
  const std::uint32_t length = parts_.spec.consensus.epoch_length;
  if (number == nullptr || number->value == 0 || number->value % length != 0) return std::nullopt;
  // A proof may be here before the chain is, while a snapshot is being taken.
  if (!ports::find_final(parts_.store, *number)) return std::nullopt;
  return ports::find_epoch_proof(parts_.store, Epoch(number->value / length));
}

Failure<QueryError> NodeQuery::pruned(const std::string& what) const {
  return fail(QueryError{QueryErrorCode::pruned,
                         what + "; the oldest is " +
                             std::to_string(ports::oldest_block(parts_.store).value) +
                             "; ask an archive node (tallyd --pruning archive)"});
}

QueryResult<NodeQuery::Found> NodeQuery::find(const ports::BlockAt& at) const {
  const Hash hash = TALLY_TRY(resolve(at));
  auto block = ports::find_block(parts_.store, hash);
  const auto* at_number = std::get_if<BlockNumber>(&at);
  if (!block && at_number != nullptr) {
    return pruned("block " + std::to_string(at_number->value) + " is no longer kept");
  }
  if (!block && ports::oldest_block(parts_.store) > BlockNumber(1)) {
    return pruned("there is no block " + to_hex_prefixed(hash) + " among those that are kept");
  }
  if (!block) return not_found("there is no block " + to_hex_prefixed(hash) + " here");
  const BlockNumber number = block->header.number.value;
  const bool finalized = ports::find_final(parts_.store, number) == hash;
  return Found{{number, hash}, finalized, *std::move(block)};
}

QueryResult<ports::Head> NodeQuery::header(const ports::BlockAt& at) const {
  if (std::holds_alternative<ports::LatestBest>(at)) return snapshot().best;
  if (auto proof = epoch_end(at)) {
    const BlockNumber number = proof->header.number.value;
    return ports::Head{{number, block_hash(proof->header)}, std::move(proof->header)};
  }
  Found found = TALLY_TRY(find(at));
  return ports::Head{found.ref, std::move(found.block.header)};
}

QueryResult<ports::BlockView> NodeQuery::block(const ports::BlockAt& at) const {
  Found found = TALLY_TRY(find(at));
  return ports::BlockView{found.ref, found.finalized, std::move(found.block.header),
                          std::move(found.block.extrinsics)};
}

QueryResult<FinalityProof> NodeQuery::finality_proof(const ports::BlockAt& at) const {
  if (auto proof = epoch_end(at)) return *std::move(proof);
  Found found = TALLY_TRY(find(at));
  const std::string number = std::to_string(found.ref.number.value);
  if (!found.finalized) return not_found("block " + number + " is not final here yet");
  const auto digest = consensus_digest(found.block.header);
  if (!digest) return not_found("genesis has no finality proof: it is final by definition");
  FinalityProof proof;
  proof.header = std::move(found.block.header);
  Hash hash = found.ref.hash;
  for (BlockNumber next = found.ref.number.next();; next = next.next()) {
    if (auto certificate = ports::find_certificate(parts_.store, hash)) {
      proof.finalization = *std::move(certificate);
      return proof;
    }
    const auto above = ports::find_final(parts_.store, next);
    auto block = above ? ports::find_block(parts_.store, *above) : std::nullopt;
    const auto above_digest = block ? consensus_digest(block->header) : std::nullopt;
    if (!above_digest || above_digest->epoch != digest->epoch) break;
    if (!proof.descendants.push_back(std::move(block->header))) break;
    hash = *above;
  }
  // The last block of the epoch: what was finalized stands on fillers above it.
  const auto epoch = ports::find_epoch_proof(parts_.store, digest->epoch);
  if (!epoch || block_hash(epoch->header) != hash) {
    return not_found("the certificate above block " + number + " is not here");
  }
  for (const Header& header : epoch->descendants) {
    if (!proof.descendants.push_back(header)) {
      return not_found("the proof of block " + number + " is longer than the protocol allows");
    }
  }
  proof.finalization = epoch->finalization;
  return proof;
}

QueryResult<ports::BlockEvents> NodeQuery::events(const ports::BlockAt& at) const {
  const Found found = TALLY_TRY(find(at));
  if (found.finalized) {
    auto records = execution::find_events(parts_.store, found.ref.hash);
    if (!records) return not_found("the events of this block are not here");
    return ports::BlockEvents{found.ref, *std::move(records)};
  }
  using Answer = std::optional<Bytes>;
  const auto pending = ask<Answer>([this, hash = found.ref.hash]() -> Answer {
    const auto* block = parts_.application.find_pending(hash);
    if (block == nullptr) return std::nullopt;
    return block->events;
  });
  if (!pending) return busy();
  if (!*pending) return not_found("the block was not executed here");
  return ports::BlockEvents{found.ref, **pending};
}

QueryResult<ports::TransactionAt> NodeQuery::find_transaction(const Hash& hash) const {
  if (const auto place = execution::find_transaction(parts_.store, hash)) {
    return ports::TransactionAt{{place->number, place->block}, true, place->index};
  }
  using Answer = std::optional<execution::TxPlace>;
  const auto pending = ask<Answer>([this, hash, best = snapshot().best.block.hash] {
    return parts_.application.find_on_branch(best, hash);
  });
  if (!pending) return busy();
  if (!*pending) return not_found("no block holds transaction " + to_hex_prefixed(hash));
  return ports::TransactionAt{{(*pending)->number, (*pending)->block}, false, (*pending)->index};
}

QueryResult<ports::StateRead> NodeQuery::read_state(const ReadRequest& request) const {
  const Found found = TALLY_TRY(find(request.at));
  return found.finalized ? read_final(request, found) : read_pending(request, found);
}

QueryResult<ports::StateRead> NodeQuery::read_final(const ReadRequest& request,
                                                    const Found& found) const {
  ports::StateRead out{found.ref, found.block.header.state_root, {}};
  for (const Bytes& key : request.keys) {
    auto value = history_.get(found.ref.number, key);
    if (!value.ok()) return history_error(value.error(), found.ref, history_.oldest());
    ports::StateValue entry{key, *std::move(value), std::nullopt};
    if (request.with_proof) {
      auto proof = history_.prove(found.ref.number, key);
      if (!proof.ok()) return history_error(proof.error(), found.ref, history_.oldest());
      entry.proof = *std::move(proof);
    }
    out.values.push_back(std::move(entry));
  }
  return out;
}

QueryResult<ports::StateRead> NodeQuery::read_pending(const ReadRequest& request,
                                                      const Found& found) const {
  using Answer = std::optional<ports::StateRead>;
  const auto answer = ask<Answer>(
      [this, request, ref = found.ref, root = found.block.header.state_root]() -> Answer {
        const auto state = parts_.application.state_after(ref.hash);
        if (!state) return std::nullopt;
        ports::StateRead out{ref, root, {}};
        for (const Bytes& key : request.keys) {
          ports::StateValue entry{key, state->get(key), std::nullopt};
          if (request.with_proof) {
            auto proof = tree::prove(*state, state->root(), state_key_hash(key));
            if (!proof.ok()) return std::nullopt;
            entry.proof = *std::move(proof);
          }
          out.values.push_back(std::move(entry));
        }
        return out;
      });
  if (!answer) return busy();
  if (!*answer) return not_found("the block was not executed here, or was dropped");
  return **answer;
}

QueryResult<ports::ScanPage> NodeQuery::scan_state(const ports::ScanRequest& request) const {
  const auto head = ports::find_head(parts_.store);
  TALLY_ASSERT(head.has_value());
  const ports::BlockRef ref{head->number, head->hash};
  auto page = history_.scan({head->number, request.prefix, request.after, request.limit});
  if (!page.ok()) return history_error(page.error(), ref, history_.oldest());
  return ports::ScanPage{ref, std::move(page->entries), page->more};
}

QueryResult<Nonce> NodeQuery::next_nonce(const AccountId& account) const {
  const auto nonce = ask<Nonce>([this, account] { return parts_.pool.next_nonce(account); });
  if (!nonce) return busy();
  return *nonce;
}

Result<Hash, ports::Rejection> NodeQuery::submit(ByteView extrinsic) {
  const auto answer = std::make_shared<std::promise<ports::PoolAnswer>>();  // as in ask()
  auto future = answer->get_future();
  const bool queued = parts_.inbox.try_push([this, answer, bytes = to_bytes(extrinsic)] {
    parts_.core.submit(bytes, [answer](const ports::PoolAnswer& a) { answer->set_value(a); });
  });
  if (!queued || future.wait_for(kPatience) != std::future_status::ready) {
    return fail(ports::Rejection{ports::RejectCode::shutting_down,
                                 "the node is too busy or stopping; submit again in a while"});
  }
  const ports::PoolAnswer verdict = future.get();
  switch (verdict.verdict) {
    case ports::PoolVerdict::accepted:
      return verdict.hash;
    case ports::PoolVerdict::known:
      return fail(ports::Rejection{ports::RejectCode::already_known,
                                   "the transaction waits already, or is in a block"});
    case ports::PoolVerdict::invalid:
    case ports::PoolVerdict::stale:
    case ports::PoolVerdict::refused:
    case ports::PoolVerdict::check_signature:
      break;
  }
  return fail(ports::Rejection{verdict.code, verdict.reason});
}

void NodeQuery::tell_where_it_stands(const Hash& extrinsic) const {
  if (const auto place = execution::find_transaction(parts_.store, extrinsic)) {
    const ports::TransactionAt at{{place->number, place->block}, true, place->index};
    return parts_.subscriptions.tell_transaction(extrinsic, ports::TxFinalized{at});
  }
  if (!parts_.pool.contains(extrinsic)) return;  // its signature is being checked
  parts_.subscriptions.tell_transaction(extrinsic, ports::TxReady{});
  const Hash best = parts_.core.engine().simplex().best_certified().second;
  if (const auto place = parts_.application.find_on_branch(best, extrinsic)) {
    const ports::TransactionAt at{{place->number, place->block}, false, place->index};
    parts_.subscriptions.tell_transaction(extrinsic, ports::TxInBlock{at});
  }
}

Result<ports::SubscriptionPtr, ports::Rejection> NodeQuery::submit_and_watch(
    ByteView extrinsic, ports::TxListener listener) {
  const Hash hash = blake2_256(extrinsic);
  // Before the submission, so that nothing that follows is missed.
  ports::SubscriptionPtr subscription =
      parts_.subscriptions.add_transaction(hash, std::move(listener));
  const auto submitted = submit(extrinsic);
  if (submitted.ok()) return subscription;
  if (submitted.error().code != ports::RejectCode::already_known) return fail(submitted.error());
  const bool queued = parts_.inbox.try_push([this, hash] { tell_where_it_stands(hash); });
  if (!queued) {
    return fail(ports::Rejection{ports::RejectCode::shutting_down,
                                 "the node is too busy or stopping; submit again in a while"});
  }
  return subscription;
}

ports::SubscriptionPtr NodeQuery::subscribe_heads(ports::HeadListener listener) {
  return parts_.subscriptions.add_heads(std::move(listener));
}

ports::NodeInfo NodeQuery::node_info() const {
  ports::NodeInfo info = parts_.info;
  info.validator = snapshot().validator;
  return info;
}

std::vector<ports::PeerInfo> NodeQuery::peers() const {
  const Snapshot now = snapshot();
  std::vector<ports::PeerInfo> out;
  for (const network::PeerLink& link : parts_.transport.peers()) {
    ports::PeerInfo info{to_hex(link.peer), link.address, link.inbound, std::nullopt, 0};
    const auto place = link.validator && now.set ? now.set->find(*link.validator) : std::nullopt;
    if (place) info.validator = place->value;
    for (const core::PeerStatus& status : now.peers) {
      if (status.peer == link.peer) info.best_number = status.head.number.value;
    }
    out.push_back(std::move(info));
  }
  return out;
}

ports::SyncInfo NodeQuery::sync() const {
  const Snapshot now = snapshot();
  const BlockNumber current = now.finalized.number;
  const BlockNumber target = std::max(current, now.best_seen);
  return {target.value > current.value + kNearlyThere, current, target};
}

ports::PoolInfo NodeQuery::pool() const {
  return snapshot().pool;
}

ports::NodeStatus NodeQuery::status() const {
  ports::NodeStatus out = snapshot().status;
  out.oldest_state = history_.oldest();
  out.oldest_block = ports::oldest_block(parts_.store);
  const std::lock_guard lock(disk_mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (!disk_read_ || now - *disk_read_ > kDiskPause) {
    disk_ = disk_use(parts_.base_path);
    disk_read_ = now;
  }
  out.disk = disk_;
  return out;
}

}  // namespace tally::service
