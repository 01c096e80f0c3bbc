#include "client-sdk/channel/tower.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <tuple>

#include "client-sdk/channel/journal_records.hpp"
#include "client-sdk/channel/planted.hpp"
#include "modules/channels/signing.hpp"
#include "primitives/assert.hpp"

namespace tally::channel {
namespace {

constexpr std::uint32_t kRetryBlocks = 4;
constexpr std::uint32_t kFailuresMax = 10;  // the longest wait is 4,096 blocks

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
    : journal_(std::move(journal)),
      account_(account),
      genesis_hash_(channel::genesis_hash(journal_)) {
  if (planted(Fault::tower_forgets)) return;
  for (const auto& [key, bytes] : journal_.entries()) {
    if (key == kGenesisKey) continue;
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

bool Tower::bind_to(const Hash& genesis_hash) {
  if (genesis_hash_ == genesis_hash) return true;
  if (genesis_hash_ && !watches_.empty()) return false;
  if (genesis_hash_) seen_ = {};
  genesis_hash_ = genesis_hash;
  write({{kGenesisKey, encode(genesis_hash)}, {kSeenKey, encode(seen_)}});
  return true;
}

bool Tower::appoints(const Watch& watch, const channels::Channel& on_chain) const {
  if (!watch.appointment) return false;
  const Bytes bytes = channels::appointment_bytes({watch.update.state.channel_id, account_});
  return verify_offchain(on_chain.opener, bytes, *watch.appointment).ok() ||
         verify_offchain(on_chain.counterparty, bytes, *watch.appointment).ok();
}

Result<Given, TowerError> Tower::give(const Watch& watch,
                                      const std::optional<channels::Channel>& on_chain,
                                      BlockNumber at) {
  // The accounts come from the chain: nobody can displace a good state with one that other keys
  // signed.
  if (!on_chain || on_chain->phase == channels::Phase::pending) {
    return fail(TowerError::not_on_chain);
  }
  const channels::ChannelState& state = watch.update.state;
  const Watch* known = find(state.channel_id);
  if (known != nullptr && known->update.state.version >= state.version) return Given{};
  if (known != nullptr && planted(Fault::tower_keeps_first)) return Given{};
  const auto sum = checked_add(state.balance_a, state.balance_b);
  const auto held = checked_add(on_chain->floor.balance_a, on_chain->floor.balance_b);
  if (!sum.ok() || !held.ok() || *sum != *held) return fail(TowerError::wrong_sum);
  if (state.acked >= state.version) return fail(TowerError::acked_not_below_version);
  const Bytes bytes = channels::update_bytes(state);
  if (!verify_offchain(on_chain->opener, bytes, watch.update.signature_a).ok() ||
      !verify_offchain(on_chain->counterparty, bytes, watch.update.signature_b).ok()) {
    return fail(TowerError::bad_signature);
  }
  const bool appointed = appoints(watch, *on_chain);
  Watch kept = watch;
  if (!appointed) kept.appointment = known != nullptr ? known->appointment : std::nullopt;
  seen_ = std::max(seen_, at);
  write({{key_of(state.channel_id), encode(kept)}, {kSeenKey, encode(seen_)}});
  watches_[state.channel_id] = std::move(kept);
  return Given{.newer = true, .appointment_holds = appointed};
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

void Tower::stands(const ChannelId& channel, ChannelVersion version, TimestampMs deadline,
                   bool by_event) {
  Standing& standing = standing_[channel];
  standing.version = std::max(standing.version, version);
  standing.deadline = std::max(standing.deadline, deadline);
  if (by_event) {
    standing.failures = 0;
    standing.again_from = {};
  }
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
    stands(started->channel_id, started->version, started->deadline, true);
  } else if (const auto* refuted = std::get_if<channels::ChallengeRefuted>(&event)) {
    stands(refuted->channel_id, refuted->version, refuted->deadline, true);
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
    stands(channel, on_chain->challenge->standing.version, on_chain->challenge->deadline, false);
  }
}

void Tower::on_final_block(BlockNumber number) {
  next_block_ = number.next();
  if (number.value % kRetryBlocks != 0) return;
  for (const auto& [channel, standing] : standing_) {
    if (number >= standing.again_from) queue(channel);
  }
}

std::optional<Refutation> Tower::take() {
  std::erase_if(queued_, [&](const ChannelId& channel) { return !due(channel); });
  const auto first =
      std::min_element(queued_.begin(), queued_.end(), [&](const ChannelId& x, const ChannelId& y) {
        const Standing& sx = standing_.at(x);
        const Standing& sy = standing_.at(y);
        return std::tie(sx.failures, sx.deadline) < std::tie(sy.failures, sy.deadline);
      });
  if (first == queued_.end()) return std::nullopt;
  const ChannelId channel = *first;
  queued_.erase(first);
  under_way_[channel] = standing_.at(channel).version;
  const Watch& watch = watches_.at(channel);
  return Refutation{channel, {watch.update, watch.appointment}};
}

void Tower::ended(const Refutation& refutation, Attempt attempt) {
  const auto stood = under_way_.extract(refutation.channel_id);
  const auto found = standing_.find(refutation.channel_id);
  if (found == standing_.end()) return;
  Standing& standing = found->second;
  if (attempt == Attempt::included) {
    // Its event may still be to come.
    standing.version = std::max(standing.version, refutation.call.update.state.version);
  } else if (attempt == Attempt::failed && !stood.empty() && stood.mapped() == standing.version) {
    standing.failures = std::min(standing.failures + 1, kFailuresMax);
    standing.again_from =
        BlockNumber(next_block_.value_or(seen_).value + (kRetryBlocks << standing.failures));
  }
}

}  // namespace tally::channel
