// What must hold in every world, judged from outside: from the frames that honest nodes send and
// from what they report as final. None of it calls a predicate of the code under test.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "node/consensus/actions.hpp"
#include "node/core/wire.hpp"

namespace tally::sim {

struct CheckedChain {
  std::size_t nodes{};
  Hash genesis_hash;
  std::uint32_t epoch_length{};
  ValidatorSet first;   // of epoch 1
  ValidatorSet second;  // of epoch 2
  std::function<bool(const Ed25519Key&, ByteView message, const Ed25519Signature&)> signed_by;
};

class Checkers {
 public:
  explicit Checkers(CheckedChain chain);

  // A node without an adversary reported a block as final.
  // `latest`: what no header may be beyond now, by the clocks of those who are honest.
  void on_final(std::size_t node, const consensus::Finalized& block, TimestampMs latest);
  // A node without an adversary stands there now, without having been told of the blocks before.
  void on_snapshot(std::size_t node, const ports::ChainHead& head);
  // An honest node's frame has left it. `key` is its consensus key, if it has one.
  void on_sent(std::size_t node, const std::optional<Ed25519Key>& key,
               const core::WireMessage& message);
  // Of this node's votes only those bind it that have reached another; all of them do by default.
  void judge_on_arrival(std::size_t node) { on_arrival_ = node; }
  bool judges_on_arrival(std::size_t node) const { return on_arrival_ == node; }
  void on_arrived(std::size_t from, const std::optional<Ed25519Key>& key,
                  const core::WireMessage& message);
  // What a light client would be given of all epochs that are over at this node.
  void on_epoch_proofs(std::size_t node, const std::vector<EpochProof>& proofs);
  void on_violation(std::size_t node, const std::string& what);
  void fail(std::string what) { failures_.push_back(std::move(what)); }

  // By the headers of final blocks; null while it was not named.
  const ValidatorSet* set_of(Epoch epoch) const;
  // Every set of an epoch that has not ended everywhere has four members at least.
  bool can_spare_one() const;
  std::size_t set_changes() const;
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
    TimestampMs time;
  };
  struct Cast {
    std::optional<Hash> notarize;
    std::optional<Hash> finalize;
    bool nullify = false;
  };

  bool is_reminder(const std::optional<Ed25519Key>& key, const Vote& vote) const;
  void on_vote(std::size_t node, const std::optional<Ed25519Key>& key, const Vote& vote);
  void bind(std::size_t node, const Statement& statement);
  void on_set_item(const std::string& where, const consensus::Finalized& block);
  void on_certificate(const std::string& where, const Certificate& certificate);
  void on_epoch_proof(const std::string& where, Epoch epoch, const EpochProof& proof);

  CheckedChain about_;
  std::map<std::uint64_t, ValidatorSet> sets_;  // by epoch
  std::optional<std::size_t> on_arrival_;
  std::set<Hash> seen_;  // certificates and proofs that were judged
  std::vector<std::uint32_t> heights_;
  std::map<std::uint32_t, Final> chain_;
  std::set<std::uint64_t> epochs_;
  std::size_t transactions_ = 0;
  std::map<std::tuple<std::size_t, std::uint64_t, std::uint64_t>, Cast> cast_;
  std::vector<std::string> failures_;
};

}  // namespace tally::sim
