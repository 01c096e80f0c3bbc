// Many channels of one host, and the day on which all of them are ended at once, alone, while the
// lane is full: by the host that goes out of business, or by peers of whom some claim old states.
// The chain settles a few a block, in order; nobody loses by the wait.
#include <algorithm>

#include "modules/channels/signing.hpp"
#include "tests/channel_sim/sim.hpp"

namespace tally::channel_sim {
namespace {

using channels::Side;

constexpr DurationMs kPeriod{20'000};
constexpr Balance kDeposit{20'000'000};

class MassExit {
 public:
  explicit MassExit(const LifeOptions& options)
      : options_(options),
        random_(options.seed),
        trace_(options.trace),
        peers_count_(8 + random_() % 17),
        pace_(chain(options), random_, coverage_, trace_) {
    machines_.push_back(make(key_of("host")));
    for (std::size_t i = 0; i < peers_count_; ++i) machines_.push_back(make(peer_key(i)));
  }

  LifeResult run() {
    LifeResult out;
    try {
      out.failure = live();
    } catch (const std::logic_error& broken) {
      out.failure = broken.what();
    }
    out.coverage = coverage_;
    out.trace = trace_.value();
    out.blocks = pace_.chain().block.number.value;
    out.messages = messages_;
    for (const auto& m : machines_) out.deaths += m->deaths();
    return out;
  }

 private:
  struct Line {
    AccountId to;
    AccountId from;
    Bytes message;
  };
  static KeyPair peer_key(std::size_t i) { return key_of("peer " + std::to_string(i)); }
  std::uint64_t pick(std::uint64_t below) { return random_() % below; }
  bool one_in(std::uint64_t n) { return pick(n) == 0; }
  Machine& host() { return *machines_.front(); }
  Machine& peer(std::size_t i) { return *machines_[i + 1]; }

  PaceOptions chain(const LifeOptions& life) const {
    PaceOptions out;
    const Balance plenty(1'000 * kCredit.micro);
    out.chain.accounts = {{key_of("host").account(), plenty}, {key_of("tower").account(), plenty}};
    for (std::size_t i = 0; i < peers_count_; ++i) {
      out.chain.accounts[peer_key(i).account()] = plenty;
    }
    out.chain.invariants = life.module_invariants;
    out.chain.channels.settlements_max = 2;
    out.period = kPeriod;
    out.lane = 3;
    return out;
  }

  std::unique_ptr<Machine> make(const KeyPair& key) {
    const AccountId from = key.account();
    return std::make_unique<Machine>(
        MachineOptions{key, key_of("tower").account(), sim_policy(), 150}, pace_, random_,
        coverage_, [this, from](const ChannelId&, const AccountId& to, Bytes message) {
          trace_.note("message", message);
          ++messages_;
          line_.push_back({to, from, std::move(message)});
        });
  }

  Machine* machine_of(const AccountId& account) {
    for (const auto& m : machines_) {
      if (m->key().account() == account) return m.get();
    }
    return nullptr;
  }

  // Every peer opens to the host.
  void open() {
    const AccountId host_account = host().key().account();
    for (const auto& m : machines_) m->power_on();
    for (std::size_t i = 0; i < peers_count_; ++i) {
      const AccountId account = peer(i).key().account();
      ids_.push_back(pace_.chain().id_of_next(account, host_account, kPeriod));
      pace_.watch(ids_.back());
      for (const Side side : channels::kBothSides) {
        Machine& m = side == Side::a ? peer(i) : host();
        m.judge(ids_.back(), {side, account, host_account, kDeposit, Balance{}});
        const channel::Terms terms{ids_.back(), account, host_account, kDeposit,
                                   Balance{},   kPeriod, side};
        while (m.record(ids_.back()) == nullptr) {
          m.turn([&](channel::ChannelDriver& d) { static_cast<void>(d.open(terms)); });
        }
      }
      pace_.submit(account, channels::Open{host_account, {kDeposit}, {}, std::nullopt, kPeriod});
    }
    const auto all_open = [&] {
      return std::all_of(ids_.begin(), ids_.end(),
                         [&](const ChannelId& id) { return pace_.chain().channel(id); });
    };
    while (!all_open()) block();
    for (int i = 0; i < 3; ++i) block();
  }

  void deliver() {
    for (std::size_t n = line_.size(); n > 0; --n) {
      const Line next = std::move(line_.front());
      line_.pop_front();
      if (Machine* to = machine_of(next.to)) to->receive(next.from, {next.message});
    }
  }

  void block() {
    const auto now_final = pace_.next();
    if (now_final) {
      for (const auto& m : machines_) m->on_final(*now_final);
      for (const channels::Event& event : now_final->events) {
        const auto* newer = std::get_if<channels::ChallengeRefuted>(&event);
        if (newer != nullptr && exiting_) coverage_.hit(Mark::exit_refuted);
      }
    }
    for (const auto& m : machines_) m->fire_timers();
    const std::uint64_t settled = pace_.checker().settled_in(pace_.chain().block.number.value);
    if (settled > pace_.chain().config().settlements_max) too_many_ = true;
    if (settled == pace_.chain().config().settlements_max) coverage_.hit(Mark::exit_queue);
  }

  void pay() {
    for (std::size_t i = 0; i < peers_count_; ++i) {
      if (one_in(2)) peer(i).step(ids_[i], channel::Pay{Balance(1 + pick(400'000)), {}});
    }
    deliver();
    if (one_in(3)) block();
    for (std::size_t i = 0; i < peers_count_; ++i) {
      // A turned peer keeps what it will claim. It is judged no more.
      const channel::Record* record = peer(i).record(ids_[i]);
      if (old_[i] || !one_in(12) || record == nullptr || !record->newest) continue;
      old_[i] = record->newest;
    }
  }

  void exit() {
    exiting_ = true;
    pace_.flood(true);
    coverage_.hit(Mark::exit_lane_full);
    const bool host_leaves = one_in(3);
    for (std::size_t i = 0; i < peers_count_; ++i) {
      if (host_leaves) {
        host().step(ids_[i], channel::End{});
      } else if (old_[i]) {
        peer(i).checkers().clear();
        peer(i).mute();
        pace_.favour(peer(i).key().account());
        pace_.submit(peer(i).key().account(), channels::CloseUnilateral{ids_[i], old_[i]});
      } else {
        peer(i).step(ids_[i], channel::End{});
      }
    }
  }

  std::optional<std::string> breach() const {
    if (too_many_) return "more was settled in a block than may be";
    for (const auto& m : machines_) {
      if (const auto found = m->breach()) return found;
    }
    return pace_.checker().breach();
  }

  std::optional<std::string> live() {
    old_.resize(peers_count_);
    open();
    for (std::size_t i = 0; i < 30; ++i) {
      pay();
      if (const auto found = breach()) return found;
    }
    exit();
    for (int i = 0; i < 3'000; ++i) {
      if (i == 200) pace_.flood(false);
      block();
      deliver();
      if (const auto found = breach()) return found;
      std::size_t alive = 0;
      for (const ChannelId& id : ids_) alive += pace_.chain().channel(id) ? 1 : 0;
      if (alive == 0) break;
      // A machine that died before the wish was written has forgotten it.
      if (i % 200 != 199) continue;
      for (std::size_t k = 0; k < peers_count_; ++k) {
        if (pace_.chain().channel(ids_[k])) host().step(ids_[k], channel::End{});
      }
    }
    for (const ChannelId& id : ids_) {
      if (pace_.chain().channel(id)) return "a channel never ended";
    }
    for (int i = 0; i < 4; ++i) block();
    return breach();
  }

  LifeOptions options_;
  std::mt19937_64 random_;
  Coverage coverage_;
  Trace trace_;
  std::size_t peers_count_;
  Pace pace_;
  std::vector<std::unique_ptr<Machine>> machines_;  // the host, then its peers
  std::vector<ChannelId> ids_;
  std::vector<std::optional<channels::CoSignedState>> old_;
  std::deque<Line> line_;
  std::uint64_t messages_ = 0;
  bool exiting_ = false;
  bool too_many_ = false;
};

}  // namespace

LifeResult run_mass_exit(const LifeOptions& options) {
  return MassExit(options).run();
}

}  // namespace tally::channel_sim
