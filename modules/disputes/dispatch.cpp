#include "modules/disputes/dispatch.hpp"

#include <algorithm>

#include "modules/channels/api.hpp"
#include "modules/credits/api.hpp"
#include "modules/disputes/ballot.hpp"
#include "modules/disputes/draw.hpp"
#include "modules/disputes/payout.hpp"
#include "modules/disputes/progress.hpp"
#include "modules/disputes/storage.hpp"
#include "modules/workers/api.hpp"
#include "primitives/assert.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::disputes {
namespace {

using credits::HoldReason;

DispatchResult require(bool holds, Error otherwise) {
  if (!holds) return fail(reject(otherwise));
  return {};
}

// --- challenge ---

bool is_entitled(const Context& ctx, const AccountId& who, const Challenge& call) {
  const task::Receipt& receipt = call.receipt.receipt;
  if (who == receipt.requester) return true;
  if (!call.mandate) return false;
  const task::Mandate& mandate = call.mandate->mandate;
  if (mandate.requester != receipt.requester || mandate.bearer != who) return false;
  if (mandate.receipt_hash && *mandate.receipt_hash != task::receipt_hash(receipt)) return false;
  return ctx.block.time <= mandate.valid_until &&
         task::mandate_signature_is_valid(ctx.block.genesis_hash, *call.mandate);
}

bool fits(const Challenge& call) {
  if (call.spec.size() > kMaxSpec || call.reason.size() > kMaxReason) return false;
  if (const auto* input = std::get_if<InlineInput>(&call.input)) {
    return input->bytes.size() <= kMaxInput;
  }
  const auto& locations = std::get<HostedInput>(call.input).locations;
  return std::all_of(locations.begin(), locations.end(),
                     [](const std::string& location) { return location.size() <= kMaxLocation; });
}

bool has_input(const Challenge& call) {
  const auto* hosted = std::get_if<HostedInput>(&call.input);
  return hosted == nullptr || !hosted->locations.empty();
}

bool is_right_input(const Challenge& call) {
  const auto* input = std::get_if<InlineInput>(&call.input);
  return input == nullptr || blake2_256(input->bytes) == call.receipt.receipt.input_hash;
}

bool is_right_channel(const Context& ctx, const Challenge& call) {
  const task::Receipt& receipt = call.receipt.receipt;
  channels::ChannelIdInput input{ctx.block.genesis_hash, receipt.requester, receipt.worker,
                                 call.channel.counter, call.channel.challenge_period};
  if (call.channel.opened_by_worker) std::swap(input.opener, input.counterparty);
  return channels::channel_id_of(input) == receipt.channel_id;
}

// Everything that the call itself shows to be wrong.
DispatchResult check_call(const Context& ctx, const AccountId& who, const Challenge& call) {
  const task::Receipt& receipt = call.receipt.receipt;
  TALLY_TRY(require(receipt.genesis_hash == ctx.block.genesis_hash, Error::other_chain));
  TALLY_TRY(
      require(receipt.worker != receipt.requester && receipt.worker != who, Error::same_party));
  TALLY_TRY(require(is_entitled(ctx, who, call), Error::not_entitled));
  TALLY_TRY(
      require(task::exactness_of(receipt.type) == task::Exactness::exact, Error::tolerant_type));
  TALLY_TRY(require(fits(call), Error::too_large));
  TALLY_TRY(require(has_input(call), Error::no_location));
  TALLY_TRY(require(blake2_256(call.spec) == receipt.spec_hash, Error::wrong_spec));
  TALLY_TRY(require(is_right_input(call), Error::wrong_input));
  return require(is_right_channel(ctx, call), Error::wrong_channel);
}

DispatchResult check_times(const Context& ctx, const task::Receipt& receipt, DurationMs paused) {
  const Config& config = ctx.config<Config>();
  const std::uint64_t now = ctx.block.header_time.value;
  const bool plausible = receipt.started_ms <= receipt.finished_ms &&
                         receipt.finished_ms.value <= now + config.clock_tolerance.value;
  TALLY_TRY(require(plausible, Error::bad_times));
  return require(!is_too_old({receipt.finished_ms, ctx.block.header_time, paused}, config),
                 Error::too_old);
}

DispatchResult check_tries(const std::optional<DisputedReceipt>& before, const AccountId& who) {
  if (!before) return {};
  TALLY_TRY(require(!before->running, Error::already_disputed));
  TALLY_TRY(require(!before->decided, Error::already_decided));
  const auto& tried = before->tried;
  return require(
      tried.size() < kMaxTries && std::find(tried.begin(), tried.end(), who) == tried.end(),
      Error::already_tried);
}

Dispute new_dispute(const Context& ctx, const AccountId& who, const Challenge& call,
                    const Stakes& stakes) {
  const task::Receipt& receipt = call.receipt.receipt;
  Dispute out;
  out.challenger = who;
  out.requester = receipt.requester;
  out.worker = receipt.worker;
  out.receipt_hash = task::receipt_hash(receipt);
  out.output_hash = receipt.output_hash;
  out.type = receipt.type;
  out.environment = receipt.environment;
  out.input_inline = std::holds_alternative<InlineInput>(call.input);
  out.opened_at = ctx.block.header_time;
  out.fee = stakes.fee;
  out.bond = stakes.bond;
  out.draw.asked_in = ctx.block.number;
  return out;
}

void open(Context& ctx, Dispute dispute, const Challenge& call) {
  dispute.stake = workers::freeze_up_to(ctx, dispute.worker, dispute.bond);
  const auto held = checked_add(kHeld.get(ctx.state), dispute.bond);
  TALLY_ASSERT(held.ok());
  kHeld.put(ctx.state, *held);
  const DisputeNumber number = kNext.get(ctx.state);
  kNext.put(ctx.state, number.next());
  auto receipt = kReceipts.at(ctx.state, dispute.receipt_hash);
  DisputedReceipt known = receipt.get();
  known.last = number;
  known.running = true;
  receipt.put(known);
  kCases.put(ctx.state, number, {call.receipt, call.spec, call.input, call.reason});
  kDisputes.put(ctx.state, number, dispute);
  ask_draw(ctx, number);
  ctx.events.emit(kModule, Challenged{number, dispute.receipt_hash, dispute.challenger,
                                      dispute.worker, dispute.type, dispute.environment,
                                      dispute.fee, dispute.bond, dispute.stake});
}

DispatchResult run(Context& ctx, const Origin& origin, const Challenge& call) {
  const Config& config = ctx.config<Config>();
  const task::Receipt& receipt = call.receipt.receipt;
  TALLY_TRY(check_call(ctx, origin.signer, call));
  const auto stakes = stakes_of(receipt, config);
  TALLY_TRY(require(stakes.has_value(), Error::amount_out_of_range));
  const auto before = kReceipts.find(ctx.state, task::receipt_hash(receipt));
  TALLY_TRY(check_times(ctx, receipt, before ? before->paused : DurationMs{}));
  TALLY_TRY(require(task::receipt_signature_is_valid(call.receipt), Error::bad_signature));
  TALLY_TRY(require(workers::find(ctx.state, receipt.worker).has_value(), Error::not_a_worker));
  TALLY_TRY(check_tries(before, origin.signer));
  const Pool pool = drawable_pool(ctx, {receipt, origin.signer});
  TALLY_TRY(require(pool.size() >= config.pool_min, Error::pool_too_small));
  TALLY_TRY(credits::hold(ctx, origin.signer, HoldReason::dispute_bond, stakes->bond));
  open(ctx, new_dispute(ctx, origin.signer, call, *stakes), call);
  return {};
}

// --- accept, commit, reveal ---

Result<Dispute, DispatchError> dispute_in(const StateReader& state, DisputeNumber number,
                                          Phase phase) {
  auto dispute = kDisputes.find(state, number);
  if (!dispute) return fail(reject(Error::unknown_dispute));
  if (dispute->phase != phase) return fail(reject(Error::wrong_phase));
  return *std::move(dispute);
}

Result<Seat*, DispatchError> seat_in(Dispute& dispute, const AccountId& who) {
  const Seat* seat = seat_of(dispute, who);
  if (seat == nullptr) return fail(reject(Error::not_drawn));
  return const_cast<Seat*>(seat);
}

DispatchResult check_phase_time(const Context& ctx, const Dispute& dispute) {
  return require(ctx.block.time < phase_end(dispute.clock, ctx.block.period_stretch),
                 Error::deadline_passed);
}

// Writes the dispute; if nobody is left to wait for, the next block moves it on.
void put_seat(Context& ctx, DisputeNumber number, Dispute& dispute) {
  if (is_phase_done(dispute)) return put_and_wake(ctx, number, dispute, ctx.block.time);
  kDisputes.put(ctx.state, number, dispute);
}

DispatchResult run(Context& ctx, const Origin& origin, const Accept& call) {
  const Config& config = ctx.config<Config>();
  Dispute dispute = TALLY_TRY(dispute_in(ctx.state, call.number, Phase::commit));
  Seat& seat = *TALLY_TRY(seat_in(dispute, origin.signer));
  TALLY_TRY(check_phase_time(ctx, dispute));
  TALLY_TRY(require(seat.state != SeatState::called ||
                        ctx.block.time < accept_by(seat, config, ctx.block.period_stretch),
                    Error::deadline_passed));
  TALLY_TRY(require(seat.state == SeatState::called, Error::wrong_seat_state));
  const auto worker = workers::find(ctx.state, origin.signer);
  TALLY_TRY(require(worker && !worker->is_banned(ctx.block.time), Error::banned));
  seat.frozen = workers::freeze_up_to(ctx, origin.signer, config.fine);
  TALLY_TRY(require(seat.frozen == config.fine, Error::stake_too_small));
  seat.state = SeatState::accepted;
  put_seat(ctx, call.number, dispute);
  ctx.events.emit(kModule, Accepted{call.number, origin.signer});
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const Commit& call) {
  Dispute dispute = TALLY_TRY(dispute_in(ctx.state, call.number, Phase::commit));
  Seat& seat = *TALLY_TRY(seat_in(dispute, origin.signer));
  TALLY_TRY(check_phase_time(ctx, dispute));
  TALLY_TRY(require(seat.state == SeatState::accepted, Error::wrong_seat_state));
  seat.state = SeatState::committed;
  seat.commitment = call.commitment;
  put_seat(ctx, call.number, dispute);
  ctx.events.emit(kModule, Committed{call.number, origin.signer, call.commitment});
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const Reveal& call) {
  Dispute dispute = TALLY_TRY(dispute_in(ctx.state, call.number, Phase::reveal));
  Seat& seat = *TALLY_TRY(seat_in(dispute, origin.signer));
  TALLY_TRY(check_phase_time(ctx, dispute));
  TALLY_TRY(require(seat.state == SeatState::committed, Error::wrong_seat_state));
  const Hash opened = commitment_of({call.number, origin.signer, call.vote, call.salt});
  TALLY_TRY(require(opened == seat.commitment, Error::wrong_reveal));
  seat.state = SeatState::revealed;
  seat.vote = call.vote;
  put_seat(ctx, call.number, dispute);
  ctx.events.emit(kModule, Revealed{call.number, origin.signer, call.vote});
  return {};
}

// --- appeal ---

// Who is left of the pool must be at least as many as judged: no panel of fewer overturns them.
bool is_panel_left(const Context& ctx, DisputeNumber number, const Dispute& dispute) {
  const auto pool = kPools.find(ctx.state, number);
  TALLY_ASSERT(pool.has_value());
  return pool->size() - dispute.draw.called >= dispute.seats.size();
}

DispatchResult bind_appeal(Context& ctx, const Dispute& dispute, const Appeal& appeal) {
  if (appeal.by == Party::worker) {
    const Balance frozen = workers::freeze_up_to(ctx, dispute.worker, appeal.bond);
    return require(frozen == appeal.bond, Error::stake_too_small);
  }
  TALLY_TRY(credits::hold(ctx, dispute.challenger, HoldReason::dispute_bond, appeal.bond));
  const Balance held = TALLY_TRY(checked_add(kHeld.get(ctx.state), appeal.bond));
  kHeld.put(ctx.state, held);
  return {};
}

DispatchResult run(Context& ctx, const Origin& origin, const AppealCall& call) {
  const Config& config = ctx.config<Config>();
  Dispute dispute = TALLY_TRY(dispute_in(ctx.state, call.number, Phase::decided));
  TALLY_TRY(check_phase_time(ctx, dispute));
  const Party loser = loser_of(dispute.verdict->outcome);
  const AccountId& account = loser == Party::worker ? dispute.worker : dispute.challenger;
  TALLY_TRY(require(origin.signer == account, Error::not_the_loser));
  TALLY_TRY(require(is_panel_left(ctx, call.number, dispute), Error::panel_too_small));
  Appeal appeal;
  appeal.by = loser;
  appeal.bond = TALLY_TRY(checked_mul(dispute.bond, config.appeal_factor));
  appeal.draw.asked_in = ctx.block.number;
  TALLY_TRY(bind_appeal(ctx, dispute, appeal));
  dispute.appeal = appeal;
  dispute.round = Round::appeal;
  dispute.phase = Phase::awaiting_draw;
  kDisputes.put(ctx.state, call.number, dispute);
  ask_draw(ctx, call.number);
  ctx.events.emit(kModule, Appealed{call.number, loser, appeal.bond});
  return {};
}

}  // namespace

DispatchResult dispatch(Context& ctx, const Origin& origin, const Call& call) {
  return std::visit([&](const auto& alternative) { return run(ctx, origin, alternative); }, call);
}

void on_block_start(Context& ctx) {
  const Config& config = ctx.config<Config>();
  draw_waiting(ctx);
  for (std::uint32_t done = 0; done < config.deadlines_max; ++done) {
    const auto number = kDeadlines.pop_due(ctx.state, {ctx.block.time, config.deadline_bucket});
    if (!number) return;
    wake(ctx, *number);
  }
}

void on_block_end(Context& ctx) {
  WaitingLine line = kWaitingLine.get(ctx.state);
  if (line.pooled == line.end) return;
  for (; line.pooled < line.end; ++line.pooled) {
    const auto waiting = kWaiting.find(ctx.state, line.pooled);
    TALLY_ASSERT(waiting.has_value());  // draws are made at the earliest in the next block
    const auto dispute = kDisputes.find(ctx.state, waiting->number);
    if (dispute->appeal) continue;  // drawn from the pool that there is
    const auto disputed = kCases.find(ctx.state, waiting->number);
    kPools.put(ctx.state, waiting->number,
               drawable_pool(ctx, {disputed->receipt.receipt, dispute->challenger}));
  }
  kWaitingLine.put(ctx.state, line);
}

bool deadline_due(const StateReader& state, const Config& config, TimestampMs chain_time) {
  const WaitingLine line = kWaitingLine.get(state);
  return line.drawn != line.end || kDeadlines.is_due(state, {chain_time, config.deadline_bucket});
}

// --- api.hpp ---

std::optional<Dispute> find(const StateReader& state, DisputeNumber number) {
  return kDisputes.find(state, number);
}
std::optional<Case> find_case(const StateReader& state, DisputeNumber number) {
  return kCases.find(state, number);
}
std::optional<Pool> find_pool(const StateReader& state, DisputeNumber number) {
  return kPools.find(state, number);
}
std::optional<DisputedReceipt> find_receipt(const StateReader& state, const Hash& receipt_hash) {
  return kReceipts.find(state, receipt_hash);
}

}  // namespace tally::disputes
