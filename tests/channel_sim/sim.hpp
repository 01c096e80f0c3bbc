// One channel's life in virtual time from one seed: two parties with their drivers and journals, a
// tower, a network that loses connections, a chain that loses and delays transactions and holds
// blocks back, machines that die, and, in some runs, a peer that does whatever helps it.
//
// The chain is the real module over a state in memory; the parties are the real drivers on the
// simulated disk. Checker (checker.hpp) judges.
#pragma once

#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "client-sdk/channel/driver.hpp"
#include "client-sdk/channel/tower.hpp"
#include "tests/channel_sim/chain.hpp"
#include "tests/channel_sim/checker.hpp"
#include "tests/channel_sim/disk.hpp"
#include "tests/channel_sim/signer.hpp"

namespace tally::channel_sim {

struct SimOptions {
  std::uint64_t seed = 0;
  std::size_t steps = 160;
  std::optional<channels::Side> malicious;
  std::optional<channels::Side> restores;  // this side comes back from an old backup once
};

class Simulation {
 public:
  explicit Simulation(const SimOptions& options);
  // What went wrong, with the seed; nothing if all held.
  std::optional<std::string> run();

 private:
  // A transaction on its way into a block.
  struct Pending {
    AccountId signer;
    channels::Call call;
    int patience;  // blocks that may pass it over
  };
  struct Block {
    std::vector<channels::Event> events;
    std::optional<channels::Channel> channel;  // after it
  };
  struct Timer {
    channels::Side side;
    channel::TimerKind kind;
    std::uint64_t at;
  };
  // One party's machine.
  class Machine final : public channel::Effects {
   public:
    Machine(Simulation& sim, channels::Side side) : sim_(sim), side_(side) {}
    void start();
    void die();
    void finish_turn(bool lose_effects = false);
    void send(const ChannelId&, const AccountId&, Bytes message) override;
    void submit(const ChannelId&, const channels::Call& call, bool by_third_party) override;
    void set_timer(const ChannelId&, channel::TimerKind kind, DurationMs after) override;
    void tell(const ChannelId&, const channel::Tell& notice) override;

    SimDisk disk;
    std::unique_ptr<channel::ChannelDriver> driver;
    std::optional<Checker> checker;  // honest ones have one
    std::vector<channel::Message> received_in_turn;
    std::optional<channel::Record> backup;

   private:
    Simulation& sim_;
    channels::Side side_;
    bool lose_effects_ = false;
  };

  Machine& machine(channels::Side side) { return side == channels::Side::a ? a_ : b_; }
  bool honest(channels::Side side) const { return options_.malicious != side; }
  std::uint64_t pick(std::uint64_t below) { return random_() % below; }
  bool one_in(std::uint64_t n) { return pick(n) == 0; }

  void open();
  void step();
  void act(channels::Side side);
  void step_party(channels::Side side, const channel::Event& event);
  void deliver(channels::Side to);
  void reconnect();
  void crash(channels::Side side);
  void restore_old(channels::Side side);
  void block(bool carries);
  void include_pending();
  void finalize(const Block& block);
  void fire_timers();
  void give_tower(channels::Side side);
  void submit_by(const AccountId& signer, const channels::Call& call);
  std::optional<std::string> breach() const;
  std::optional<std::string> wind_up();

  // adversary.cpp
  const channels::ChannelState& evil_choice();
  void do_evil();
  void evil_chain();
  void evil_message();
  channels::CoSignedState evil_complete(const channels::ChannelState& state) const;

  SimOptions options_;
  std::mt19937_64 random_;
  Pair pair_;
  KeyPair tower_key_;
  TestChain chain_;
  ChannelId id_;
  Machine a_;
  Machine b_;
  SimDisk tower_disk_;
  std::unique_ptr<channel::Tower> tower_;
  channels::PerSide<std::deque<Bytes>> line_;  // under way to a side
  std::vector<Pending> pending_;
  std::vector<Timer> timers_;
  std::deque<Block> not_final_;
  std::optional<channels::Channel> final_channel_;
  bool final_open_ = false;                               // the open is final
  std::vector<channels::ChannelState> signed_by_honest_;  // what the malicious side can complete
  std::uint64_t receipts_ = 0;
  std::uint64_t held_back_ = 0;  // blocks in a row without our transactions
  bool evil_now_ = false;
  bool has_tower_ = false;
  bool restored_ = false;
};

}  // namespace tally::channel_sim
