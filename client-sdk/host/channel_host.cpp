#include "client-sdk/chain/events.hpp"
#include "client-sdk/host/host_state.hpp"

namespace tally::client {

namespace {

using channel::ChannelDriver;
using channel::Party;
using channel::Stage;
using std::chrono::milliseconds;

constexpr milliseconds kPayPatience{30'000};
constexpr milliseconds kRetryPause{1'000};
constexpr milliseconds kBehindPause{200};
constexpr std::size_t kPaidTasksMax = 4'096;  // remembered in a channel
constexpr std::size_t kUnreadMax = 512;       // messages of peers; beyond it their streams wait
constexpr std::size_t kSubmitters = 8;        // calls under way at a time
constexpr int kReadTries = 20;

ClientError behind(const std::string& why) {
  return {ClientErrorKind::not_proved, "node_behind", "the node is behind: " + why,
          Check::freshness};
}

ChannelView view_of(const Party& party) {
  return {.record = party.record(),
          .locked = party.locked(),
          .payable = party.payable(),
          .own_balance = party.own_balance(),
          .received = party.received(),
          .close_offered = party.close_offered()};
}

// A payee refuses updates that take the payer below 1% of what is locked (rule 4).
Balance above_reserve(Balance payer, Balance locked) {
  const Balance reserve((locked.micro + 99) / 100);
  return payer > reserve ? Balance(payer.micro - reserve.micro) : Balance();
}

std::string text_of(const ChannelView& view) {
  return "channel " + to_hex_prefixed(view.record.terms.channel_id) + " is " +
         std::string(enumerator_name(view.record.stage)) + " at version " +
         to_decimal(view.record.newest_version().value);
}

}  // namespace

void ChannelHost::State::send(const ChannelId&, const AccountId& peer, Bytes message) {
  const auto found = peers.find(peer);
  // A peer that is away hears what it missed when it comes back: both then say Hello.
  if (found != peers.end()) found->second.send(std::move(message));
}

void ChannelHost::State::set_timer(const ChannelId& channel, channel::TimerKind kind,
                                   DurationMs after) {
  loop.post_at(TurnLoop::Clock::now() + milliseconds(after.value), [this, channel, kind] {
    static_cast<void>(driver->step(channel, channel::TimerFired{kind}));
  });
}

void ChannelHost::State::tell(const ChannelId& channel, const channel::Tell& notice) {
  if (notice.notice == channel::Notice::received) received_in_turn.insert(channel);
  if (config.on_notice) config.on_notice(channel, notice);
}

// One sync, everything leaves, and the outside sees the new state.
void ChannelHost::State::end_turn() {
  driver->finish_turn();
  if (!delivers_again && !deliver()) {
    delivers_again = true;
    loop.post_at(TurnLoop::Clock::now() + kRetryPause, [this] { delivers_again = false; });
  }
  {
    const std::lock_guard lock(mutex);
    for (const auto& [id, party] : driver->parties()) {
      ChannelView view = view_of(party);
      view.received = safe_received(party);
      if (const auto paid_out = payouts.find(id); paid_out != payouts.end()) {
        view.payout = paid_out->second;
      }
      views.insert_or_assign(id, std::move(view));
    }
    ++turns;
    taken_by_driver = taken;
  }
  changed.notify_all();
  for (const ChannelId& id : std::exchange(received_in_turn, {})) {
    const Party* party = driver->find(id);
    if (paid && party != nullptr) paid(id, safe_received(*party));
  }
}

Result<void, channel::Rejection> ChannelHost::State::step(const ChannelId& channel,
                                                          const channel::Event& event) {
  Result<void, channel::Rejection> result = fail(channel::Rejection::not_in_this_stage);
  loop.call([&] {
    if (std::holds_alternative<channel::End>(event)) learn_from_tower(channel);
    result = driver->step(channel, event);
  });
  return result;
}

// Returns when it is signed; it leaves, synced, when the turn ends, while the caller goes on.
Result<void, channel::Rejection> ChannelHost::State::sign(const ChannelId& channel,
                                                          const channel::Pay& pay) {
  // Shared: the loop may still be inside set_value() when the caller has its answer.
  auto result = std::make_shared<std::promise<Result<void, channel::Rejection>>>();
  auto signed_at = result->get_future();
  const bool posted =
      loop.post([this, channel, pay, result] { result->set_value(driver->step(channel, pay)); });
  if (!posted) return fail(channel::Rejection::not_in_this_stage);
  return signed_at.get();
}

// A journal that names no chain takes the one of its first start.
Result<void, Error> ChannelHost::State::check_chain() const {
  const Hash& genesis = chain.root().genesis_hash;
  const auto& bound = driver->genesis_hash();
  if (!bound || *bound == genesis) return {};
  return fail_with("the channels in " + config.journal_folder.string() +
                   " are of the chain with genesis " + to_hex_prefixed(*bound) +
                   ", and this is the chain with genesis " + to_hex_prefixed(genesis) +
                   ": name the chain of these channels, or use another folder for this chain's");
}

// Reads the chain, so it is not for the driver's thread.
ClientResult<ChannelHost::State::Records> ChannelHost::State::read_records() {
  std::vector<ChannelId> ids;
  std::vector<Bytes> keys;
  loop.call([&] {
    for (const auto& [id, party] : driver->parties()) {
      if (party.record().stage == Stage::closed) continue;
      ids.push_back(id);
      keys.push_back(to_bytes(channels::kChannels.key(id)));
    }
  });
  Records records{TALLY_TRY(chain.finalized()), {}};
  const auto values = TALLY_TRY(chain.read_at(records.head, keys));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    auto& found = records.found[ids[i]];
    if (!values[i]) continue;
    const auto decoded = decode<channels::Channel>(*values[i]);
    if (!decoded) {
      return fail(ClientError{ClientErrorKind::not_proved, "not_proved",
                              "the chain's record of a channel is malformed", Check::encoding});
    }
    found = *decoded;
  }
  return records;
}

// A head from before a channel's open does not have the channel, and says nothing of its end.
ClientResult<void> ChannelHost::State::check_not_behind(const Records& records) const {
  const BlockNumber shown = records.head.number;
  const auto acted_on = driver->newest_final();
  if (acted_on && shown < *acted_on) {
    return fail(behind("its newest final block is " + to_decimal(shown.value) +
                       ", and the channels here have seen block " + to_decimal(acted_on->value) +
                       ". Try again when it has caught up; a chain that was begun anew needs "
                       "another folder for its channels"));
  }
  if (acted_on || is_recent(records.head)) return {};
  for (const auto& [id, on_chain] : records.found) {
    const Party* party = driver->find(id);
    if (on_chain || party == nullptr || party->record().stage == Stage::unopened) continue;
    return fail(behind("its newest final block, " + to_decimal(shown.value) +
                       ", is old and does not have channel " + to_hex_prefixed(id) +
                       ", which may be opened in a later one. Try again when it has caught up"));
  }
  return {};
}

// On the loop's thread. False if a channel came while the records were read.
ClientResult<bool> ChannelHost::State::take_up(const Records& records) {
  TALLY_TRY(check_not_behind(records));
  for (const auto& [id, party] : driver->parties()) {
    if (party.record().stage != Stage::closed && !records.found.contains(id)) return false;
  }
  const FinalHead& head = records.head;
  for (const auto& [id, on_chain] : records.found) {
    // What the tower has may be below a splice that the record shows, or above one.
    if (on_chain) learn_from_tower(id);
    driver->on_record(id, on_chain, head.number);
    if (on_chain) learn_from_tower(id);
  }
  if (!driver->genesis_hash()) driver->bind_to(chain.root().genesis_hash);
  begin_journal(head);
  driver->on_final_block(head.number);
  taken = head.number;
  next_block = head.number.next();
  return true;
}

// Every channel of the journal against the newest final block. Not for the loop's thread.
ClientResult<void> ChannelHost::State::catch_up() {
  for (int tries = 0; tries < kReadTries; ++tries) {
    const Records records = TALLY_TRY(read_records());
    ClientResult<bool> done = true;
    loop.call([&] { done = take_up(records); });
    if (TALLY_TRY(std::move(done))) return {};
  }
  return fail(ClientError{ClientErrorKind::unreachable,
                          "unreachable",
                          "the channels are read more slowly than new ones come",
                          {}});
}

// Waits for a node that is behind.
ClientResult<void> ChannelHost::State::catch_up_at_start() {
  const auto deadline = std::chrono::steady_clock::now() + config.behind_patience;
  bool told = false;
  while (true) {
    auto done = catch_up();
    if (done) return done;
    const ClientError& why = done.error();
    // A node that it waits for may be started again, or be slow.
    const bool passes = why.kind == ClientErrorKind::unreachable ||
                        why.kind == ClientErrorKind::pruned ||
                        why.kind == ClientErrorKind::not_found;
    if (why.check != Check::freshness && !(told && passes)) return done;
    if (std::chrono::steady_clock::now() >= deadline) return done;
    if (config.give_up && config.give_up()) return done;
    if (!std::exchange(told, true)) log("waiting: " + why.message);
    std::this_thread::sleep_for(kBehindPause);
  }
}

// False if its events do not decode.
bool ChannelHost::State::on_block(const FollowedBlock& block) {
  const auto events = decode_events(block.events.records);
  if (!events) {
    log("the events of block " + to_decimal(block.head.number.value) +
        " are malformed: the channels' records in the state are looked at instead");
    return false;
  }
  loop.call([&] {
    for (const runtime::EventRecord& record : *events) {
      std::visit(
          [&](const auto& module) {
            if constexpr (std::is_same_v<std::decay_t<decltype(module.value)>, channels::Event>) {
              if (const auto* opened = std::get_if<channels::ChannelOpened>(&module.value)) {
                take_on(*opened, block.head.number);
              }
              if (const auto* begun = std::get_if<channels::ChallengeStarted>(&module.value)) {
                learn_from_tower(begun->channel_id);
              }
              if (const auto* closed = std::get_if<channels::ChannelClosed>(&module.value)) {
                if (driver->find(closed->channel_id) != nullptr) {
                  payouts.insert_or_assign(closed->channel_id, Payout{*closed, block.head.number});
                }
              }
              driver->on_event(module.value);
            }
          },
          record.event);
    }
    begin_journal(block.head);
    driver->on_final_block(block.head.number);
    taken = block.head.number;
  });
  next_block = block.head.number.next();
  settle_opens(block.head.number);
  return true;
}

void ChannelHost::State::follow(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    bool readable = true;
    const auto done = chain.follow(next_block, stop, [&](const FollowedBlock& block) {
      readable = on_block(block);
      return readable && !stop.stop_requested();
    });
    if (stop.stop_requested()) return;
    if (!done) log("the chain cannot be followed, trying again: " + done.error().message);
    std::unique_lock lock(mutex);
    std::condition_variable_any pause;
    pause.wait_for(lock, stop, kRetryPause, [] { return false; });
    lock.unlock();
    // Blocks that the node no longer serves, or that do not decode: their outcome is in the state.
    if (!readable || (!done && done.error().kind == ClientErrorKind::pruned)) {
      if (const auto caught_up = catch_up(); !caught_up) log(caught_up.error().message);
    }
  }
}

ChannelHost::ChannelHost(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<ChannelHost>, Error> ChannelHost::start(HostConfig config,
                                                               ChainClient& chain) {
  auto owned = std::make_unique<State>(std::move(config), chain);
  State& state = *owned;
  auto file = TALLY_TRY(channel::open_journal_file(state.config.journal_folder));
  auto journal = channel::Journal::open(std::move(file));
  if (!journal.ok()) {
    return fail_with(state.config.journal_folder.string() + ": " + journal.error().message);
  }
  state.driver = std::make_unique<ChannelDriver>(*std::move(journal), state.config.key,
                                                 state.config.policy, state);
  TALLY_TRY(state.check_chain());
  state.loop.start();
  if (const auto caught_up = state.catch_up_at_start(); !caught_up) {
    return error_of(caught_up.error());
  }
  // The last process may have died between the journal and what it was to submit.
  state.loop.call([&] {
    for (const auto& [id, party] : state.driver->parties()) {
      if (party.record().stage == Stage::closed) continue;
      state.set_timer(id, channel::TimerKind::retry, state.config.policy.retry);
      state.set_timer(id, channel::TimerKind::close_wait, state.config.policy.close_wait);
      state.set_timer(id, channel::TimerKind::answer_wait, state.config.policy.answer_wait);
    }
  });
  state.settle_opens(std::nullopt);
  for (std::size_t i = 0; i < kSubmitters; ++i) {
    state.submitters.emplace_back(
        [&state](const std::stop_token& stop) { state.submit_all(stop); });
  }
  state.follower = std::jthread([&state](const std::stop_token& stop) { state.follow(stop); });
  return std::unique_ptr<ChannelHost>(new ChannelHost(std::move(owned)));
}

ChannelHost::~ChannelHost() {
  State& state = *state_;
  state.follower.request_stop();
  for (std::jthread& submitter : state.submitters) submitter.request_stop();
  if (state.follower.joinable()) state.follower.join();
  state.submitters.clear();
  state.loop.stop();
}

Result<ChannelId, Error> ChannelHost::open(const OpenRequest& request) {
  return state_->open(request);
}

Result<void, Error> ChannelHost::close(const ChannelId& channel, milliseconds patience) {
  TALLY_TRY(step(channel, channel::CloseTogether{}));
  return wait(
      channel, [](const ChannelView& view) { return view.record.stage == Stage::closed; },
      patience);
}

Result<void, Error> ChannelHost::step(const ChannelId& channel, const channel::Event& event) {
  const auto done = state_->step(channel, event);
  if (done) return {};
  const auto view = find(channel);
  return fail_with("refused (" + std::string(enumerator_name(done.error())) + "): " +
                   (view ? text_of(*view) : "no channel " + to_hex_prefixed(channel) + " here"));
}

Result<void, Error> ChannelHost::wait(const ChannelId& channel,
                                      const std::function<bool(const ChannelView&)>& until,
                                      milliseconds patience) {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  const bool held = state.changed.wait_for(lock, patience, [&] {
    const auto view = state.views.find(channel);
    return view != state.views.end() && until(view->second);
  });
  if (held) return {};
  const auto view = state.views.find(channel);
  return fail_with("waited " + to_decimal(static_cast<u128>(patience.count())) + " ms in vain: " +
                   (view == state.views.end() ? "no channel " + to_hex_prefixed(channel) + " here"
                                              : text_of(view->second)));
}

std::optional<ChannelView> ChannelHost::find(const ChannelId& channel) {
  const std::lock_guard lock(state_->mutex);
  const auto view = state_->views.find(channel);
  if (view == state_->views.end()) return std::nullopt;
  return view->second;
}

std::vector<ChannelView> ChannelHost::channels() {
  const std::lock_guard lock(state_->mutex);
  std::vector<ChannelView> out;
  for (const auto& [id, view] : state_->views) out.push_back(view);
  return out;
}

bool ChannelHost::journal_tail_was_cut() const {
  return state_->driver->journal_tail_was_cut();
}

void ChannelHost::peer_connected(const AccountId& peer, std::uint64_t connection,
                                 task::SendChannelMessage send) {
  state_->loop.call([&] {
    state_->peers[peer] = {connection, std::move(send)};
    state_->driver->on_connected(peer);
  });
}

void ChannelHost::peer_gone(const AccountId& peer, std::uint64_t connection) {
  state_->loop.call([&] {
    const auto found = state_->peers.find(peer);
    if (found != state_->peers.end() && found->second.connection == connection) {
      state_->peers.erase(found);
      const std::lock_guard lock(state_->mutex);
      state_->adoptions.erase(peer);
    }
  });
}

Result<void, Error> ChannelHost::peer_message(const AccountId& peer, ByteView message) {
  if (state_->config.take_channels) state_->adopt_channel_of(peer, message);
  // Not waited for: the stream reads on while the turn is written, up to a point.
  if (++state_->unread > kUnreadMax) state_->loop.call([] {});
  state_->loop.post([state = state_.get(), peer, bytes = to_bytes(message)] {
    --state->unread;
    const auto taken = state->driver->on_message(peer, bytes);
    if (!taken) {
      state->log("a channel message of " + to_hex_prefixed(peer) +
                 " is refused: " + std::string(enumerator_name(taken.error())));
    }
  });
  return {};
}

// False if the task was paid, or is just being paid.
bool ChannelHost::State::claim_task(const ChannelId& channel, std::uint64_t task) {
  const std::lock_guard lock(mutex);
  auto& paid_here = paid_tasks[channel];
  if (!paid_here.insert(task).second) return false;
  if (paid_here.size() > kPaidTasksMax) paid_here.erase(paid_here.begin());
  return true;
}

Result<void, Error> ChannelHost::State::pay(const ChannelId& channel, const channel::Pay& pay) {
  const auto deadline = std::chrono::steady_clock::now() + kPayPatience;
  while (true) {
    std::uint64_t before = 0;
    {
      const std::lock_guard lock(mutex);
      before = turns;
    }
    const auto done = sign(channel, pay);
    if (done) return {};
    if (done.error() != channel::Rejection::window_full) {
      return fail_with("the payment of " + to_text(pay.amount) +
                       " cannot be signed: " + std::string(enumerator_name(done.error())));
    }
    std::unique_lock lock(mutex);
    // The turn that just ended counts as one; a later one may have made room.
    if (!changed.wait_until(lock, deadline, [&] { return turns > before + 1; })) {
      return fail_with("the worker does not countersign: " + to_decimal(config.policy.window) +
                       " versions are open");
    }
  }
}

Result<void, Error> ChannelHost::pay(const task::SignedReceipt& signed_receipt) {
  const task::Receipt& receipt = signed_receipt.receipt;
  if (!state_->claim_task(receipt.channel_id, receipt.task_id)) return {};
  auto paid = state_->pay(receipt.channel_id, {receipt.price, {task::receipt_hash(receipt)}});
  if (paid) return {};
  const std::lock_guard lock(state_->mutex);
  state_->paid_tasks[receipt.channel_id].erase(receipt.task_id);
  return paid;
}

Result<void, Error> ChannelHost::pay_ahead(const ChannelId& channel, Balance price) {
  return state_->pay(channel, {.amount = price, .receipts = {}, .ahead = true});
}

Result<task::EarnerStanding, Error> ChannelHost::standing(const ChannelId& channel,
                                                          const AccountId& requester) {
  auto view = find(channel);
  if (!view) {
    TALLY_TRY(state_->adopt(requester, channel));
    view = find(channel);
    if (!view) return fail_with("the worker is shutting down");
  }
  const channel::Record& record = view->record;
  if (record.terms.peer() != requester) {
    return fail_with("channel " + to_hex_prefixed(channel) + " is not with you");
  }
  if (record.stage != Stage::ready) return fail_with("no work is done now: " + text_of(*view));
  const channel::Side mine = record.terms.side;
  return task::EarnerStanding{
      .received = view->received,
      .earned = record.earned,
      .spendable = above_reserve(record.balance(channels::other(mine)), view->locked)};
}

// Not waited for: it is on disk with the turn. A crash before that forgets what was not paid yet,
// which costs the worker no more than its window.
Result<void, Error> ChannelHost::issued(const task::SignedReceipt& receipt) {
  const channel::Issued issued{receipt.receipt.price};
  state_->loop.post([state = state_.get(), id = receipt.receipt.channel_id, issued] {
    static_cast<void>(state->driver->step(id, issued));
  });
  return {};
}

void ChannelHost::on_paid(std::function<void(const ChannelId&, Balance received)> callback) {
  state_->loop.call([&] { state_->paid = std::move(callback); });
}

}  // namespace tally::client
