#include "tests/channel_sim/sim_tower.hpp"

namespace tally::channel_sim {

SimTower::SimTower(const KeyPair& key, Pace& pace, std::mt19937_64& random, Coverage& coverage)
    : key_(key), account_(key.account()), pace_(pace), random_(random), coverage_(coverage) {
  start();
}

void SimTower::start() {
  tower_ = std::make_unique<channel::Tower>(*channel::Journal::open(*disk_.open()), account_);
  for (const auto& [id, channel] : seen_) tower_->on_record(id, channel, at_);
  submit_due();
}

void SimTower::crash() {
  coverage_.hit(Mark::tower_crashed);
  disk_.fuse().disarm();
  disk_.crash(random_);
  tower_.reset();
  start();
}

bool SimTower::give(const channel::Watch& watch) {
  given_.push_back(watch);
  if (lies_) {
    coverage_.hit(Mark::tower_lied);
    return true;
  }
  const auto on_chain = seen_.find(watch.update.state.channel_id);
  if (on_chain == seen_.end()) return false;
  if (random_() % 16 == 0) disk_.fuse().arm(1 + random_() % 4);
  try {
    const bool kept = tower_->give(watch, on_chain->second, at_).ok();
    disk_.fuse().disarm();
    return kept;
  } catch (const MachineDied&) {
    crash();
    return false;
  }
}

void SimTower::on_final(const Pace::Block& block) {
  unseen_.push_back(block);
  while (unseen_.size() > lag_) {
    see(unseen_.front());
    unseen_.pop_front();
  }
  if (lag_ > 0) coverage_.hit(Mark::tower_lagged);
}

void SimTower::see(const Pace::Block& block) {
  for (const auto& [id, channel] : block.channels) {
    if (channel || seen_.count(id) != 0) seen_[id] = channel;
  }
  at_ = block.number;
  try {
    for (const channels::Event& event : block.events) {
      tower_->on_event(event);
      submit_due();
    }
    tower_->on_final_block(block.number);
    submit_due();
  } catch (const MachineDied&) {
    crash();
  }
}

// What becomes of it is seen in a block.
void SimTower::submit_due() {
  while (const auto due = tower_->take()) {
    pace_.submit(account_, due->call);
    tower_->ended(*due, channel::Attempt::not_included);
  }
}

void SimTower::post_something_old() {
  if (given_.empty()) return;
  const channel::Watch& watch = given_[random_() % given_.size()];
  pace_.submit(account_, channels::Refute{watch.update, watch.appointment});
}

}  // namespace tally::channel_sim
