// Root update for 10,000 changed keys, and how it grows with the number of accounts.
#include <map>
#include <unordered_map>

#include "node/execution/final_state.hpp"
#include "primitives/crypto/hash.hpp"
#include "runtime/tree/tree.hpp"
#include "tools/benchmarks/measure.hpp"

namespace tally::bench {
namespace {

constexpr std::uint64_t kChanged = 10'000;

// Every version's nodes in memory: what the tree itself costs, without a database.
class Nodes final : public tree::NodeReader {
 public:
  std::shared_ptr<const tree::Node> read(const tree::NodeKey& key) const override {
    const auto found = nodes_.find(key);
    return found == nodes_.end() ? nullptr : found->second;
  }
  void apply(const tree::Update& update) {
    for (const auto& written : update.nodes) nodes_[written.key] = written.node;
    for (const auto& key : update.stale) nodes_.erase(key);
  }

 private:
  std::unordered_map<tree::NodeKey, std::shared_ptr<const tree::Node>, execution::NodeKeyHash>
      nodes_;
};

StateKeyHash path_of(std::uint64_t account) {
  return StateKeyHash(*StateKeyHash::from(blake2_256(encode(account)).view()));
}

std::vector<tree::Change> changes_of_accounts(std::uint64_t first, std::uint64_t count,
                                              std::uint64_t stride, std::uint64_t salt) {
  std::map<StateKeyHash, StateValueHash> sorted;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t account = first + i * stride;
    sorted[path_of(account)] =
        *StateValueHash::from(blake2_256(encode(std::pair{account, salt})).view());
  }
  std::vector<tree::Change> out;
  for (const auto& [path, value] : sorted) out.push_back({path, value});
  return out;
}

// Keys a second in updates of 10,000 keys, on a tree of `accounts`.
double update_rate(std::uint64_t accounts) {
  Nodes nodes;
  BlockNumber version(1);
  auto update = tree::update(nodes, tree::Root{}, version, changes_of_accounts(0, accounts, 1, 0));
  TALLY_ASSERT(update.ok());
  nodes.apply(*update);
  tree::Root root = update->root;
  std::vector<std::vector<tree::Change>> rounds;
  for (std::uint64_t salt = 1; salt <= 8; ++salt) {
    rounds.push_back(changes_of_accounts(salt, kChanged, accounts / kChanged, salt));
  }
  std::size_t round = 0;
  return rate(1.0, kChanged, [&] {
    version = version.next();
    auto next = tree::update(nodes, root, version, rounds[round++ % rounds.size()]);
    TALLY_ASSERT(next.ok());
    nodes.apply(*next);
    root = next->root;
  });
}

}  // namespace

std::vector<Row> tree_rows() {
  std::vector<Row> rows;
  const double small = update_rate(100'000);
  const double large = update_rate(2'000'000);
  rows.push_back({.name = "root update of 10,000 keys, 10^5 accounts",
                  .value = kChanged / small * 1'000,
                  .unit = "ms",
                  .less_is_better = true});
  rows.push_back({.name = "root update of 10,000 keys, 2*10^6 accounts",
                  .value = kChanged / large * 1'000,
                  .unit = "ms",
                  .limit = kChanged / small * 1'000,
                  .limit_text = "the same at 10^5 accounts",
                  .target = 2,
                  .less_is_better = true});
  return rows;
}

}  // namespace tally::bench
