// Taking on channels that others opened towards this account.
//
// A journal that was lost begins again empty, and the chain still shows the channels that the lost
// one knew. Work in such a channel would sign versions a second time, and the peer could show the
// older signature as fraud. So a channel is taken on as new only if it was opened after the journal
// began; any other follows rule 5 from the start: it is closed with the peer, or by request_close.
//
// When a journal begins is the newest final block then, and only a recent one counts: a node that
// lags would name a block from before the loss.
#include <algorithm>

#include "client-sdk/host/host_state.hpp"

namespace tally::client {

namespace {

constexpr DurationMs kRecent{60'000};
constexpr int kAdoptTries = 20;
// A peer that names channels which are none costs a proved read each: so many at once, and one more
// each second.
constexpr int kFailuresMax = 8;
constexpr DurationMs kForgiven{1'000};

channel::Terms terms_of(const ChannelId& id, const channels::Channel& on_chain) {
  return {.channel_id = id,
          .opener = on_chain.opener,
          .counterparty = on_chain.counterparty,
          .deposit_a = on_chain.floor.balance_a,
          .deposit_b = on_chain.floor.balance_b,
          .challenge_period = on_chain.challenge_period,
          .side = channel::Side::b};
}

std::string refused_period(const ChannelId& id, DurationMs period, DurationMs least) {
  return "channel " + to_hex_prefixed(id) + " is not taken on: its challenge period is " +
         to_decimal(period.value) + " ms, and an old state has to be refuted within it: at least " +
         to_decimal(least.value) + " ms are expected";
}

}  // namespace

TimestampMs ChannelHost::State::now() const {
  if (config.now) return config.now();
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
  return TimestampMs(static_cast<std::uint64_t>(ms));
}

bool ChannelHost::State::is_recent(const FinalHead& head) const {
  const auto digest = consensus_digest(head.header);
  return digest && digest->time.value + kRecent.value >= now().value;  // genesis has no time
}

// On the loop's thread.
void ChannelHost::State::begin_journal(const FinalHead& head) {
  if (!driver->begun_at() && is_recent(head)) driver->begin_at(head.number);
}

bool ChannelHost::State::opened_since_we_began(BlockNumber opened_in) const {
  return driver->begun_at() && opened_in > *driver->begun_at();
}

void ChannelHost::State::take_on(const channels::ChannelOpened& opened, BlockNumber opened_in) {
  if (!config.take_channels || opened.pending || opened.counterparty != config.key.account())
    return;
  if (!opened.deposit_b.is_zero() || driver->find(opened.channel_id) != nullptr) return;
  if (!opened_since_we_began(opened_in)) return;
  if (opened.challenge_period < config.period_min) {
    log(refused_period(opened.channel_id, opened.challenge_period, config.period_min));
    return;
  }
  const auto added = driver->open({.channel_id = opened.channel_id,
                                   .opener = opened.opener,
                                   .counterparty = opened.counterparty,
                                   .deposit_a = opened.deposit_a,
                                   .deposit_b = opened.deposit_b,
                                   .challenge_period = opened.challenge_period,
                                   .side = channel::Side::b});
  TALLY_ASSERT(added.ok());
  log("took on channel " + to_hex_prefixed(opened.channel_id) + " of " +
      to_hex_prefixed(opened.opener) + " with " + to_text(opened.deposit_a));
}

bool ChannelHost::State::may_look_for_channel(const AccountId& peer) {
  const TimestampMs at = now();
  const std::lock_guard lock(mutex);
  const auto found = adoptions.find(peer);
  if (found == adoptions.end()) return true;
  Adoptions& of_peer = found->second;
  of_peer.since = std::min(of_peer.since, at);  // a clock that was set back
  const std::uint64_t forgiven = (at.value - of_peer.since.value) / kForgiven.value;
  of_peer.failed -= static_cast<int>(std::min<std::uint64_t>(forgiven, of_peer.failed));
  of_peer.since.value += forgiven * kForgiven.value;
  return of_peer.failed < kFailuresMax;
}

// A channel that was opened towards us while we did not look.
Result<void, Error> ChannelHost::State::adopt(const AccountId& peer, const ChannelId& channel) {
  if (!may_look_for_channel(peer)) {
    return fail_with("too many channels were named that are none with this account: wait a second");
  }
  auto adopted = adopt_now(peer, channel);
  if (adopted) return adopted;
  const TimestampMs at = now();
  const std::lock_guard lock(mutex);
  Adoptions& of_peer = adoptions[peer];
  if (of_peer.failed++ == 0) of_peer.since = at;
  return adopted;
}

Result<void, Error> ChannelHost::State::adopt_now(const AccountId& peer, const ChannelId& channel) {
  for (int tries = 0; tries < kAdoptTries; ++tries) {
    if (TALLY_TRY(try_adopt(peer, channel))) return {};
  }
  return fail_with("channel " + to_hex_prefixed(channel) + " is read more slowly than blocks come");
}

// False if a block was taken while the record was read: a challenge in it would never be heard of.
Result<bool, Error> ChannelHost::State::try_adopt(const AccountId& peer, const ChannelId& channel) {
  const std::string name = "channel " + to_hex_prefixed(channel);
  const auto head = chain.finalized();
  if (!head) return error_of(head.error());
  const auto values = chain.read_at(*head, {to_bytes(channels::kChannels.key(channel))});
  if (!values) return error_of(values.error());
  if (!values->front()) return fail_with(name + " is not open in a final block");
  const auto decoded = decode<channels::Channel>(*values->front());
  if (!decoded) return fail_with("the chain's record of a channel is malformed");
  const channels::Channel& record = *decoded;
  if (!config.take_channels || record.counterparty != config.key.account() ||
      record.opener != peer || record.phase == channels::Phase::pending) {
    return fail_with(name + " is not one of yours with this account");
  }
  bool current = true;
  Result<void, Error> taken_on;
  loop.call([&] {
    if (driver->find(channel) != nullptr) return;
    current = head->number >= taken;
    if (!current) return;
    const channel::Terms terms = terms_of(channel, record);
    if (!driver->begun_at()) {
      taken_on = fail_with(
          "the journal of this account is new and the node's newest final block is old: " + name +
          " is looked at again when the node has caught up");
    } else if (!opened_since_we_began(record.opened_in)) {
      TALLY_ASSERT(driver->restore(channel::Party(terms, config.key, config.policy).record()).ok());
      log(name + " was opened in block " + to_decimal(record.opened_in.value) +
          ", before the journal of this account began (block " +
          to_decimal(driver->begun_at()->value) +
          "): what was signed in it is not known here, so it is only closed");
    } else if (record.phase != channels::Phase::open || record.floor.version != ChannelVersion(0) ||
               !record.floor.balance_b.is_zero()) {
      taken_on = fail_with(name +
                           " is not one that can be taken on: expected an open channel "
                           "without a deposit of ours that was never spliced");
    } else if (record.challenge_period < config.period_min) {
      taken_on = fail_with(refused_period(channel, record.challenge_period, config.period_min));
    } else {
      TALLY_ASSERT(driver->open(terms).ok());
    }
    if (!taken_on) return;
    learn_from_tower(channel);
    driver->on_record(channel, record, head->number);
    learn_from_tower(channel);  // an open that is new learns nothing before
  });
  TALLY_TRY(std::move(taken_on));
  return current;
}

// A payment in a channel that was opened towards us while we did not look is the first we hear of
// it. Reads the chain, so it is not for the driver's thread.
void ChannelHost::State::adopt_channel_of(const AccountId& peer, ByteView message) {
  const auto decoded = channel::decode_message(message);
  if (!decoded.ok()) return;
  const ChannelId id = channel::channel_of(*decoded);
  {
    const std::lock_guard lock(mutex);
    if (views.contains(id)) return;
  }
  const auto adopted = adopt(peer, id);
  if (!adopted.ok()) log(adopted.error().message);
}

}  // namespace tally::client
