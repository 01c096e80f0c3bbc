#include "node/execution/final_state.hpp"

#include <algorithm>
#include <set>

#include "node/execution/pruning.hpp"
#include "node/ports/chain.hpp"

namespace tally::execution {
namespace {

using ports::Column;

std::shared_ptr<const tree::Node> read_node(const ports::Store& store, const tree::NodeKey& key) {
  const auto stored = store.get(Column::tree, key.to_store_key());
  return stored ? tree::Node::decode(*stored, key) : nullptr;
}

class StoreNodes final : public tree::NodeReader {
 public:
  explicit StoreNodes(const ports::Store& store) : store_(store) {}
  std::shared_ptr<const tree::Node> read(const tree::NodeKey& key) const override {
    return read_node(store_, key);
  }

 private:
  const ports::Store& store_;
};

bool starts_with(ByteView bytes, ByteView prefix) {
  return bytes.size() >= prefix.size() && equal(bytes.first(prefix.size()), prefix);
}

// What the first block above the height that changed this key found there; none: no block did.
std::optional<std::optional<Bytes>> value_before_change(const ports::Store& store, ByteView key,
                                                        BlockNumber height) {
  const Bytes from = value_key(key, height.next());
  const ByteView shared = ByteView(from).first(from.size() - 4);
  std::optional<std::optional<Bytes>> out;
  store.scan(Column::history, from, [&](ByteView found, ByteView stored) {
    if (found.size() == from.size() && starts_with(found, shared)) {
      auto before = decode<std::optional<Bytes>>(stored);
      TALLY_ASSERT(before.ok());
      out.emplace(*std::move(before));
    }
    return false;
  });
  return out;
}

// Calls visit(key) for what each block above a kept height changed.
template <class Visit>
void visit_changed(const ports::Store& store, BlockNumber height, Visit&& visit) {
  store.scan(Column::history, undo_key(height.next()), [&](ByteView entry, ByteView stored) {
    if (entry[0] != 'u') return false;
    const auto undo = decode<Undo>(stored);
    TALLY_ASSERT(undo.ok());
    for (const Bytes& key : undo->changed) visit(key);
    return true;
  });
}

}  // namespace

FinalState::FinalState(const ports::Store& store, const CacheBudget& budget)
    : store_(store), budget_(budget) {
  reload();
}

void FinalState::reload() {
  values_ = std::make_unique<ValueCache>(budget_.values_bytes);
  nodes_ = std::make_unique<NodeCache>(budget_.nodes_bytes);
  const auto head = ports::find_head(store_);
  TALLY_ASSERT(head.has_value());  // install_genesis comes first
  const auto root = root_at(store_, head->number);
  TALLY_ASSERT(root.has_value());
  head_ = *head;
  root_ = *root;
}

std::optional<Bytes> FinalState::get(ByteView key) const {
  std::optional<Bytes> value;
  if (values_->find(key, value)) return value;
  value = store_.get(Column::state, key);
  values_->put(key, value);
  return value;
}

std::shared_ptr<const tree::Node> FinalState::read(const tree::NodeKey& key) const {
  if (auto node = nodes_->find(key)) return node;
  auto node = read_node(store_, key);
  if (node) nodes_->put(key, node);
  return node;
}

void FinalState::read_all(std::span<const tree::NodeKey> keys,
                          std::span<std::shared_ptr<const tree::Node>> nodes) const {
  nodes_->find_all(keys, nodes);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!nodes[i]) nodes[i] = read(keys[i]);
  }
}

void FinalState::apply(const ports::ChainHead& head, const StateChanges& changes,
                       const tree::Update& update) {
  values_->apply(changes);
  nodes_->apply(update);
  head_ = head;
  root_ = update.root;
}

Result<void, HistoryError> History::check(BlockNumber height) const {
  const auto head = ports::find_head(store_);
  if (!head || height > head->number) return fail(HistoryError::unknown_height);
  if (!is_state_kept(store_, height)) return fail(HistoryError::pruned);
  return {};
}

Result<std::optional<Bytes>, HistoryError> History::get(BlockNumber height, ByteView key) const {
  TALLY_TRY(check(height));
  // The newest value first: a block that lands between the two reads leaves its own entry, which
  // then says what was there before it.
  std::optional<Bytes> value = store_.get(Column::state, key);
  if (auto before = value_before_change(store_, key, height)) value = *std::move(before);
  TALLY_TRY(check(height));  // pruned while reading: what was read may be another block's
  return value;
}

Result<StateProof, HistoryError> History::prove(BlockNumber height, ByteView key) const {
  TALLY_TRY(check(height));
  const auto root = root_at(store_, height);
  if (!root) return fail(HistoryError::pruned);
  auto proof = tree::prove(StoreNodes(store_), *root, state_key_hash(key));
  TALLY_TRY(check(height));
  // Nothing was pruned, so a node that is not there is damage.
  TALLY_ASSERT(proof.ok());
  return *std::move(proof);
}

Result<History::Page, HistoryError> History::scan(const ScanRequest& request) const {
  TALLY_TRY(check(request.height));
  const Bytes from = request.after ? std::max(*request.after, request.prefix) : request.prefix;
  const auto wanted = [&](ByteView key) { return !request.after || !equal(key, *request.after); };
  // The newest values, fetched in pieces, and over them what newer blocks overwrote: those are few,
  // where a key's older values may be many. A piece may come out short because newer keys fall
  // away, so pieces go on.
  std::map<Bytes, std::optional<Bytes>> merged;
  std::optional<Bytes> state_bound;  // keys above were not looked at yet
  const std::size_t piece = std::max<std::size_t>(request.limit + 1, 1024);
  store_.scan(Column::state, from, [&](ByteView key, ByteView value) {
    if (!starts_with(key, request.prefix)) return false;
    if (!wanted(key)) return true;
    if (merged.size() >= piece) {
      state_bound = to_bytes(key);
      return false;
    }
    merged.emplace(to_bytes(key), to_bytes(value));
    return true;
  });
  std::set<Bytes> changed;
  visit_changed(store_, request.height, [&](const Bytes& key) {
    const bool within = key >= from && (!state_bound || key < *state_bound);
    if (within && starts_with(key, request.prefix) && wanted(key)) changed.insert(key);
  });
  for (const Bytes& key : changed) {
    auto before = value_before_change(store_, key, request.height);
    if (before) merged[key] = *std::move(before);
  }
  TALLY_TRY(check(request.height));
  Page page{.entries = {}, .more = state_bound.has_value()};
  for (auto& [key, value] : merged) {
    if (!value) continue;
    if (page.entries.size() == request.limit) {
      page.more = true;
      break;
    }
    page.entries.emplace_back(key, std::move(*value));
  }
  // Everything of the piece was newer than the asked block: go on behind it.
  if (page.entries.empty() && state_bound && request.limit > 0) {
    ScanRequest next = request;
    next.after = merged.rbegin()->first;
    return scan(next);
  }
  return page;
}

}  // namespace tally::execution
