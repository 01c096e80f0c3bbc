#include "client-sdk/channel/tower.hpp"

#include <cstdio>
#include <cstdlib>

#include "client-sdk/channel/planted.hpp"
#include "modules/channels/signing.hpp"
#include "primitives/assert.hpp"

namespace tally::channel {
namespace {

constexpr std::uint32_t kRetryBlocks = 4;

}  // namespace

Tower::Tower(Journal journal, const AccountId& account)
    : journal_(std::move(journal)), account_(account) {
  if (planted(Fault::tower_forgets)) return;
  for (const auto& [key, bytes] : journal_.entries()) {
    const auto watch = decode<Watch>(bytes);
    TALLY_ASSERT(watch.ok());  // frames are checksummed: only this code writes them
    watches_.emplace(*ChannelId::from(key.view()), *watch);
  }
}

Result<bool, TowerError> Tower::give(const Watch& watch,
                                     const std::optional<channels::Channel>& on_chain) {
  // The accounts come from the chain: nobody can displace a good state with one that other keys
  // signed.
  if (!on_chain || on_chain->phase == channels::Phase::pending) {
    return fail(TowerError::not_on_chain);
  }
  const channels::ChannelState& state = watch.update.state;
  const Watch* known = find(state.channel_id);
  if (known != nullptr && known->update.state.version >= state.version) return false;
  if (known != nullptr && planted(Fault::tower_keeps_first)) return false;
  const auto sum = checked_add(state.balance_a, state.balance_b);
  const auto held = checked_add(on_chain->floor.balance_a, on_chain->floor.balance_b);
  if (!sum.ok() || !held.ok() || *sum != *held) return fail(TowerError::wrong_sum);
  const Bytes bytes = channels::update_bytes(state);
  if (!verify_offchain(on_chain->opener, bytes, watch.update.signature_a).ok() ||
      !verify_offchain(on_chain->counterparty, bytes, watch.update.signature_b).ok()) {
    return fail(TowerError::bad_signature);
  }
  if (watch.appointment) {
    const Bytes appointment = channels::appointment_bytes({state.channel_id, account_});
    if (!verify_offchain(on_chain->opener, appointment, *watch.appointment).ok() &&
        !verify_offchain(on_chain->counterparty, appointment, *watch.appointment).ok()) {
      return fail(TowerError::bad_appointment);
    }
  }
  Watch kept = watch;
  if (!kept.appointment && known != nullptr) kept.appointment = known->appointment;
  write(state.channel_id, encode(kept));
  watches_[state.channel_id] = std::move(kept);
  return true;
}

void Tower::write(const ChannelId& channel, Bytes value) {
  const auto written = journal_.write({{*JournalKey::from(channel.view()), std::move(value)}});
  if (written.ok()) return;
  std::fprintf(stderr, "the tower's journal cannot be written: %s\n",
               written.error().message.c_str());
  std::abort();
}

const Watch* Tower::find(const ChannelId& channel) const {
  const auto watch = watches_.find(channel);
  return watch == watches_.end() ? nullptr : &watch->second;
}

std::vector<Refutation> Tower::due(const ChannelId& channel) const {
  const auto standing = standing_.find(channel);
  const Watch* watch = find(channel);
  if (standing == standing_.end() || watch == nullptr) return {};
  if (watch->update.state.version <= standing->second) return {};
  return {{channel, {watch->update, watch->appointment}}};
}

std::vector<Refutation> Tower::on_event(const channels::Event& event) {
  if (const auto* started = std::get_if<channels::ChallengeStarted>(&event)) {
    standing_[started->channel_id] = started->version;
    return due(started->channel_id);
  }
  if (const auto* refuted = std::get_if<channels::ChallengeRefuted>(&event)) {
    standing_[refuted->channel_id] = refuted->version;
    return due(refuted->channel_id);
  }
  if (const auto* closed = std::get_if<channels::ChannelClosed>(&event)) {
    standing_.erase(closed->channel_id);
    if (watches_.erase(closed->channel_id) != 0) write(closed->channel_id, {});
  }
  return {};
}

std::vector<Refutation> Tower::on_record(const ChannelId& channel,
                                         const std::optional<channels::Channel>& on_chain) {
  if (!on_chain) {
    standing_.erase(channel);
    if (watches_.erase(channel) != 0) write(channel, {});
    return {};
  }
  if (!on_chain->challenge) return {};
  standing_[channel] = on_chain->challenge->standing.version;
  return due(channel);
}

std::vector<Refutation> Tower::on_final_block(BlockNumber number) {
  std::vector<Refutation> out;
  if (number.value % kRetryBlocks != 0) return out;
  for (const auto& [channel, standing] : standing_) {
    for (Refutation& refutation : due(channel)) out.push_back(std::move(refutation));
  }
  return out;
}

}  // namespace tally::channel
