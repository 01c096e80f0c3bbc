// The chain as a party sees it: calls wait to be included, some blocks carry nothing, an adversary
// that makes blocks puts its own calls first and keeps others' out for as long as a live watcher
// must bear, the lane for operational calls fills up, and a block is final two blocks later.
//
// What a watcher must bear: from its first call of a challenge on, a quarter of the challenge
// period as the lane stretches it. After that it gets into the next block, whatever else is there.
#pragma once

#include <deque>
#include <map>
#include <random>
#include <set>

#include "tests/channel_sim/chain.hpp"
#include "tests/channel_sim/chain_checker.hpp"
#include "tests/channel_sim/coverage.hpp"
#include "tests/channel_sim/trace.hpp"

namespace tally::channel_sim {

struct PaceOptions {
  TestChainOptions chain;
  DurationMs period;               // of the channels
  std::uint32_t lane = 6;          // operational calls that a block holds
  std::uint32_t lane_window = 60;  // blocks over which the lane's use counts
  bool censors = true;
};

class Pace {
 public:
  struct Block {
    BlockNumber number;
    std::vector<channels::Event> events;
    std::map<ChannelId, std::optional<channels::Channel>> channels;  // after it
  };
  Pace(const PaceOptions& options, std::mt19937_64& random, Coverage& coverage, Trace& trace);

  void submit(const AccountId& signer, const channels::Call& call);
  // The adversary's: first in a block, and never kept out.
  void favour(const AccountId& account) { favoured_.insert(account); }
  void watch(const ChannelId& id) { watched_.insert(id); }
  // Others pay for the whole lane.
  void flood(bool on) { flooded_ = on; }
  // Makes a block; the one that is final by that, if there is one.
  std::optional<Block> next();
  BlockNumber final_number() const;

  TestChain& chain() { return chain_; }
  const TestChain& chain() const { return chain_; }
  const ChainChecker& checker() const { return checker_; }
  std::uint64_t now() const { return chain_.block.time.value; }

 private:
  struct Pending {
    AccountId signer;
    channels::Call call;
  };
  std::uint64_t bearable() const;
  std::uint64_t waited(const AccountId& signer) const;
  bool gets_in(const Pending& tx, bool censored, std::uint32_t lane_left);
  void include();
  void run(const Pending& tx);
  void judge(const AccountId& signer, const channels::Call* call);
  void check_ledger();

  PaceOptions options_;
  std::mt19937_64& random_;
  Coverage& coverage_;
  Trace& trace_;
  TestChain chain_;
  ChainChecker checker_;
  std::set<AccountId> favoured_;
  std::set<ChannelId> watched_;
  std::deque<Pending> pending_;
  std::map<AccountId, std::uint64_t> waiting_since_;
  std::deque<std::uint32_t> lane_used_;
  std::deque<Block> not_final_;
  std::uint64_t started_ = 0;  // the challenge that began last
  bool flooded_ = false;
};

}  // namespace tally::channel_sim
