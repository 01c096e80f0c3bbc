// What must hold in every world, judged from outside: from the frames that honest nodes send and
// from what they report as final. None of it calls a predicate of the code under test.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "node/consensus/actions.hpp"
#include "node/core/wire.hpp"

namespace tally::sim {

class Checkers {
 public:
  explicit Checkers(std::size_t nodes) : heights_(nodes) {}

  // A node without an adversary reported a block as final.
  void on_final(std::size_t node, const consensus::Finalized& block);
  // An honest node's frame has left it.
  void on_sent(std::size_t node, const core::WireMessage& message);
  void on_violation(std::size_t node, const std::string& what);
  void fail(std::string what) { failures_.push_back(std::move(what)); }

  std::uint32_t height(std::size_t node) const { return heights_[node]; }
  std::uint32_t highest() const;
  std::size_t transactions() const { return transactions_; }
  std::size_t epochs() const { return epochs_.size(); }
  const std::vector<std::string>& failures() const { return failures_; }

 private:
  struct Final {
    Hash hash;
    Hash state_root;
    Hash parent;
  };
  struct Cast {
    std::optional<Hash> notarize;
    std::optional<Hash> finalize;
    bool nullify = false;
  };

  void on_vote(std::size_t node, const Vote& vote);

  std::vector<std::uint32_t> heights_;
  std::map<std::uint32_t, Final> chain_;
  std::set<std::uint64_t> epochs_;
  std::size_t transactions_ = 0;
  std::map<std::tuple<std::size_t, std::uint64_t, std::uint64_t>, Cast> cast_;
  std::vector<std::string> failures_;
};

}  // namespace tally::sim
