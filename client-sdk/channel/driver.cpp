#include "client-sdk/channel/driver.hpp"

#include <cstdio>
#include <cstdlib>

#include "client-sdk/channel/journal_records.hpp"
#include "client-sdk/channel/planted.hpp"
#include "primitives/assert.hpp"

namespace tally::channel {
namespace {

constexpr std::uint32_t kFinalUnwritten = 1'024;  // blocks

OpenedOnChain opened_of(const channels::ChannelOpened& event) {
  return {event.opener, event.counterparty, event.deposit_a, event.deposit_b,
          event.challenge_period};
}

// The environment failed where nothing can be promised any more.
[[noreturn]] void end_process(const Error& error) {
  std::fprintf(stderr, "the channel journal cannot be written: %s\n", error.message.c_str());
  std::abort();
}

}  // namespace

ChannelDriver::ChannelDriver(Journal journal, const KeyPair& key, const Policy& policy,
                             Effects& effects)
    : journal_(std::move(journal)),
      key_(key),
      policy_(policy),
      effects_(effects),
      begun_at_(channel::begun_at(journal_)),
      genesis_hash_(channel::genesis_hash(journal_)),
      newest_final_(channel::newest_final(journal_)),
      written_final_(newest_final_) {
  for (const Record& record : records_of(journal_)) {
    if (record.terms.self() != key.account()) continue;
    parties_.emplace(record.terms.channel_id, Party(record, key, policy));
  }
}

void ChannelDriver::begin_at(BlockNumber number) {
  TALLY_ASSERT(!begun_at_);
  begun_at_ = number;
  to_write_[kBegunAtKey] = encode(number);
}

void ChannelDriver::bind_to(const Hash& genesis_hash) {
  TALLY_ASSERT(!genesis_hash_);
  genesis_hash_ = genesis_hash;
  to_write_[kGenesisKey] = encode(genesis_hash);
}

void ChannelDriver::saw_final(BlockNumber number) {
  if (!newest_final_ || *newest_final_ < number) newest_final_ = number;
  const std::uint32_t written = written_final_.value_or(BlockNumber(0)).value;
  if (newest_final_->value - written < kFinalUnwritten) return;
  to_write_[kNewestFinalKey] = encode(*newest_final_);
}

Result<void, DriverError> ChannelDriver::open(const Terms& terms, std::optional<Opening> opening) {
  if (parties_.count(terms.channel_id) != 0) return fail(DriverError::known_channel);
  const Party& party =
      parties_.emplace(terms.channel_id, Party(terms, key_, policy_, std::move(opening)))
          .first->second;
  to_write_[key_of(terms.channel_id)] = encode(party.record());
  return {};
}

void ChannelDriver::forget_unopened(const ChannelId& channel) {
  const auto party = parties_.find(channel);
  if (party == parties_.end() || party->second.record().stage != Stage::unopened) return;
  parties_.erase(party);
  pending_opens_.erase(channel);
  to_write_[key_of(channel)] = {};
}

Result<void, DriverError> ChannelDriver::restore(const Record& record) {
  const ChannelId& id = record.terms.channel_id;
  if (parties_.count(id) != 0) return fail(DriverError::known_channel);
  if (record.terms.self() != key_.account()) return fail(DriverError::not_the_peer);
  const Party& party =
      parties_.emplace(id, Party::from_backup(record, key_, policy_)).first->second;
  to_write_[key_of(id)] = encode(party.record());
  return {};
}

Result<void, Rejection> ChannelDriver::step(const ChannelId& channel, const Event& event) {
  const auto party = parties_.find(channel);
  if (party == parties_.end()) return fail(Rejection::wrong_channel);
  stepped_.insert(channel);
  Actions actions = TALLY_TRY(party->second.step(event));
  take(channel, std::move(actions));
  return {};
}

void ChannelDriver::take(const ChannelId& channel, Actions actions) {
  for (Action& action : actions) {
    if (const auto* persist = std::get_if<Persist>(&action)) {
      to_write_[key_of(channel)] = encode(persist->record);
    } else {
      leaving_.push_back({channel, std::move(action)});
    }
  }
}

void ChannelDriver::try_step(const ChannelId& channel, const Event& event) {
  static_cast<void>(step(channel, event));  // what a stage does not admit does not concern it
}

Result<void, DriverError> ChannelDriver::on_message(const AccountId& peer, ByteView message) {
  const auto decoded = decode_message(message);
  if (!decoded.ok()) return fail(DriverError::malformed);
  const ChannelId id = channel_of(*decoded);
  const auto party = parties_.find(id);
  if (party == parties_.end()) return fail(DriverError::unknown_channel);
  if (party->second.record().terms.peer() != peer) return fail(DriverError::not_the_peer);
  const auto done = std::visit([&](const auto& m) { return step(id, Event(m)); }, *decoded);
  if (!done.ok() && done.error() == Rejection::unknown_base) try_step(id, Connected{});
  return {};
}

void ChannelDriver::on_connected(const AccountId& peer) {
  for (const auto& [id, party] : parties_) {
    if (party.record().terms.peer() == peer) try_step(id, Connected{});
  }
}

void ChannelDriver::note_challenge(const channels::Event& event) {
  if (const auto* started = std::get_if<channels::ChallengeStarted>(&event)) {
    if (find(started->channel_id) == nullptr) return;
    challenges_[started->channel_id] = {started->version, started->deadline};
  } else if (const auto* refuted = std::get_if<channels::ChallengeRefuted>(&event)) {
    if (find(refuted->channel_id) == nullptr) return;
    challenges_[refuted->channel_id] = {refuted->version, refuted->deadline};
  } else if (const auto* moved = std::get_if<channels::DeadlineMoved>(&event)) {
    const auto challenge = challenges_.find(moved->channel_id);
    if (challenge != challenges_.end()) challenge->second.deadline = moved->deadline;
  } else if (const auto* closed = std::get_if<channels::ChannelClosed>(&event)) {
    challenges_.erase(closed->channel_id);
  }
}

void ChannelDriver::on_event(const channels::Event& event) {
  note_challenge(event);
  if (const auto* opened = std::get_if<channels::ChannelOpened>(&event)) {
    if (find(opened->channel_id) == nullptr) return;
    if (opened->pending) {
      pending_opens_[opened->channel_id] = opened_of(*opened);
    } else {
      try_step(opened->channel_id, opened_of(*opened));
    }
  } else if (const auto* accepted = std::get_if<channels::ChannelAccepted>(&event)) {
    const auto pending = pending_opens_.find(accepted->channel_id);
    if (pending == pending_opens_.end()) return;
    try_step(accepted->channel_id, pending->second);
    pending_opens_.erase(pending);
  } else if (const auto* cancelled = std::get_if<channels::ChannelCancelled>(&event)) {
    try_step(cancelled->channel_id, ClosedOnChain{ChannelVersion(0)});
  } else if (const auto* started = std::get_if<channels::ChallengeStarted>(&event)) {
    try_step(started->channel_id, ChallengedOnChain{started->version});
  } else if (const auto* refuted = std::get_if<channels::ChallengeRefuted>(&event)) {
    try_step(refuted->channel_id, ChallengedOnChain{refuted->version});
  } else if (const auto* spliced = std::get_if<channels::ChannelSpliced>(&event)) {
    try_step(spliced->channel_id,
             SplicedOnChain{spliced->version, spliced->balance_a, spliced->balance_b});
  } else if (const auto* closed = std::get_if<channels::ChannelClosed>(&event)) {
    try_step(closed->channel_id, ClosedOnChain{closed->version});
  }
}

void ChannelDriver::on_record(const ChannelId& channel,
                              const std::optional<channels::Channel>& on_chain, BlockNumber at) {
  const Party* party = find(channel);
  if (party == nullptr) return;
  const bool older = newest_final_ && at < *newest_final_;
  saw_final(at);
  if (!on_chain) {
    // Before its open a channel is not on chain yet, and an older block may be from before it.
    if (party->record().stage == Stage::unopened || older) return;
    challenges_.erase(channel);
    try_step(channel, ClosedOnChain{party->record().newest_version()});
    return;
  }
  const channels::Position& floor = on_chain->floor;
  const OpenedOnChain opened{on_chain->opener, on_chain->counterparty, floor.balance_a,
                             floor.balance_b, on_chain->challenge_period};
  if (on_chain->phase == channels::Phase::pending) {
    pending_opens_[channel] = opened;
    return;
  }
  if (party->record().stage == Stage::unopened && floor.version == ChannelVersion(0)) {
    try_step(channel, opened);
  }
  if (floor.version > party->record().floor.version) {
    try_step(channel, SplicedOnChain{floor.version, floor.balance_a, floor.balance_b});
  }
  if (on_chain->challenge) {
    challenges_[channel] = {on_chain->challenge->standing.version, on_chain->challenge->deadline};
    try_step(channel, ChallengedOnChain{on_chain->challenge->standing.version});
  }
}

bool ChannelDriver::still_due(const ChannelId& channel, const channels::Call& call) const {
  const Party* party = find(channel);
  if (party == nullptr || party->record().stage == Stage::closed) return false;
  const auto challenge = challenges_.find(channel);
  const bool challenged = challenge != challenges_.end();
  const auto stands_above = [&](const CoSignedState& update) {
    return challenged && challenge->second.standing >= update.state.version;
  };
  if (const auto* claim = std::get_if<channels::CloseUnilateral>(&call)) {
    return claim->claim ? !stands_above(*claim->claim) : !challenged;
  }
  if (const auto* refutation = std::get_if<channels::Refute>(&call)) {
    return challenged && !stands_above(refutation->update);
  }
  if (std::holds_alternative<channels::RequestClose>(call)) return !challenged;
  if (const auto* splice = std::get_if<channels::Splice>(&call)) {
    const auto& open = party->record().splice;
    return !challenged && open && open->body == splice->splice;
  }
  return true;
}

std::optional<TimestampMs> ChannelDriver::deadline(const ChannelId& channel) const {
  const auto challenge = challenges_.find(channel);
  if (challenge == challenges_.end()) return std::nullopt;
  return challenge->second.deadline;
}

void ChannelDriver::on_final_block(BlockNumber number) {
  saw_final(number);
  // Nothing of this concerns most channels, and there may be many: their turn does not end for it.
  const Event block = FinalBlock{number};
  for (auto& [id, party] : parties_) {
    if (party.record().stage == Stage::closed) continue;
    auto actions = party.step(block);
    if (!actions.ok() || actions->empty()) continue;
    stepped_.insert(id);
    take(id, *std::move(actions));
  }
}

void ChannelDriver::finish_turn() {
  const std::set<ChannelId> stepped = std::exchange(stepped_, {});
  for (const ChannelId& id : stepped) try_step(id, TurnEnded{});
  stepped_.clear();
  if (planted(Fault::send_before_sync)) {
    for (const Leaving& leaving : std::exchange(leaving_, {})) let_go(leaving);
  }
  if (!to_write_.empty() && newest_final_ != written_final_) {
    to_write_[kNewestFinalKey] = encode(*newest_final_);
  }
  const bool writes = !to_write_.empty();
  const auto written = journal_.write(std::exchange(to_write_, {}));
  if (!written.ok()) end_process(written.error());
  if (writes) written_final_ = newest_final_;
  for (const Leaving& leaving : std::exchange(leaving_, {})) let_go(leaving);
}

void ChannelDriver::let_go(const Leaving& leaving) {
  const ChannelId& id = leaving.channel;
  if (const auto* send = std::get_if<Send>(&leaving.action)) {
    effects_.send(id, parties_.at(id).record().terms.peer(), encode_message(send->message));
  } else if (const auto* submit = std::get_if<Submit>(&leaving.action)) {
    effects_.submit(id, submit->call, submit->by_third_party);
  } else if (const auto* timer = std::get_if<SetTimer>(&leaving.action)) {
    effects_.set_timer(id, timer->kind, timer->after);
  } else if (const auto* tell = std::get_if<Tell>(&leaving.action)) {
    effects_.tell(id, *tell);
  }
}

const Party* ChannelDriver::find(const ChannelId& channel) const {
  const auto party = parties_.find(channel);
  return party == parties_.end() ? nullptr : &party->second;
}

}  // namespace tally::channel
