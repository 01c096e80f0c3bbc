#include "tests/channel_sim/sim.hpp"

#include <algorithm>

#include "modules/channels/signing.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::channel_sim {
namespace {

using channels::Side;

constexpr DurationMs kPeriod{20'000};
constexpr Balance kDepositA{100'000'000};
constexpr Balance kDepositB{40'000'000};

PaceOptions pace_options(const LifeOptions& life, const Pair& pair) {
  PaceOptions out;
  const Balance plenty(1'000 * kCredit.micro);
  out.chain.accounts = {{pair.a.account(), plenty},
                        {pair.b.account(), plenty},
                        {key_of("tower").account(), plenty},
                        {key_of("stranger").account(), plenty}};
  out.chain.invariants = life.module_invariants;
  out.period = kPeriod;
  return out;
}

std::optional<Side> malicious_in(const LifeOptions& life) {
  switch (life.shape) {
    case Shape::opener_cheats:
      return Side::a;
    case Shape::counterparty_cheats:
      return Side::b;
    case Shape::restored_and_cheated:
      return life.seed / kShapes % 2 == 0 ? Side::a : Side::b;
    case Shape::honest:
    case Shape::opener_restored:
    case Shape::counterparty_restored:
    case Shape::colluders:
    case Shape::mass_exit:
    case Shape::count:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<Side> restored_in(const LifeOptions& life) {
  if (life.shape == Shape::opener_restored) return Side::a;
  if (life.shape == Shape::counterparty_restored) return Side::b;
  if (life.shape == Shape::restored_and_cheated) return channels::other(*malicious_in(life));
  return std::nullopt;
}

MachineOptions machine_options(const KeyPair& key, std::uint64_t seed) {
  // A quarter of the lives go by without a crash, so that long histories happen too.
  const std::uint64_t dies_in = seed / kShapes % 4 == 1 ? 0 : 12 + seed % 60;
  return {key, key_of("tower").account(), sim_policy(), dies_in};
}

}  // namespace

channel::Policy sim_policy() {
  channel::Policy out;
  out.window = 4;
  out.close_wait = DurationMs(2'000);
  out.answer_wait = DurationMs(500);
  out.retry = DurationMs(800);
  return out;
}

Simulation::Simulation(const LifeOptions& options)
    : options_(options),
      malicious_(malicious_in(options)),
      restores_(restored_in(options)),
      random_(options.seed),
      trace_(options.trace),
      pair_{key_of("alice"), key_of("bob")},
      pace_(pace_options(options, pair_), random_, coverage_, trace_),
      a_(machine_options(pair_.a, options.seed), pace_, random_, coverage_,
         [this](const auto&, const auto&, Bytes m) { post(Side::a, std::move(m)); }),
      b_(machine_options(pair_.b, options.seed), pace_, random_, coverage_,
         [this](const auto&, const auto&, Bytes m) { post(Side::b, std::move(m)); }) {
  if (one_in(2)) {
    tower_ = std::make_unique<SimTower>(key_of("tower"), pace_, random_, coverage_);
  }
  if (!malicious_) return;
  habits_ = {one_in(2), !one_in(3), one_in(2), one_in(3), one_in(2), one_in(3), one_in(3)};
  if (habits_.posts) machine(*malicious_).mute();
  pace_.favour(pair_.key(*malicious_).account());
  pace_.favour(key_of("stranger").account());
}

void Simulation::open() {
  TestChain& chain = pace_.chain();
  const BlockNumber until(chain.block.number.value + 50);
  id_ = chain.id_of_next(pair_.a.account(), pair_.b.account(), kPeriod);
  pace_.watch(id_);
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
      m.judge(id_, {side, pair_.a.account(), pair_.b.account(), kDepositA, kDepositB});
    }
    m.power_on();
    const channel::Terms terms{
        id_, pair_.a.account(), pair_.b.account(), kDepositA, kDepositB, kPeriod, side};
    while (m.record(id_) == nullptr) {
      m.turn([&](channel::ChannelDriver& driver) { static_cast<void>(driver.open(terms)); });
    }
  }
  pace_.submit(pair_.a.account(), call);
  while (!chain.channel(id_)) block();
  for (int i = 0; i < 3; ++i) block();
}

// ---- The network

void Simulation::post(Side from, Bytes message) {
  const auto decoded = channel::decode_message(message);
  TALLY_ASSERT(decoded.ok());
  trace_.message(from == Side::a ? "a" : "b", *decoded);
  ++messages_;
  if (const auto* offer = std::get_if<channel::Offer>(&*decoded)) {
    const channel::Record* record = machine(from).record(id_);
    const bool open_below = record != nullptr && record->newest_version() < offer->base;
    if (open_below) coverage_.hit(Mark::pipelined_offers);
  }
  if (honest(from)) {
    remember_signed(*decoded);
  } else {
    said_by_malicious_.push_back(message);
    if (keeps_back(*decoded)) return;
  }
  channels::of(channels::other(from), line_).push_back(std::move(message));
}

void Simulation::deliver(Side to) {
  auto& line = channels::of(to, line_);
  Machine& m = machine(to);
  const std::size_t count = std::min<std::size_t>(line.size(), 1 + pick(5));
  std::vector<Bytes> messages;
  for (std::size_t i = 0; i < count; ++i) {
    messages.push_back(std::move(line.front()));
    line.pop_front();
  }
  if (!m.is_on()) return;  // lost
  const std::uint64_t deaths = m.deaths();
  m.receive(pair_.key(channels::other(to)).account(), messages);
  if (m.deaths() != deaths) reconnect();
}

void Simulation::reconnect() {
  for (const Side side : channels::kBothSides) channels::of(side, line_).clear();
  for (const Side side : channels::kBothSides) {
    machine(side).connected(pair_.key(channels::other(side)).account());
  }
}

// ---- The chain

void Simulation::block() {
  pace_.flood(pace_.now() < flood_until_);
  const auto now_final = pace_.next();
  if (now_final) {
    for (const channels::Event& event : now_final->events) {
      trace_.note(std::visit(
          [](const auto& e) { return "  final " + std::string(std::decay_t<decltype(e)>::kName); },
          event));
    }
    count_marks(*now_final);
    for (const Side side : channels::kBothSides) machine(side).on_final(*now_final);
    if (tower_) tower_->on_final(*now_final);
  }
  for (const Side side : channels::kBothSides) machine(side).fire_timers();
  const auto channel = pace_.chain().channel(id_);
  if (away_ && channel && channel->challenge && one_in(12)) tower_->crash();
  if (away_ && pace_.now() > away_until_) come_back();
}

void Simulation::count_marks(const Pace::Block& block) {
  for (const channels::Event& event : block.events) {
    if (const auto* begun = std::get_if<channels::ChallengeStarted>(&event)) {
      if (begun->requested) coverage_.hit(Mark::request_close);
      if (malicious_ == begun->by && !signed_updates_.empty() &&
          begun->version < signed_updates_.back().version) {
        coverage_.hit(Mark::old_claim);
      }
      for (const Side side : channels::kBothSides) {
        const channel::Record* record = machine(side).record(id_);
        if (record != nullptr && record->splice) coverage_.hit(Mark::splice_challenged);
      }
    } else if (const auto* newer = std::get_if<channels::ChallengeRefuted>(&event)) {
      if (tower_ && newer->by == tower_->account()) {
        coverage_.hit(Mark::refuted_by_tower);
        if (away_) coverage_.hit(Mark::party_away);
      } else if (!malicious_ || newer->by == pair_.key(channels::other(*malicious_)).account()) {
        coverage_.hit(Mark::refuted_by_party);
      }
    } else if (std::holds_alternative<channels::ChannelSpliced>(event)) {
      coverage_.hit(Mark::splice_landed);
    } else if (const auto* closed = std::get_if<channels::ChannelClosed>(&event)) {
      if (closed->ending == channels::Ending::co_operative) coverage_.hit(Mark::close_together);
      if (closed->ending == channels::Ending::fraud) coverage_.hit(Mark::fraud_at_once);
      if (!closed->payouts.to_towers.is_zero()) coverage_.hit(Mark::tower_rewarded);
      const bool all_lost = closed->payouts.to_a.is_zero() || closed->payouts.to_b.is_zero();
      if (closed->ending == channels::Ending::settled && all_lost) {
        coverage_.hit(Mark::fraud_at_deadline);
      }
    }
  }
  const auto& channel = block.channels.at(id_);
  const bool refuted = channel && channel->challenge && channel->challenge->request_refuted;
  if (refuted && !request_refuted_) coverage_.hit(Mark::request_refuted);
  request_refuted_ = refuted;
}

// ---- The tower, and who relies on it

// Whether it says that it has the newest.
bool Simulation::give_tower(Side side) {
  const channel::Record* record = machine(side).record(id_);
  if (!tower_ || record == nullptr || !record->newest) return false;
  const channels::TowerAppointment appointment{id_, tower_->account()};
  return tower_->give(
      {*record->newest, pair_.key(side).sign(channels::appointment_bytes(appointment))});
}

void Simulation::trouble_tower() {
  if (!tower_) return;
  switch (pick(6)) {
    case 0:
      tower_->crash();
      return;
    case 1:
      // Nobody is away because of a tower that lies or sleeps.
      if (!away_) tower_->lie(one_in(2));
      return;
    case 2:
      tower_->lag(away_ ? pick(4) : pick(30));
      return;
    case 3:
      if (tower_->lies()) tower_->post_something_old();
      return;
    default:
      return;
  }
}

void Simulation::go_away(Side side) {
  const channel::Record* record = machine(side).record(id_);
  if (!tower_ || away_ || restored_ || record == nullptr || !record->newest) return;
  if (record->stage != channel::Stage::ready && record->stage != channel::Stage::ending) return;
  tower_->lie(false);
  tower_->lag(pick(4));
  bool kept = give_tower(side);
  for (int i = 0; i < 8 && !kept; ++i) {
    block();
    kept = give_tower(side);
  }
  if (!kept || !machine(side).is_on() || !pace_.chain().channel(id_)) return;
  trace_.note("goes away");
  machine(side).power_off();
  away_ = side;
  away_until_ = pace_.now() + 1'000 + pick(3 * kPeriod.value);
  // Now and then all that the party relies on is what the tower has on its disk.
  if (options_.seed / kShapes % 11 == 6) tower_->crash();
}

void Simulation::come_back() {
  trace_.note("comes back");
  machine(*away_).power_on();
  away_.reset();
  reconnect();
}

// The disk is lost and an old backup is all there is, or an old copy of the disk comes back, which
// the party cannot know.
void Simulation::restore(Side side) {
  if (restored_ || away_) return;
  Machine& m = machine(side);
  const Side peer = channels::other(side);
  const channel::Record* at_peer = machine(peer).record(id_);
  const auto& backup = channels::of(side, backups_);
  const auto& old_disk = channels::of(side, old_disks_);
  // A claim that waits to be included stands nowhere that an old disk could look: neither on its
  // own pages nor in a final block, and its peer need not be ahead of it. What it signs until then
  // is above the claim, and the claim is fraud by that. No party can tell this from an ordinary
  // start, so nothing is promised; once the claim is final every start sees it.
  const channel::Record* now = m.record(id_);
  const bool ends = now == nullptr || now->stage == channel::Stage::ending;
  const bool claim_waits = ends && !m.sees_challenge(id_);
  const bool whole_disk = old_disk && honest(peer) && !claim_waits && one_in(2);
  if (!whole_disk && !backup) return;
  restored_ = true;
  const channel::Record& back = whole_disk ? old_disk->second : *backup;
  if (honest(side)) {
    m.checkers().at(id_).was_restored(
        {back.newest, at_peer->newest, honest(peer), /*party_knows=*/!whole_disk});
  }
  trace_.note(whole_disk ? "old disk" : "old backup");
  coverage_.hit(whole_disk ? Mark::disk_restored : Mark::backup_restored);
  if (whole_disk) {
    m.restore_disk(old_disk->first);
  } else {
    m.restore_backup(*backup);
  }
  reconnect();
  if (!whole_disk) return;
  // Before it does anything it hears what its peer has.
  while (!channels::of(side, line_).empty() || !channels::of(peer, line_).empty()) {
    deliver(peer);
    deliver(side);
  }
}

// ---- The life

void Simulation::splice(Side side) {
  const auto delta = [&] {
    const auto amount = static_cast<i128>(pick(4'000'000));
    return BalanceDelta(one_in(3) ? -amount : amount);
  };
  const BlockNumber until(pace_.chain().block.number.value + 3 +
                          static_cast<std::uint32_t>(pick(12)));
  channel::SpliceTogether wish{{}, {}, until};
  (side == Side::a ? wish.delta_a : wish.delta_b) = delta();
  if (one_in(3)) {
    // The sum stays: what was signed before the splice would still add up.
    (side == Side::a ? wish.delta_b : wish.delta_a) =
        BalanceDelta(-(side == Side::a ? wish.delta_a : wish.delta_b).micro);
    coverage_.hit(Mark::splice_of_balances);
  }
  const Side peer = channels::other(side);
  // From a state that both hold: what is under way arrives first.
  for (int i = 0; i < 3; ++i) {
    deliver(side);
    deliver(peer);
  }
  machine(side).step(id_, wish);
  if (one_in(4)) {
    coverage_.hit(Mark::splice_crossing);
    machine(peer).step(id_, channel::SpliceTogether{{}, {}, until});
  }
  if (one_in(3)) return;
  deliver(peer);
  machine(peer).accept_splice(id_);
}

void Simulation::act_on_chain_matters(Side side) {
  const channel::Record* record = machine(side).record(id_);
  if (record == nullptr) return;
  switch (pick(8)) {
    case 0:
      splice(side);
      return;
    case 1:
      machine(side).accept_splice(id_);
      return;
    case 2:
      if (one_in(8)) machine(side).step(id_, channel::CloseTogether{});
      return;
    case 3:
      if (one_in(15)) machine(side).step(id_, channel::End{});
      return;
    case 4:
      if (record->stage == channel::Stage::ready) channels::of(side, backups_) = *record;
      return;
    case 5:
      if (record->stage == channel::Stage::ready) {
        channels::of(side, old_disks_) = std::pair(machine(side).disk_image(), *record);
      }
      return;
    default:
      give_tower(side);
      return;
  }
}

void Simulation::act(Side side) {
  if (one_in(3)) {
    act_on_chain_matters(side);
    return;
  }
  const Balance amount(1 + pick(3'000'000));
  std::vector<Hash> receipts;
  if (!one_in(3)) receipts.push_back(blake2_256(encode(++receipts_)));
  machine(side).step(id_, channel::Pay{amount, receipts});
}

void Simulation::step() {
  const Side side = one_in(2) ? Side::a : Side::b;
  switch (pick(18)) {
    case 0:
    case 1:
      block();
      return;
    case 2:
      if (one_in(4)) reconnect();
      return;
    case 3:
      if (one_in(12)) flood_until_ = pace_.now() + pick(60'000);
      if (one_in(8)) trouble_tower();
      return;
    case 4:
      if (restores_ == side && one_in(5)) restore(side);
      return;
    case 5:
    case 6:
      if (malicious_ && (evil_now_ || away_ || one_in(6))) do_evil();
      return;
    case 7:
      if (honest(side) && one_in(2)) go_away(side);
      return;
    case 8:
    case 9:
    case 10:
    case 11:
    case 12:
      deliver(side);
      return;
    default:
      if (machine(side).is_on()) act(side);
      return;
  }
}

std::optional<std::string> Simulation::breach() const {
  if (const auto found = a_.breach()) return found;
  if (const auto found = b_.breach()) return found;
  return pace_.checker().breach();
}

// The honest sides end the channel, and everything has to come to rest.
std::optional<std::string> Simulation::wind_up() {
  const auto open = [&] { return pace_.chain().channel(id_).has_value(); };
  if (away_ && one_in(2)) come_back();
  // A peer that cheats may have the first move.
  const int patience = malicious_ ? static_cast<int>(pick(120)) : 0;
  for (int i = 0; i < 4'000 && open(); ++i) {
    block();
    for (const Side side : channels::kBothSides) {
      Machine& m = machine(side);
      if (!honest(side) || !m.is_on() || i % 100 != patience % 100 || !open()) continue;
      if (i < patience) continue;
      if (!restored_) give_tower(side);
      m.step(id_, channel::End{});
    }
    for (const Side side : channels::kBothSides) {
      deliver(side);
      const channel::Record* record = machine(side).record(id_);
      const bool ends = record != nullptr && record->stage == channel::Stage::ending;
      if (ends && honest(side) && one_in(6)) machine(side).step(id_, channel::CloseTogether{});
    }
    if (malicious_ && open() && one_in(6)) do_evil();
    if (tower_ && one_in(40)) trouble_tower();
    if (auto found = breach()) return found;
  }
  if (open()) return "the channel never ended";
  for (int i = 0; i < 4; ++i) block();
  return breach();
}

std::optional<std::string> Simulation::live() {
  open();
  std::optional<std::string> found;
  for (std::size_t i = 0; i < options_.steps && pace_.chain().channel(id_) && !found; ++i) {
    step();
    found = breach();
  }
  return found ? found : wind_up();
}

LifeResult Simulation::run() {
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
  out.deaths = a_.deaths() + b_.deaths();
  return out;
}

LifeResult run_life(const LifeOptions& options) {
  switch (options.shape) {
    case Shape::colluders:
      return run_colluders(options);
    case Shape::mass_exit:
      return run_mass_exit(options);
    case Shape::honest:
    case Shape::opener_cheats:
    case Shape::counterparty_cheats:
    case Shape::opener_restored:
    case Shape::counterparty_restored:
    case Shape::restored_and_cheated:
    case Shape::count:
      return Simulation(options).run();
  }
  return {};
}

}  // namespace tally::channel_sim
