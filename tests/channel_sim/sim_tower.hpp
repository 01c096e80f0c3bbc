// A watchtower on a simulated disk that may lag, die between any two writes, or lie: it says that
// it keeps a state and does not, or posts an old one.
#pragma once

#include "client-sdk/channel/tower.hpp"
#include "tests/channel_sim/disk.hpp"
#include "tests/channel_sim/pace.hpp"

namespace tally::channel_sim {

class SimTower {
 public:
  SimTower(const KeyPair& key, Pace& pace, std::mt19937_64& random, Coverage& coverage);

  const AccountId& account() const { return account_; }
  // Whether it says that it has it.
  bool give(const channel::Watch& watch);
  void on_final(const Pace::Block& block);

  void lag(std::size_t blocks) { lag_ = blocks; }
  void crash();
  void lie(bool lies) { lies_ = lies; }
  bool lies() const { return lies_; }
  void post_something_old();

 private:
  void start();
  void see(const Pace::Block& block);
  void submit_due();

  KeyPair key_;
  AccountId account_;
  Pace& pace_;
  std::mt19937_64& random_;
  Coverage& coverage_;
  SimDisk disk_;
  std::unique_ptr<channel::Tower> tower_;
  std::deque<Pace::Block> unseen_;
  std::map<ChannelId, std::optional<channels::Channel>> seen_;
  BlockNumber at_;  // the block that seen_ is of
  std::vector<channel::Watch> given_;
  std::size_t lag_ = 0;
  bool lies_ = false;
};

}  // namespace tally::channel_sim
