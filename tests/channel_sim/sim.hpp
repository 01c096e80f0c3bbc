// Lives of channels in virtual time, each from one seed.
//
// Simulation is one channel's life: two parties with their machines, a tower, a network that loses
// connections, a chain that loses, delays and reorders calls, and, in some shapes, a peer that does
// whatever helps it (adversary.cpp). Checker and ChainChecker judge. Colluders (colluders.cpp) and
// a mass exit (mass_exit.cpp) have worlds of their own.
//
// The chain is the real module over a state in memory; the parties are the real drivers on
// simulated disks. The same seed and shape give the same life, to the byte (LifeResult::trace).
#pragma once

#include <deque>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "tests/channel_sim/machine.hpp"
#include "tests/channel_sim/signer.hpp"
#include "tests/channel_sim/sim_tower.hpp"

namespace tally::channel_sim {

enum class Shape : std::uint8_t {
  honest,  // both
  opener_cheats,
  counterparty_cheats,
  opener_restored,  // from an old backup or an old disk
  counterparty_restored,
  restored_and_cheated,  // one side restored, the other cheats
  colluders,             // both, against the chain
  mass_exit,             // many channels of one host at once
  count
};
constexpr std::size_t kShapes = static_cast<std::size_t>(Shape::count);
constexpr std::array<std::string_view, kShapes> kShapeNames{"honest",
                                                            "opener-cheats",
                                                            "counterparty-cheats",
                                                            "opener-restored",
                                                            "counterparty-restored",
                                                            "restored-and-cheated",
                                                            "colluders",
                                                            "mass-exit"};

struct LifeOptions {
  std::uint64_t seed = 0;
  Shape shape = Shape::honest;
  std::size_t steps = 240;
  // The modules' own invariants are checked as well; without, only what the simulator brings.
  bool module_invariants = true;
  std::ostream* trace = nullptr;
};
struct LifeResult {
  std::optional<std::string> failure;
  Coverage coverage;
  std::uint64_t trace = 0;  // of everything that was said and included
  std::uint64_t blocks = 0;
  std::uint64_t messages = 0;
  std::uint64_t deaths = 0;
};
LifeResult run_life(const LifeOptions& options);

channel::Policy sim_policy();

class Simulation {
 public:
  explicit Simulation(const LifeOptions& options);
  LifeResult run();

 private:
  // What a malicious side does, in any mixture.
  struct Habits {
    bool lies{};       // offers that are wrong in a field
    bool posts{};      // old states
    bool patient{};    // posts one and then keeps quiet
    bool storms{};     // posts one after the other
    bool withholds{};  // countersignatures, closes, splices
    bool replays{};
    bool falls_silent{};
  };

  Machine& machine(channels::Side side) { return side == channels::Side::a ? a_ : b_; }
  bool honest(channels::Side side) const { return malicious_ != side; }
  std::uint64_t pick(std::uint64_t below) { return random_() % below; }
  bool one_in(std::uint64_t n) { return pick(n) == 0; }

  void open();
  void step();
  void act(channels::Side side);
  void act_on_chain_matters(channels::Side side);
  void splice(channels::Side side);
  void deliver(channels::Side to);
  void post(channels::Side from, Bytes message);
  void reconnect();
  void restore(channels::Side side);
  void block();
  void count_marks(const Pace::Block& block);
  bool give_tower(channels::Side side);
  void trouble_tower();
  void go_away(channels::Side side);
  void come_back();
  std::optional<std::string> breach() const;
  std::optional<std::string> live();
  std::optional<std::string> wind_up();

  // adversary.cpp
  void remember_signed(const channel::Message& message);
  bool keeps_back(const channel::Message& message);
  const channels::ChannelState& evil_choice();
  void do_evil();
  void evil_chain();
  void evil_withheld();
  void evil_message();
  void evil_replay();

  LifeOptions options_;
  std::optional<channels::Side> malicious_;
  std::optional<channels::Side> restores_;
  std::mt19937_64 random_;
  Coverage coverage_;
  Trace trace_;
  Pair pair_;
  Pace pace_;
  ChannelId id_;
  Machine a_;
  Machine b_;
  std::unique_ptr<SimTower> tower_;
  channels::PerSide<std::deque<Bytes>> line_;  // under way to a side
  std::vector<Bytes> said_by_malicious_;
  Habits habits_;
  // What the malicious side can complete, since signing the same again gives the same bytes.
  std::vector<channels::ChannelState> signed_updates_;
  std::vector<channels::ChannelState> signed_closes_;
  std::vector<channels::SpliceBody> signed_splices_;
  channels::PerSide<std::optional<channel::Record>> backups_;
  channels::PerSide<std::optional<std::pair<Bytes, channel::Record>>> old_disks_;
  std::optional<channels::Side> away_;
  std::uint64_t away_until_ = 0;
  std::uint64_t flood_until_ = 0;
  std::uint64_t silent_until_ = 0;
  std::uint64_t messages_ = 0;
  std::uint64_t receipts_ = 0;
  bool restored_ = false;
  bool request_refuted_ = false;
  bool evil_now_ = false;
};

LifeResult run_colluders(const LifeOptions& options);
LifeResult run_mass_exit(const LifeOptions& options);

}  // namespace tally::channel_sim
