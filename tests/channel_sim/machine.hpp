// One account's machine: the real driver on a simulated disk, the effects that leave it, and the
// ways in which it dies. It may die between any two writes or effects; it then comes back with what
// its disk kept and what is final on the chain.
#pragma once

#include <functional>

#include "client-sdk/channel/driver.hpp"
#include "tests/channel_sim/checker.hpp"
#include "tests/channel_sim/disk.hpp"
#include "tests/channel_sim/pace.hpp"

namespace tally::channel_sim {

struct MachineOptions {
  KeyPair key;
  AccountId third_party;  // refutes for restored channels
  channel::Policy policy;
  std::uint64_t dies_in_turns = 0;  // about one turn in so many; 0: never
};

class Machine final : public channel::Effects {
 public:
  // What leaves for the peer of a channel.
  using Post = std::function<void(const ChannelId&, const AccountId& to, Bytes)>;

  Machine(const MachineOptions& options, Pace& pace, std::mt19937_64& random, Coverage& coverage,
          Post post);

  void power_on();
  void power_off();
  bool is_on() const { return driver_ != nullptr; }
  // Dies now, and comes back.
  void crash();
  // Does something with the driver and ends the turn; false if it died on the way and came back.
  bool turn(const std::function<void(channel::ChannelDriver&)>& work);
  bool step(const ChannelId& channel, const channel::Event& event);
  // Takes whatever splice was offered.
  bool accept_splice(const ChannelId& channel);
  bool receive(const AccountId& peer, const std::vector<Bytes>& messages);
  void connected(const AccountId& peer);
  void on_final(const Pace::Block& block);
  void fire_timers();

  // The journal is lost; this is all there is.
  void restore_backup(const channel::Record& record);
  Bytes disk_image() const { return disk_.image(); }
  void restore_disk(Bytes image);

  void judge(const ChannelId& channel, const Checker::Setup& setup);
  std::map<ChannelId, Checker>& checkers() { return checkers_; }
  std::optional<std::string> breach() const;
  const channel::Record* record(const ChannelId& channel) const;
  // Whether a final block shows the channel in challenge.
  bool sees_challenge(const ChannelId& channel) const;
  // What its driver would post alone is dropped: someone else decides that.
  void mute() { muted_ = true; }
  const KeyPair& key() const { return options_.key; }
  std::uint64_t deaths() const { return deaths_; }

 private:
  struct Timer {
    ChannelId channel;
    channel::TimerKind kind;
    std::uint64_t at;
  };
  void send(const ChannelId& channel, const AccountId& peer, Bytes message) override;
  void submit(const ChannelId& channel, const channels::Call& call, bool by_third_party) override;
  void set_timer(const ChannelId& channel, channel::TimerKind kind, DurationMs after) override;
  void tell(const ChannelId& channel, const channel::Tell& notice) override;
  void start();
  void died(Mark where);

  MachineOptions options_;
  Pace& pace_;
  std::mt19937_64& random_;
  Coverage& coverage_;
  Post post_;
  SimDisk disk_;
  std::unique_ptr<channel::ChannelDriver> driver_;
  std::vector<Timer> timers_;
  std::vector<channel::Message> received_;  // in this turn
  std::map<ChannelId, Checker> checkers_;
  std::map<ChannelId, std::optional<channels::Channel>> final_;  // that were once open
  std::uint64_t deaths_ = 0;
  bool muted_ = false;
};

}  // namespace tally::channel_sim
