// Two parties that sign whatever helps both, against the chain: states that do not add up, old
// versions, splices out of nothing, in two channels at once. Nobody is owed anything: ChainChecker
// looks at what the chain holds and pays.
#include "modules/channels/signing.hpp"
#include "primitives/crypto/hash.hpp"
#include "tests/channel_sim/sim.hpp"

namespace tally::channel_sim {
namespace {

constexpr DurationMs kPeriod{4'000};

class Colluders {
 public:
  explicit Colluders(const LifeOptions& options)
      : options_(options),
        random_(options.seed),
        trace_(options.trace),
        pace_(chain(options), random_, coverage_, trace_) {}

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
    return out;
  }

 private:
  std::uint64_t pick(std::uint64_t below) { return random_() % below; }
  bool one_in(std::uint64_t n) { return pick(n) == 0; }

  PaceOptions chain(const LifeOptions& life) const {
    PaceOptions out;
    for (const char* name : {"alice", "bob", "tower", "stranger"}) {
      out.chain.accounts[key_of(name).account()] = Balance(1'000 * kCredit.micro);
    }
    out.chain.invariants = life.module_invariants;
    out.period = kPeriod;
    out.censors = false;
    return out;
  }

  void open() {
    const Balance deposit(10'000'000 + pick(1'000));
    ids_.push_back(pace_.chain().id_of_next(pair_.a.account(), pair_.b.account(), kPeriod));
    pace_.watch(ids_.back());
    pace_.submit(pair_.a.account(),
                 channels::Open{pair_.b.account(), {deposit}, {}, std::nullopt, kPeriod});
  }

  // Often right in all but one thing, so that every single check is what stands in the way.
  channels::ChannelState state(const ChannelId& id) {
    const auto channel = pace_.chain().channel(id);
    u128 held = 10'000'000;
    std::uint64_t version = 1 + pick(30);
    if (channel) {
      held = channel->floor.balance_a.micro + channel->floor.balance_b.micro;
      const std::uint64_t newest = channel->challenge ? channel->challenge->standing.version.value
                                                      : channel->floor.version.value;
      version = one_in(6) ? pick(newest + 1) : newest + 1 + pick(4);
    }
    if (one_in(6)) held += 1'000'000 + pick(3'000'000);
    if (one_in(12)) held -= std::min<u128>(held, 1 + pick(3'000'000));
    const Balance b(held == 0 ? 0 : pick(static_cast<std::uint64_t>(held) + 1));
    const std::uint64_t acked = one_in(12) ? version + pick(2) : version == 0 ? 0 : pick(version);
    return {id, ChannelVersion(version), Balance(held - b.micro), b, {}, 0, ChannelVersion(acked)};
  }

  channels::Call call(const ChannelId& id) {
    const channels::ChannelState s = state(id);
    switch (pick(12)) {
      case 0:
        if (one_in(4)) return channels::Close{pair_.close(s)};
        return channels::RequestClose{id};
      case 1:
        return channels::CloseUnilateral{id, std::nullopt};
      case 2:
        return channels::Settle{id};
      case 3:
      case 4: {
        const auto delta = [&] {
          return BalanceDelta(static_cast<i128>(pick(4'000'000)) - 2'000'000);
        };
        channels::SpliceBody body{s, delta(), delta(), pace_.chain().block.number};
        if (!one_in(4)) body.valid_until = BlockNumber(body.valid_until.value + 5);
        const i128 a = static_cast<i128>(body.state.balance_a.micro) + body.delta_a.micro;
        const i128 b = static_cast<i128>(body.state.balance_b.micro) + body.delta_b.micro;
        if (a >= 0 && b >= 0) {
          body.state.balance_a = Balance(static_cast<u128>(a));
          body.state.balance_b = Balance(static_cast<u128>(b));
        }
        return pair_.splice(body);
      }
      case 5:
      case 6:
      case 7:
        return channels::CloseUnilateral{id, pair_.update(s)};
      default: {
        const channels::TowerAppointment appointment{id, key_of("tower").account()};
        const Bytes bytes = channels::appointment_bytes(appointment);
        return channels::Refute{pair_.update(s), (one_in(2) ? pair_.a : pair_.b).sign(bytes)};
      }
    }
  }

  std::optional<std::string> live() {
    const AccountId accounts[] = {pair_.a.account(), pair_.b.account(), key_of("tower").account(),
                                  key_of("stranger").account()};
    for (std::size_t i = 0; i < options_.steps; ++i) {
      std::size_t alive = 0;
      for (const ChannelId& id : ids_) alive += pace_.chain().channel(id) ? 1 : 0;
      if (alive < 2) open();
      for (std::uint64_t n = pick(4); n > 0; --n) {
        const ChannelId& id = ids_[ids_.size() - 1 - pick(std::min<std::size_t>(ids_.size(), 2))];
        pace_.submit(accounts[one_in(3) ? 2 + pick(2) : pick(2)], call(id));
      }
      pace_.flood(one_in(3));
      pace_.next();
      if (const auto found = pace_.checker().breach()) return found;
    }
    return std::nullopt;
  }

  LifeOptions options_;
  std::mt19937_64 random_;
  Coverage coverage_;
  Trace trace_;
  Pair pair_{key_of("alice"), key_of("bob")};
  Pace pace_;
  std::vector<ChannelId> ids_;
};

}  // namespace

LifeResult run_colluders(const LifeOptions& options) {
  return Colluders(options).run();
}

}  // namespace tally::channel_sim
