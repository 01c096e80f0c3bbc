// Root update for 10,000 changed keys, and how it grows with the number of accounts.
#include <algorithm>

#include "primitives/crypto/hash.hpp"
#include "runtime/tree/tree.hpp"
#include "tools/benchmarks/measure.hpp"
#include "tools/benchmarks/node_table.hpp"

namespace tally::bench {
namespace {

constexpr std::uint64_t kChanged = 10'000;

StateKeyHash path_of(std::uint64_t account) {
  return StateKeyHash(*StateKeyHash::from(blake2_256(encode(account)).view()));
}

std::vector<tree::Change> changes_of_accounts(std::uint64_t first, std::uint64_t count,
                                              std::uint64_t stride, std::uint64_t salt) {
  std::vector<tree::Change> out;
  out.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t account = first + i * stride;
    const Hash value = blake2_256(encode(std::pair{account, salt}));
    out.push_back({path_of(account), *StateValueHash::from(value.view())});
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return out;
}

class Tree {
 public:
  // A sixteenth of the paths at a time, so that the work in progress stays small.
  explicit Tree(std::uint64_t accounts) {
    std::vector<tree::Change> all = changes_of_accounts(0, accounts, 1, 0);
    std::span<const tree::Change> left = all;
    while (!left.empty()) {
      const std::size_t part = std::min<std::size_t>(left.size(), accounts / 16 + 1);
      update(left.first(part));
      left = left.subspan(part);
    }
  }
  void update(std::span<const tree::Change> changes) {
    version_ = version_.next();
    auto next = tree::update(nodes_, root_, version_, changes);
    TALLY_ASSERT(next.ok());
    nodes_.apply(*next);
    root_ = next->root;
  }

 private:
  NodeTable nodes_;
  tree::Root root_;
  BlockNumber version_;
};

// Keys a second in updates of 10,000 keys, on a tree of `accounts`.
double update_rate(std::uint64_t accounts) {
  Tree tree(accounts);
  std::vector<std::vector<tree::Change>> rounds;
  const std::uint64_t stride = std::max<std::uint64_t>(accounts / kChanged, 1);
  for (std::uint64_t salt = 1; salt <= 8; ++salt) {
    rounds.push_back(changes_of_accounts(salt % stride, kChanged, stride, salt));
  }
  std::size_t round = 0;
  return rate(1.0, kChanged, [&] { tree.update(rounds[round++ % rounds.size()]); });
}

Row row(std::string accounts, double milliseconds) {
  return {.name = "root update of 10,000 keys, " + std::move(accounts) + " accounts",
          .value = milliseconds,
          .unit = "ms",
          .less_is_better = true};
}

double milliseconds(std::uint64_t accounts) {
  return kChanged / update_rate(accounts) * 1'000;
}

}  // namespace

std::vector<Row> tree_rows() {
  std::vector<Row> rows;
  rows.push_back(row("10^4", milliseconds(10'000)));
  const double small = milliseconds(100'000);
  rows.push_back(row("10^5", small));
  const auto add = [&](std::string name, std::uint64_t accounts) {
    Row next = row(std::move(name), milliseconds(accounts));
    next.limit = small;
    next.limit_text = "the same at 10^5 accounts";
    next.target = 2;
    rows.push_back(std::move(next));
  };
  add("10^6", 1'000'000);
  add("2*10^6", 2'000'000);
  if (full_size()) add("10^7", 10'000'000);  // 3.3 GiB
  return rows;
}

}  // namespace tally::bench
