// Opening a channel so that its deposit is never locked where the journal does not look.
//
// The signed extrinsic is in the journal before it leaves. Until a final block shows what became of
// it, it is the only open of this account: a retry sends the very same bytes again, which a chain
// takes once. What ends it: it is in a final block (opened, or refused there), another transaction
// took its nonce, or its time is over.
#include "client-sdk/chain/calls.hpp"
#include "client-sdk/chain/events.hpp"
#include "client-sdk/host/host_state.hpp"
#include "modules/channels/signing.hpp"
#include "modules/system/storage.hpp"

namespace tally::client {

namespace {

using channel::Stage;
using std::chrono::milliseconds;

constexpr milliseconds kLookAgain{500};
constexpr int kFollowTries = 20;
// A node's answer that says nothing of the transaction.
constexpr std::string_view kShuttingDown = "shutting_down";
// Long enough for a busy chain, short enough to be told soon that it never will be.
constexpr std::uint32_t kOpenMortalityBlocks = 256;

bool same_terms(const channel::Terms& terms, const OpenRequest& request) {
  return terms.counterparty == request.counterparty && terms.deposit_a == request.deposit &&
         terms.challenge_period == request.challenge_period;
}

std::string text_of(const channel::Record& record) {
  return "the open with " + to_text(record.terms.deposit_a) + " towards " +
         to_hex_prefixed(record.terms.counterparty);
}

Bytes extrinsic_of_open(const channel::Record& record) {
  return record.opening->extrinsic.items();
}

Nonce nonce_of(const channel::Record& record) {
  const auto extrinsic = decode_extrinsic(extrinsic_of_open(record));
  TALLY_ASSERT(extrinsic.ok() && extrinsic->signature);
  return extrinsic->signature->extra.nonce.value;
}

}  // namespace

std::vector<channel::Record> ChannelHost::State::opens_under_way() {
  std::vector<channel::Record> out;
  loop.call([&] {
    for (const auto& [id, party] : driver->parties()) {
      const channel::Record& record = party.record();
      if (record.stage == Stage::unopened && record.opening) out.push_back(record);
    }
  });
  return out;
}

// What a final block says of the open in it.
Result<OpenFate, Error> ChannelHost::State::fate_in(const channel::Record& record,
                                                    const RawEvents& events, std::uint32_t index) {
  const auto failure = dispatch_failure(events, index);
  if (!failure) return error_of(failure.error());
  if (*failure) {
    return OpenFate{OpenState::never, record.terms.channel_id,
                    "the chain refused it: " + to_json(**failure).dump()};
  }
  const auto records = decode_events(events.records);
  if (!records) return fail_with("the events of a block are malformed");
  const auto opened = find_event<channels::ChannelOpened>(*records, index);
  if (!opened) return fail_with("the block of the open does not say that a channel was opened");
  return OpenFate{OpenState::opened, opened->channel_id, {}};
}

// By the newest final block. The nonce decides: while the account's is not above the open's, the
// open is in no block up to there.
Result<OpenFate, Error> ChannelHost::State::fate_of(const channel::Record& record) {
  const ChannelId& id = record.terms.channel_id;
  const auto head = chain.finalized();
  if (!head) return error_of(head.error());
  const auto values = chain.read_at(*head, {to_bytes(system::kAccount.key(config.key.account())),
                                            to_bytes(channels::kChannels.key(id))});
  if (!values) return error_of(values.error());
  system::AccountInfo account;
  if (values->front()) {
    const auto decoded = decode<system::AccountInfo>(*values->front());
    if (!decoded) return fail_with("the chain's record of the account is malformed");
    account = *decoded;
  }
  if (account.nonce <= nonce_of(record)) {
    if (head->number.next() < record.opening->death) return OpenFate{OpenState::under_way, id, {}};
    return OpenFate{OpenState::never, id,
                    "no block before " + to_decimal(record.opening->death.value) +
                        " has it, and no later one can"};
  }
  const auto place = chain.find_transaction(extrinsic_hash(extrinsic_of_open(record)));
  if (!place) {
    if (place.error().kind != ClientErrorKind::not_found) return error_of(place.error());
    // The chain's own record is proved, what the node does not find is only its word.
    if (values->back()) return OpenFate{OpenState::opened, id, {}};
    return OpenFate{OpenState::never, id, "another transaction of the account took its nonce"};
  }
  const auto block = chain.finalized_at(place->number);
  if (!block) return error_of(block.error());
  const auto events = chain.events(*block);
  if (events) return fate_in(record, *events, place->index);
  if (events.error().kind != ClientErrorKind::pruned) return error_of(events.error());
  if (values->back()) return OpenFate{OpenState::opened, id, {}};
  // It failed, or its channel has another id or is over: the block's state is gone that would prove
  // which. follow_own() takes no id for which the chain has no record.
  const auto told = chain.events_unproved(*block);
  if (!told) return error_of(told.error());
  return fate_in(record, *told, place->index);
}

// What follows from it is in the journal when this returns.
Result<void, Error> ChannelHost::State::settle_open(const channel::Record& record,
                                                    const OpenFate& fate) {
  const ChannelId& id = record.terms.channel_id;
  if (fate.state == OpenState::under_way) return {};
  if (fate.state == OpenState::never) log(text_of(record) + " never was: " + fate.why);
  if (fate.state == OpenState::never || fate.channel != id) forget_open(id);
  if (fate.state == OpenState::never) return {};
  channel::Terms terms = record.terms;
  terms.channel_id = fate.channel;
  return follow_own(terms);
}

void ChannelHost::State::forget_open(const ChannelId& id) {
  loop.call([&] { driver->forget_unopened(id); });
  const std::lock_guard lock(mutex);
  views.erase(id);
}

// From the chain's record, for an open that the followed blocks did not show under this id.
Result<void, Error> ChannelHost::State::follow_own(const channel::Terms& terms) {
  for (int tries = 0; tries < kFollowTries; ++tries) {
    const auto head = chain.finalized();
    if (!head) return error_of(head.error());
    const auto values = chain.read_at(*head, {to_bytes(channels::kChannels.key(terms.channel_id))});
    if (!values) return error_of(values.error());
    std::optional<channels::Channel> on_chain;
    if (values->front()) {
      const auto decoded = decode<channels::Channel>(*values->front());
      if (!decoded) return fail_with("the chain's record of a channel is malformed");
      on_chain = *decoded;
    }
    bool current = true;
    loop.call([&] {
      const channel::Party* party = driver->find(terms.channel_id);
      if (party != nullptr && party->record().stage != Stage::unopened) return;
      // A block that was taken meanwhile may have brought a challenge.
      current = head->number >= taken;
      if (!current) return;
      if (party == nullptr) TALLY_ASSERT(driver->open(terms).ok());
      driver->on_record(terms.channel_id, on_chain, head->number);
    });
    if (!current) continue;
    if (on_chain) return {};
    forget_open(terms.channel_id);
    return fail_with("channel " + to_hex_prefixed(terms.channel_id) + " is closed already");
  }
  return fail_with("channel " + to_hex_prefixed(terms.channel_id) +
                   " is read more slowly than blocks come");
}

// Those that no followed block opened in their time; after a start (nothing), all.
void ChannelHost::State::settle_opens(std::optional<BlockNumber> final_block) {
  for (const channel::Record& record : opens_under_way()) {
    if (final_block && final_block->next() < record.opening->death) continue;
    const auto fate = fate_of(record);
    if (!fate) {
      log(fate.error().message);
    } else if (const auto settled = settle_open(record, *fate); !settled) {
      log(settled.error().message);
    }
  }
}

Result<channel::Record, Error> ChannelHost::State::sign_open(const OpenRequest& request) {
  const AccountId& self = config.key.account();
  const auto counter = chain.read_item(channels::kCounter, self);
  if (!counter) return error_of(counter.error());
  const ChannelId id = channels::channel_id_of({.genesis_hash = chain.root().genesis_hash,
                                                .opener = self,
                                                .counterparty = request.counterparty,
                                                .counter = counter->value_or(0),
                                                .challenge_period = request.challenge_period});
  const channels::Open call{.counterparty = request.counterparty,
                            .deposit = {request.deposit},
                            .counterparty_deposit = {},
                            .consent = std::nullopt,
                            .challenge_period = request.challenge_period};
  SubmitOptions options;
  options.mortality_blocks = kOpenMortalityBlocks;
  const auto made = chain.sign(config.key, call_bytes(call), options);
  if (!made) return error_of(made.error());
  const auto extrinsic = decode_extrinsic(made->bytes);
  TALLY_ASSERT(extrinsic.ok() && extrinsic->signature);
  const auto head = chain.finalized();  // not before its birth block
  if (!head) return error_of(head.error());
  const auto death = extrinsic->signature->extra.era.death(head->number);
  TALLY_ASSERT(death.has_value());
  const auto kept = BoundedVec<std::uint8_t, 1'024>::from(made->bytes);
  TALLY_ASSERT(kept.has_value());
  channel::Record record;
  bool added = false;
  loop.call([&] {
    added = driver
                ->open({.channel_id = id,
                        .opener = self,
                        .counterparty = request.counterparty,
                        .deposit_a = request.deposit,
                        .deposit_b = {},
                        .challenge_period = request.challenge_period,
                        .side = channel::Side::a},
                       channel::Opening{*kept, *death})
                .ok();
    if (added) record = driver->find(id)->record();
  });
  if (added) return record;
  return fail_with("the chain shows an older state than this journal: channel " +
                   to_hex_prefixed(id) + " is known here; try again when the node has caught up");
}

// Submits it and waits until a final block says how it ended. `turn`: holds one_nonce if it was
// just signed.
Result<ChannelId, Error> ChannelHost::State::submit_open(const channel::Record& record,
                                                         std::unique_lock<std::mutex> turn) {
  const ChannelId& id = record.terms.channel_id;
  const bool first = turn.owns_lock();
  bool pooled = false;
  SubmitOptions options;
  options.above = BlockNumber(record.opening->death.value - kOpenMortalityBlocks);  // its birth
  options.on_progress = [&pooled, &turn](const Hash&, const TxProgress&) {
    pooled = true;
    if (turn.owns_lock()) turn.unlock();
  };
  const Submission done{id, "open", chain.submit_signed(extrinsic_of_open(record), options)};
  if (turn.owns_lock()) turn.unlock();
  tell_submitted(done);
  const bool turned_away = !done.outcome && !pooled &&
                           done.outcome.error().kind == ClientErrorKind::rejected &&
                           done.outcome.error().code != kShuttingDown;
  if (turned_away && first) {
    // No pool has taken it, and nobody else has it: it never will be in a block.
    forget_open(id);
    return error_of(done.outcome.error());
  }
  const auto deadline = std::chrono::steady_clock::now() + config.open_patience;
  while (true) {
    const auto fate = done.outcome ? fate_in(record, done.outcome->events, done.outcome->at.index)
                                   : fate_of(record);
    if (fate && fate->state != OpenState::under_way) {
      TALLY_TRY(settle_open(record, *fate));
      if (fate->state == OpenState::opened) return fate->channel;
      return fail_with(text_of(record) + " failed: " + fate->why);
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return fail_with(
          text_of(record) + " is in no final block yet" +
          (done.outcome ? "" : " (" + done.outcome.error().message + ")") +
          "; it may be until block " + to_decimal(record.opening->death.value) +
          ". It is in the journal: the same open again waits on, and locks one deposit");
    }
    std::unique_lock lock(mutex);
    changed.wait_for(lock, kLookAgain);
  }
}

Result<ChannelId, Error> ChannelHost::State::open(const OpenRequest& request) {
  const std::lock_guard one_at_a_time(one_open);
  for (const channel::Record& earlier : opens_under_way()) {
    const OpenFate fate = TALLY_TRY(fate_of(earlier));
    TALLY_TRY(settle_open(earlier, fate));
    const bool same = same_terms(earlier.terms, request);
    if (fate.state == OpenState::opened && same) return fate.channel;
    if (fate.state != OpenState::under_way) continue;
    if (same) return submit_open(earlier, {});
    return fail_with(text_of(earlier) + " is under way and may be included until block " +
                     to_decimal(earlier.opening->death.value) +
                     ": nothing else is opened before it is final or too late. Try again then, or "
                     "ask for the same again to wait for it");
  }
  std::unique_lock turn(one_nonce);
  const auto signed_open = TALLY_TRY(sign_open(request));
  return submit_open(signed_open, std::move(turn));
}

}  // namespace tally::client
