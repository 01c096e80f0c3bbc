// The authenticated state: a map from key hash to value hash with a root hash, kept as a tree of
// which every version stays readable until it is pruned.
//
//   std::vector<Change> changes = changes_of(outcome.changes);
//   Update update = TALLY_TRY(tree::update(nodes, parent_root, height, changes));
//   header.state_root = update.root.hash();
//   ... store update.nodes; once no version below `height` is kept, delete update.stale ...
//   StateProof proof = TALLY_TRY(tree::prove(nodes, update.root, state_key_hash(key)));
//
// Versions are block heights and grow along a chain; two blocks of one height are two versions of
// the same number, which their readers keep apart. The tree is what its content is: whatever order
// changes came in, the same map has the same root. Nothing here starts a thread; a caller that has
// some passes an Executor.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "primitives/merkle/state_proof.hpp"
#include "primitives/result.hpp"
#include "runtime/tree/node.hpp"

namespace tally::tree {

// Where nodes come from. Must be callable from every thread that the Executor uses.
class NodeReader {
 public:
  virtual ~NodeReader() = default;
  // Nothing: there is no such node, which is damage. Shared, because caches, pending blocks and
  // updates in progress hold the same unchanging node.
  virtual std::shared_ptr<const Node> read(const NodeKey& key) const = 0;
  // nodes[i] = read(keys[i]). A reader that finds nodes in a large table overrides it, so that one
  // read does not wait for the memory of the one before.
  virtual void read_all(std::span<const NodeKey> keys,
                        std::span<std::shared_ptr<const Node>> nodes) const {
    for (std::size_t i = 0; i < keys.size(); ++i) nodes[i] = read(keys[i]);
  }
};

// Runs job(0) … job(count - 1), each once, in any order and on any threads; returns after the last.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void run(std::size_t count, const std::function<void(std::size_t)>& job) const = 0;
};

struct Change {
  StateKeyHash path;
  std::optional<StateValueHash> value;  // none: erased
  friend bool operator==(const Change&, const Change&) = default;
};

// Hashes keys and values and sorts by path.
std::vector<Change> changes_of(const std::map<Bytes, std::optional<Bytes>>& changes,
                               const Executor* executor = nullptr);

struct Update {
  struct Written {
    NodeKey key;
    std::shared_ptr<const Node> node;
  };
  Root root;
  std::vector<Written> nodes;  // each key once
  std::vector<NodeKey> stale;  // nodes of earlier versions that this one no longer reaches
};

// A node that the tree names and the reader does not have: the database is damaged.
struct MissingNode {
  NodeKey key;
};

// `changes` ascend strictly by path; an erased key need not exist; every node reached from `root`
// is of a version below `version`.
Result<Update, MissingNode> update(const NodeReader& nodes, const Root& root, BlockNumber version,
                                   std::span<const Change> changes,
                                   const Executor* executor = nullptr);

Result<StateProof, MissingNode> prove(const NodeReader& nodes, const Root& root,
                                      const StateKeyHash& path);

// The value hash of a key, by walking the tree.
Result<std::optional<StateValueHash>, MissingNode> find(const NodeReader& nodes, const Root& root,
                                                        const StateKeyHash& path);

// A part of the tree: what hangs at `at`, made of these leaves, which ascend strictly by path and
// whose paths begin with the place's. Every node in it gets the version of `at`.
struct Part {
  std::optional<Slot> slot;  // none: there are no leaves
  std::vector<Update::Written> nodes;
};
Part build_part(const NodeKey& at, std::span<const StateLeaf> leaves);
// What hangs at `at` above parts that were built apart, one for each nibble, empty where there is
// none; of these the nodes are not repeated.
Part join_parts(const NodeKey& at, std::span<const std::optional<Slot>> slots);

// The whole tree of a state, as genesis needs it.
Update build(BlockNumber version, const std::map<Bytes, Bytes>& state,
             const Executor* executor = nullptr);
Hash state_root(const std::map<Bytes, Bytes>& state);

}  // namespace tally::tree
