#include "tests/channel_sim/sim.hpp"

#include <algorithm>

#include "modules/channels/signing.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::channel_sim {
namespace {

using channel::Event;
using channels::Side;

constexpr DurationMs kPeriod{10'000};
constexpr Balance kDepositA{100'000'000};
constexpr Balance kDepositB{40'000'000};
// A watcher is live as long as fewer blocks than this pass it over in a row.
constexpr std::uint64_t kHeldBackMax = 4;
constexpr int kPatience = 3;
constexpr std::uint32_t kFinality = 2;  // blocks until a block is final

channel::Policy policy() {
  channel::Policy out;
  out.window = 4;
  out.close_wait = DurationMs(2'000);
  out.answer_wait = DurationMs(500);
  out.retry = DurationMs(800);
  return out;
}

TestChainOptions chain_options(const Pair& pair, const KeyPair& tower) {
  TestChainOptions out;
  const Balance plenty(1'000 * kCredit.micro);
  out.accounts = {{pair.a.account(), plenty},
                  {pair.b.account(), plenty},
                  {tower.account(), plenty},
                  {key_of("stranger").account(), plenty}};
  return out;
}

}  // namespace

Simulation::Simulation(const SimOptions& options)
    : options_(options),
      random_(options.seed),
      pair_{key_of("alice"), key_of("bob")},
      tower_key_(key_of("tower")),
      chain_(chain_options(pair_, tower_key_)),
      a_(*this, Side::a),
      b_(*this, Side::b),
      has_tower_(options.seed % 2 == 0) {}

// ---- Machines

void Simulation::Machine::start() {
  auto journal = channel::Journal::open(*disk.open());
  TALLY_ASSERT(journal.ok());
  driver = std::make_unique<channel::ChannelDriver>(*std::move(journal), sim_.pair_.key(side_),
                                                    policy(), *this);
}

void Simulation::Machine::die() {
  driver.reset();
  received_in_turn.clear();
  disk.crash(sim_.random_);
}

void Simulation::Machine::finish_turn(bool lose_effects) {
  lose_effects_ = lose_effects;
  driver->finish_turn();
  lose_effects_ = false;
  if (checker) {
    for (const channel::Message& message : received_in_turn) checker->received(message);
    const channel::Party* party = driver->find(sim_.id_);
    if (party->record().offer) checker->offered(party->record().offer->state);
  }
  received_in_turn.clear();
}

void Simulation::Machine::send(const ChannelId&, const AccountId&, Bytes message) {
  if (lose_effects_) return;
  if (checker) {
    const auto decoded = channel::decode_message(message);
    TALLY_ASSERT(decoded.ok());
    checker->sent(*decoded);
    if (const auto* offer = std::get_if<channel::Offer>(&*decoded)) {
      sim_.signed_by_honest_.push_back(offer->state);
    }
    if (const auto* update = std::get_if<channel::Countersigned>(&*decoded)) {
      sim_.signed_by_honest_.push_back(update->update.state);
    }
  }
  channels::of(channels::other(side_), sim_.line_).push_back(std::move(message));
}

void Simulation::Machine::submit(const ChannelId&, const channels::Call& call,
                                 bool by_third_party) {
  if (lose_effects_) return;
  const KeyPair& key = by_third_party ? sim_.tower_key_ : sim_.pair_.key(side_);
  sim_.submit_by(key.account(), call);
}

void Simulation::Machine::set_timer(const ChannelId&, channel::TimerKind kind, DurationMs after) {
  if (lose_effects_) return;
  sim_.timers_.push_back({side_, kind, sim_.chain_.block.time.value + after.value});
}

void Simulation::Machine::tell(const ChannelId&, const channel::Tell&) {}

// ---- The world

void Simulation::submit_by(const AccountId& signer, const channels::Call& call) {
  pending_.push_back({signer, call, kPatience});
}

void Simulation::open() {
  const BlockNumber until(chain_.block.number.value + 50);
  id_ = chain_.id_of_next(pair_.a.account(), pair_.b.account(), kPeriod);
  const channels::OpenConsent consent{id_, kDepositA, kDepositB, until};
  const channels::Open call{
      pair_.b.account(),
      {kDepositA},
      {kDepositB},
      channels::Consent{until, pair_.b.sign(channels::open_consent_bytes(consent))},
      kPeriod};
  for (const Side side : channels::kBothSides) {
    Machine& m = machine(side);
    if (honest(side)) {
      m.checker.emplace(
          Checker::Setup{side, pair_.a.account(), pair_.b.account(), kDepositA, kDepositB});
    }
    m.start();
    const auto opened = m.driver->open(
        {id_, pair_.a.account(), pair_.b.account(), kDepositA, kDepositB, kPeriod, side});
    TALLY_ASSERT(opened.ok());
    m.finish_turn();
  }
  tower_ = std::make_unique<channel::Tower>(*channel::Journal::open(*tower_disk_.open()),
                                            tower_key_.account());
  submit_by(pair_.a.account(), call);
  for (int i = 0; i < 4; ++i) block(true);
}

void Simulation::step_party(Side side, const Event& event) {
  static_cast<void>(machine(side).driver->step(id_, event));
  machine(side).finish_turn();
}

void Simulation::deliver(Side to) {
  auto& line = channels::of(to, line_);
  Machine& m = machine(to);
  const AccountId peer = pair_.key(channels::other(to)).account();
  const std::size_t count = std::min<std::size_t>(line.size(), 1 + pick(5));
  for (std::size_t i = 0; i < count; ++i) {
    const Bytes message = std::move(line.front());
    line.pop_front();
    const auto decoded = channel::decode_message(message);
    TALLY_ASSERT(decoded.ok());
    if (m.driver->on_message(peer, message).ok()) m.received_in_turn.push_back(*decoded);
  }
  const bool may_die = options_.seed % 4 != 1;
  if (may_die && one_in(60)) {
    crash(to);  // before the sync: the turn never was
  } else if (may_die && one_in(60)) {
    m.finish_turn(true);  // after the sync, before anything left
    crash(to);
  } else {
    m.finish_turn();
  }
}

void Simulation::reconnect() {
  for (const Side side : channels::kBothSides) channels::of(side, line_).clear();
  for (const Side side : channels::kBothSides) {
    machine(side).driver->on_connected(pair_.key(channels::other(side)).account());
    machine(side).finish_turn();
  }
}

void Simulation::crash(Side side) {
  Machine& m = machine(side);
  m.die();
  timers_.erase(std::remove_if(timers_.begin(), timers_.end(),
                               [&](const Timer& t) { return t.side == side; }),
                timers_.end());
  m.start();
  if (final_open_) m.driver->on_record(id_, final_channel_);
  m.finish_turn();
  timers_.push_back({side, channel::TimerKind::retry, chain_.block.time.value + 100});
  timers_.push_back({side, channel::TimerKind::close_wait, chain_.block.time.value + 2'000});
  timers_.push_back({side, channel::TimerKind::answer_wait, chain_.block.time.value + 500});
  reconnect();
}

// The disk is lost and an old backup is all there is.
void Simulation::restore_old(Side side) {
  Machine& m = machine(side);
  if (!m.backup || restored_) return;
  restored_ = true;
  const channel::Party* peer = machine(channels::other(side)).driver->find(id_);
  if (m.checker) m.checker->was_restored(m.backup->newest, peer->record().newest);
  m.die();
  m.disk.restore_image({});
  m.start();
  TALLY_ASSERT(m.driver->restore(*m.backup).ok());
  if (final_open_) m.driver->on_record(id_, final_channel_);
  m.finish_turn();
  reconnect();
}

void Simulation::block(bool carries) {
  chain_.next_block(DurationMs(100 + pick(200)));
  not_final_.push_back({chain_.events(), std::nullopt});
  if (carries || ++held_back_ >= kHeldBackMax) {
    held_back_ = 0;
    include_pending();
  }
  not_final_.back().channel = chain_.channel(id_);
  if (not_final_.size() > kFinality) {
    const Block now_final = std::move(not_final_.front());
    not_final_.pop_front();
    finalize(now_final);
  }
  fire_timers();
}

void Simulation::include_pending() {
  std::vector<Pending> batch = std::move(pending_);
  pending_.clear();
  std::shuffle(batch.begin(), batch.end(), random_);
  for (Pending& tx : batch) {
    if (tx.patience > 0 && one_in(4)) {
      --tx.patience;
      pending_.push_back(std::move(tx));
      continue;
    }
    static_cast<void>(chain_.call(tx.signer, tx.call));
    for (const channels::Event& event : chain_.events()) not_final_.back().events.push_back(event);
  }
}

void Simulation::finalize(const Block& block) {
  const BlockNumber number(chain_.block.number.value - kFinality);
  final_channel_ = block.channel;
  if (final_channel_) final_open_ = true;
  for (const channels::Event& event : block.events) {
    for (const Side side : channels::kBothSides) {
      Machine& m = machine(side);
      if (m.checker) m.checker->on_final_event(event);
      m.driver->on_event(event);
    }
    for (auto& refutation : tower_->on_event(event)) {
      submit_by(tower_key_.account(), refutation.call);
    }
  }
  for (auto& refutation : tower_->on_final_block(number)) {
    submit_by(tower_key_.account(), refutation.call);
  }
  for (const Side side : channels::kBothSides) {
    machine(side).driver->on_final_block(number);
    machine(side).finish_turn();
  }
}

void Simulation::fire_timers() {
  const std::uint64_t now = chain_.block.time.value;
  std::vector<Timer> due;
  for (auto at = timers_.begin(); at != timers_.end();) {
    if (at->at <= now) {
      due.push_back(*at);
      at = timers_.erase(at);
    } else {
      ++at;
    }
  }
  for (const Timer& timer : due) step_party(timer.side, channel::TimerFired{timer.kind});
}

void Simulation::give_tower(Side side) {
  const channel::Party* party = machine(side).driver->find(id_);
  if (!has_tower_ || !party->record().newest) return;
  const channels::TowerAppointment appointment{id_, tower_key_.account()};
  const channel::Watch watch{*party->record().newest,
                             pair_.key(side).sign(channels::appointment_bytes(appointment))};
  static_cast<void>(tower_->give(watch, chain_.channel(id_)));
}

// ---- The life

void Simulation::act(Side side) {
  const channel::Party* party = machine(side).driver->find(id_);
  switch (pick(24)) {
    case 0:
    case 1: {
      const auto delta = [&] { return BalanceDelta(static_cast<i128>(pick(4'000'000))); };
      if (one_in(6)) {
        const BlockNumber until(chain_.block.number.value + 3 +
                                static_cast<std::uint32_t>(pick(9)));
        step_party(side, side == Side::a ? channel::SpliceTogether{delta(), {}, until}
                                         : channel::SpliceTogether{{}, delta(), until});
      }
      return;
    }
    case 2:
      if (one_in(12)) step_party(side, channel::CloseTogether{});
      return;
    case 3:
      if (one_in(25)) step_party(side, channel::End{});
      return;
    case 4:
      if (party->record().stage == channel::Stage::ready) machine(side).backup = party->record();
      return;
    case 5:
    case 6:
      give_tower(side);
      return;
    default: {
      const Balance amount(1 + pick(3'000'000));
      std::vector<Hash> receipts;
      if (!one_in(3)) receipts.push_back(blake2_256(encode(++receipts_)));
      step_party(side, channel::Pay{amount, receipts});
      return;
    }
  }
}

void Simulation::step() {
  const Side side = one_in(2) ? Side::a : Side::b;
  switch (pick(16)) {
    case 0:
    case 1:
      block(!one_in(3));
      return;
    case 2:
      if (one_in(4)) reconnect();
      return;
    case 3:
      if (one_in(6)) crash(side);
      return;
    case 4:
      if (options_.restores == side && one_in(5)) restore_old(side);
      return;
    case 5:
      if (options_.malicious && (evil_now_ || one_in(6))) do_evil();
      return;
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
      deliver(side);
      return;
    default:
      act(side);
      return;
  }
}

std::optional<std::string> Simulation::breach() const {
  for (const Machine* m : {&a_, &b_}) {
    if (m->checker && m->checker->breach()) return *m->checker->breach();
  }
  return std::nullopt;
}

// The honest sides end the channel, and everything has to come to rest.
std::optional<std::string> Simulation::wind_up() {
  for (const Side side : channels::kBothSides) {
    if (!honest(side)) continue;
    // The tower's service is only complete if it has the newest state.
    if (options_.restores != side) give_tower(side);
    step_party(side, channel::End{});
  }
  for (int i = 0; i < 3'000 && chain_.channel(id_); ++i) {
    block(!one_in(3));
    // A machine that dies before it wrote `ending` has forgotten the wish.
    for (const Side side : channels::kBothSides) {
      if (honest(side) && i % 100 == 99 && chain_.channel(id_)) {
        step_party(side, channel::End{});
      }
    }
    if (!chain_.channel(id_)) break;
    for (const Side side : channels::kBothSides) deliver(side);
    if (options_.malicious && chain_.channel(id_) && one_in(6)) do_evil();
    if (auto found = breach()) return found;
  }
  if (chain_.channel(id_)) return "the channel never ended";
  for (int i = 0; i < 4; ++i) block(true);
  return breach();
}

std::optional<std::string> Simulation::run() {
  open();
  std::optional<std::string> found;
  for (std::size_t i = 0; i < options_.steps && chain_.channel(id_) && !found; ++i) {
    step();
    found = breach();
  }
  if (!found) found = wind_up();
  if (!found) return std::nullopt;
  return "seed " + std::to_string(options_.seed) + ": " + *found;
}

}  // namespace tally::channel_sim
