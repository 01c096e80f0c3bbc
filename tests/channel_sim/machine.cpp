#include "tests/channel_sim/machine.hpp"

#include <stdexcept>

#include "primitives/assert.hpp"

namespace tally::channel_sim {

using channel::Event;

Machine::Machine(const MachineOptions& options, Pace& pace, std::mt19937_64& random,
                 Coverage& coverage, Post post)
    : options_(options),
      pace_(pace),
      random_(random),
      coverage_(coverage),
      post_(std::move(post)) {}

// ---- Life and death

void Machine::start() {
  auto journal = channel::Journal::open(*disk_.open());
  if (!journal.ok()) throw std::logic_error("after a crash: " + journal.error().message);
  driver_ = std::make_unique<channel::ChannelDriver>(*std::move(journal), options_.key,
                                                     options_.policy, *this);
  for (const auto& [id, channel] : final_) driver_->on_record(id, channel, pace_.final_number());
  driver_->on_final_block(pace_.final_number());
  driver_->finish_turn();
}

// It may die again while it comes back.
void Machine::power_on() {
  if (options_.dies_in_turns != 0 && random_() % 8 == 0) disk_.fuse().arm(1 + random_() % 4);
  try {
    start();
  } catch (const MachineDied&) {
    coverage_.hit(Mark::crash_in_recovery);
    power_off();
    start();
  }
  disk_.fuse().disarm();
  for (auto& [id, checker] : checkers_) {
    const channel::Record* now = record(id);
    if (now != nullptr) checker.wrote(*now);
  }
  // What was being waited for is not in the journal: the host looks at every channel again.
  const std::uint64_t time = pace_.now();
  for (const auto& [id, party] : driver_->parties()) {
    timers_.push_back({id, channel::TimerKind::retry, time + 100});
    timers_.push_back({id, channel::TimerKind::close_wait, time + 2'000});
    timers_.push_back({id, channel::TimerKind::answer_wait, time + 500});
  }
}

void Machine::power_off() {
  disk_.fuse().disarm();
  disk_.crash(random_);
  driver_.reset();
  received_.clear();
  timers_.clear();
}

void Machine::died(Mark where) {
  coverage_.hit(where);
  crash();
}

void Machine::crash() {
  ++deaths_;
  for (const auto& [id, party] : driver_->parties()) {
    if (party.record().stage == channel::Stage::splicing) coverage_.hit(Mark::splice_crash);
  }
  power_off();
  power_on();
}

bool Machine::turn(const std::function<void(channel::ChannelDriver&)>& work) {
  if (!is_on()) return false;
  const bool may_die = options_.dies_in_turns != 0 && random_() % options_.dies_in_turns == 0;
  if (may_die) disk_.fuse().arm(1 + random_() % 8);
  try {
    work(*driver_);
    driver_->finish_turn();
  } catch (const MachineDied& death) {
    died(death.where);
    return false;
  }
  disk_.fuse().disarm();
  for (auto& [id, checker] : checkers_) {
    for (const channel::Message& message : received_) {
      if (channel::channel_of(message) == id) checker.received(message);
    }
    const channel::Record* now = record(id);
    if (now != nullptr) checker.wrote(*now);
  }
  received_.clear();
  return true;
}

bool Machine::step(const ChannelId& channel, const Event& event) {
  return turn([&](auto& driver) { static_cast<void>(driver.step(channel, event)); });
}

bool Machine::accept_splice(const ChannelId& channel) {
  return turn([&](channel::ChannelDriver& driver) {
    const channel::Party* party = driver.find(channel);
    const auto offered = party == nullptr ? std::nullopt : party->splice_offered();
    static_cast<void>(
        driver.step(channel, channel::AcceptSplice{offered.value_or(BalanceDelta())}));
  });
}

bool Machine::receive(const AccountId& peer, const std::vector<Bytes>& messages) {
  return turn([&](channel::ChannelDriver& driver) {
    for (const Bytes& bytes : messages) {
      const auto message = channel::decode_message(bytes);
      TALLY_ASSERT(message.ok());
      if (driver.on_message(peer, bytes).ok()) received_.push_back(*message);
      if (!std::holds_alternative<channel::Offer>(*message)) continue;
      const channel::Party* party = driver.find(channel::channel_of(*message));
      if (party != nullptr && !party->has_pending_offer()) coverage_.hit(Mark::offer_refused);
    }
  });
}

void Machine::connected(const AccountId& peer) {
  turn([&](auto& driver) { driver.on_connected(peer); });
}

void Machine::on_final(const Pace::Block& block) {
  for (auto& [id, checker] : checkers_) {
    for (const channels::Event& event : block.events) {
      const bool here = std::visit([&id = id](const auto& e) { return e.channel_id == id; }, event);
      if (here) checker.on_final_event(event);
    }
    checker.on_final_block(block.number);
  }
  for (const auto& [id, channel] : block.channels) {
    if (channel || final_.count(id) != 0) final_[id] = channel;
  }
  turn([&](channel::ChannelDriver& driver) {
    for (const channels::Event& event : block.events) driver.on_event(event);
    std::size_t spliced = 0;
    for (const auto& [id, party] : driver.parties()) spliced += party.record().splice ? 1 : 0;
    driver.on_final_block(block.number);
    for (const auto& [id, party] : driver.parties()) spliced -= party.record().splice ? 1 : 0;
    if (spliced != 0) coverage_.hit(Mark::splice_expired);
  });
}

void Machine::fire_timers() {
  if (!is_on()) return;
  std::vector<Timer> due;
  std::vector<Timer> later;
  for (const Timer& timer : std::exchange(timers_, {})) {
    (timer.at <= pace_.now() ? due : later).push_back(timer);
  }
  timers_ = std::move(later);
  for (const Timer& timer : due) {
    // What was waited for before a crash is looked at anew by the machine that came back.
    if (!step(timer.channel, channel::TimerFired{timer.kind})) return;
  }
}

void Machine::restore_backup(const channel::Record& record) {
  power_off();
  disk_.restore_image({});
  start();
  TALLY_ASSERT(driver_->restore(record).ok());
  for (const auto& [id, channel] : final_) driver_->on_record(id, channel, pace_.final_number());
  driver_->finish_turn();
}

void Machine::restore_disk(Bytes image) {
  power_off();
  disk_.restore_image(std::move(image));
  power_on();
}

// ---- What it does to the world

void Machine::send(const ChannelId& channel, const AccountId& peer, Bytes message) {
  disk_.fuse().burn(Mark::crash_amid_effects);
  const auto checker = checkers_.find(channel);
  if (checker != checkers_.end()) {
    const auto decoded = channel::decode_message(message);
    TALLY_ASSERT(decoded.ok());
    checker->second.sent(*decoded);
  }
  post_(channel, peer, std::move(message));
}

void Machine::submit(const ChannelId& channel, const channels::Call& call, bool by_third_party) {
  disk_.fuse().burn(Mark::crash_amid_effects);
  if (muted_ && std::holds_alternative<channels::CloseUnilateral>(call)) return;
  if (!by_third_party) {
    const auto checker = checkers_.find(channel);
    if (checker != checkers_.end()) checker->second.submitted(call);
  }
  pace_.submit(by_third_party ? options_.third_party : options_.key.account(), call);
}

void Machine::set_timer(const ChannelId& channel, channel::TimerKind kind, DurationMs after) {
  timers_.push_back({channel, kind, pace_.now() + after.value});
}

void Machine::tell(const ChannelId&, const channel::Tell& notice) {
  using channel::Notice;
  if (notice.notice == Notice::offers_superseded) coverage_.hit(Mark::crossing_offers);
  if (notice.notice == Notice::peer_ahead) coverage_.hit(Mark::peer_found_ahead);
}

// ---- Judged

void Machine::judge(const ChannelId& channel, const Checker::Setup& setup) {
  checkers_.emplace(channel, Checker(setup));
}

std::optional<std::string> Machine::breach() const {
  for (const auto& [id, checker] : checkers_) {
    if (checker.breach()) return checker.breach();
  }
  return std::nullopt;
}

bool Machine::sees_challenge(const ChannelId& channel) const {
  const auto known = final_.find(channel);
  return known != final_.end() && known->second && known->second->challenge;
}

const channel::Record* Machine::record(const ChannelId& channel) const {
  const channel::Party* party = driver_ ? driver_->find(channel) : nullptr;
  return party == nullptr ? nullptr : &party->record();
}

}  // namespace tally::channel_sim
