#include "client-sdk/channel/tower.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "client-sdk/channel/journal_records.hpp"
#include "client-sdk/channel/planted.hpp"
#include "modules/channels/signing.hpp"
#include "primitives/assert.hpp"

namespace tally::channel {
namespace {

constexpr std::uint32_t kRetryBlocks = 4;

// A fixed text, which no hash of a channel is.
const JournalKey kSeenKey = *JournalKey::from(as_bytes("tallystick/tower saw final block"));

}  // namespace

bool may_be_early(TowerError why, const channels::ChannelState& state,
                  const std::optional<channels::Channel>& on_chain, DurationMs ago) {
  if (why != TowerError::not_on_chain && why != TowerError::wrong_sum) return false;
  if (on_chain && state.version <= on_chain->floor.version) return false;
  return ago < kRefusedStays;
}

Tower::Tower(Journal journal, const AccountId& account)
    : journal_(std::move(journal)), account_(account) {
  if (planted(Fault::tower_forgets)) return;
  for (const auto& [key, bytes] : journal_.entries()) {
    if (key == kSeenKey) {
      const auto seen = decode<BlockNumber>(bytes);
      TALLY_ASSERT(seen.ok());
      seen_ = *seen;
      continue;
    }
    const auto watch = decode<Watch>(bytes);
    TALLY_ASSERT(watch.ok());  // frames are checksummed: only this code writes them
    watches_.emplace(*ChannelId::from(key.view()), *watch);
  }
}

Result<bool, TowerError> Tower::give(const Watch& watch,
                                     const std::optional<channels::Channel>& on_chain,
                                     BlockNumber at) {
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
  seen_ = std::max(seen_, at);
  write({{key_of(state.channel_id), encode(kept)}, {kSeenKey, encode(seen_)}});
  watches_[state.channel_id] = std::move(kept);
  return true;
}

void Tower::write(const Journal::Entries& entries) {
  const auto written = journal_.write(entries);
  if (written.ok()) return;
  std::fprintf(stderr, "the tower's journal cannot be written: %s\n",
               written.error().message.c_str());
  std::abort();
}

const Watch* Tower::find(const ChannelId& channel) const {
  const auto watch = watches_.find(channel);
  return watch == watches_.end() ? nullptr : &watch->second;
}

bool Tower::due(const ChannelId& channel) const {
  const auto standing = standing_.find(channel);
  const Watch* watch = find(channel);
  return standing != standing_.end() && watch != nullptr &&
         watch->update.state.version > standing->second.version;
}

void Tower::queue(const ChannelId& channel) {
  if (due(channel) && under_way_.count(channel) == 0) queued_.insert(channel);
}

void Tower::stands(const ChannelId& channel, ChannelVersion version, TimestampMs deadline) {
  Standing& standing = standing_[channel];
  standing = {std::max(standing.version, version), std::max(standing.deadline, deadline)};
  queue(channel);
}

void Tower::forget(const ChannelId& channel) {
  standing_.erase(channel);
  if (watches_.erase(channel) != 0) write({{key_of(channel), {}}});
}

Result<void, TowerError> Tower::catch_up(const Records& records, BlockNumber at) {
  if (!watches_.empty() && at < seen_) return fail(TowerError::node_behind);
  for (const auto& [channel, watch] : watches_) {
    if (records.count(channel) == 0) return fail(TowerError::records_missing);
  }
  for (const auto& [channel, on_chain] : records) on_record(channel, on_chain, at);
  if (!watches_.empty() && at > seen_) {
    seen_ = at;
    write({{kSeenKey, encode(seen_)}});
  }
  next_block_ = at.next();
  return {};
}

void Tower::on_event(const channels::Event& event) {
  if (const auto* started = std::get_if<channels::ChallengeStarted>(&event)) {
    stands(started->channel_id, started->version, started->deadline);
  } else if (const auto* refuted = std::get_if<channels::ChallengeRefuted>(&event)) {
    stands(refuted->channel_id, refuted->version, refuted->deadline);
  } else if (const auto* moved = std::get_if<channels::DeadlineMoved>(&event)) {
    const auto standing = standing_.find(moved->channel_id);
    if (standing != standing_.end()) standing->second.deadline = moved->deadline;
  } else if (const auto* closed = std::get_if<channels::ChannelClosed>(&event)) {
    forget(closed->channel_id);
  }
}

void Tower::on_record(const ChannelId& channel, const std::optional<channels::Channel>& on_chain,
                      BlockNumber at) {
  if (!on_chain) {
    if (at >= seen_) forget(channel);
  } else if (on_chain->challenge) {
    stands(channel, on_chain->challenge->standing.version, on_chain->challenge->deadline);
  }
}

void Tower::on_final_block(BlockNumber number) {
  next_block_ = number.next();
  if (number.value % kRetryBlocks != 0) return;
  for (const auto& [channel, standing] : standing_) queue(channel);
}

std::optional<Refutation> Tower::take() {
  std::erase_if(queued_, [&](const ChannelId& channel) { return !due(channel); });
  const auto first =
      std::min_element(queued_.begin(), queued_.end(), [&](const ChannelId& x, const ChannelId& y) {
        return standing_.at(x).deadline < standing_.at(y).deadline;
      });
  if (first == queued_.end()) return std::nullopt;
  const ChannelId channel = *first;
  queued_.erase(first);
  under_way_.insert(channel);
  const Watch& watch = watches_.at(channel);
  return Refutation{channel, {watch.update, watch.appointment}};
}

void Tower::ended(const Refutation& refutation, bool included) {
  under_way_.erase(refutation.channel_id);
  const auto standing = standing_.find(refutation.channel_id);
  if (!included || standing == standing_.end()) return;
  // Its event may still be to come.
  ChannelVersion& version = standing->second.version;
  version = std::max(version, refutation.call.update.state.version);
}

}  // namespace tally::channel
