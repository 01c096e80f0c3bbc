// What the bad days look at, all from the outside: the state that a node says it is in, its hash of
// a height, whether anybody holds evidence.
#pragma once

#include "tests/e2e/answer.hpp"
#include "tests/e2e/cluster.hpp"

namespace tally::tests {

class Watch {
 public:
  explicit Watch(Cluster& cluster) : cluster_(cluster) {}

  // `tally node status --json`; null while nobody answers.
  Json status(std::size_t node) {
    const std::string log =
        (cluster_.folder().path() / ("status" + std::to_string(++calls_) + ".log")).string();
    const Ended ended =
        run_to_end({std::string(TALLY_BINARY_DIR) + "/bin/tally", "--json", "--node",
                    "127.0.0.1:" + std::to_string(cluster_.ports(node).rpc), "node", "status"},
                   log, kPatience);
    const Answer answer = answer_of(ended);
    return answer.exit_code == 0 ? answer.json : Json();
  }
  bool is(std::size_t node, const std::string& state) {
    const Json now = status(node);
    return !now.is_null() && now["state"] == state;
  }
  bool comes_to(std::size_t node, const std::string& state) {
    return eventually(2 * kPatience, [&] { return is(node, state); });
  }
  // Whether the node says this word in its reason.
  bool says(std::size_t node, const std::string& word) {
    const Json now = status(node);
    return !now.is_null() && now["reason"].get<std::string>().find(word) != std::string::npos;
  }

  std::filesystem::path folder(std::size_t node) const {
    return cluster_.folder().path() / ("node" + std::to_string(node));
  }
  bool any_evidence() const {
    for (std::size_t i = 0; i < 5; ++i) {
      if (std::filesystem::exists(folder(i) / "evidence")) return true;
    }
    return false;
  }
  // The lowest of the final heights of these nodes, at which all of them must have one hash, and
  // hence one chain below it.
  std::uint32_t one_chain(const std::vector<std::size_t>& nodes) {
    std::vector<std::unique_ptr<client::ChainClient>> clients;
    std::uint32_t common = ~std::uint32_t{0};
    for (const std::size_t node : nodes) {
      clients.push_back(cluster_.client(node));
      common = std::min(common, Cluster::height(*clients.back()));
    }
    std::optional<Hash> hash;
    for (auto& from : clients) {
      const auto head = from->finalized_at(BlockNumber(common));
      REQUIRE(head.ok());
      if (hash) CHECK(*hash == head->hash);
      hash = head->hash;
    }
    return common;
  }
  bool goes_on(std::size_t node, std::uint32_t blocks) {
    const auto from = cluster_.client(node);
    const std::uint32_t before = Cluster::height(*from);
    return eventually(2 * kPatience, [&] { return Cluster::height(*from) >= before + blocks; });
  }
  void kill(std::size_t node) {
    cluster_.node(node).signal(SIGKILL);
    REQUIRE(cluster_.node(node).wait(kPatience));
  }

 private:
  Cluster& cluster_;
  int calls_ = 0;
};

}  // namespace tally::tests
