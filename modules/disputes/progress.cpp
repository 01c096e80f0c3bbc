#include "modules/disputes/progress.hpp"

#include <algorithm>

#include "modules/disputes/draw.hpp"
#include "modules/disputes/ending.hpp"
#include "modules/disputes/events.hpp"
#include "modules/disputes/rules.hpp"
#include "modules/workers/api.hpp"
#include "primitives/assert.hpp"

namespace tally::disputes {
namespace {

Draw& draw_of(Dispute& dispute) {
  if (dispute.round != Round::appeal) return dispute.draw;
  TALLY_ASSERT(dispute.appeal.has_value());
  return dispute.appeal->draw;
}

std::vector<PoolEntry> pool_at(const StateReader& state, DisputeNumber number) {
  const auto pool = kPools.find(state, number);
  TALLY_ASSERT(pool.has_value());
  return pool->items();
}

// The next `count` places of the round's draw, fewer when the pool ends.
std::vector<AccountId> call_next(Context& ctx, DisputeNumber number, Dispute& dispute,
                                 std::size_t count) {
  std::vector<PoolEntry> pool = pool_at(ctx.state, number);
  Draw& draw = draw_of(dispute);
  TALLY_ASSERT(draw.source.has_value());
  if (dispute.round == Round::appeal) {
    const Hash first = seed_of({dispute.draw.source->beacon, number});
    pool = without(pool, draw_order(pool, first, dispute.draw.called));
  }
  const auto order = draw_order(pool, seed_of({draw.source->beacon, number}), draw.called + count);
  std::vector<AccountId> out(order.begin() + draw.called, order.end());
  draw.called += static_cast<std::uint32_t>(out.size());
  return out;
}

// Calls `count` verifiers for the round and starts its commit phase. False when nobody is left.
bool start_round(Context& ctx, DisputeNumber number, Dispute& dispute, std::size_t count) {
  const Config& config = ctx.config<Config>();
  const auto verifiers = call_next(ctx, number, dispute, count);
  if (verifiers.empty()) return false;
  const Moment now = moment_of(ctx.block);
  dispute.phase = Phase::commit;
  dispute.clock = start_clock(commit_window(dispute.fee, config), now);
  for (const AccountId& verifier : verifiers) {
    Seat seat;
    seat.verifier = verifier;
    seat.round = dispute.round;
    seat.called_at = now.time;
    TALLY_ASSERT(dispute.seats.push_back(seat));
  }
  ctx.events.emit(kModule, Drawn{number, dispute.round, *draw_of(dispute).source, verifiers,
                                 accept_by(*(dispute.seats.end() - 1), config, now.stretch),
                                 dispute.clock.deadline});
  put_and_wake(ctx, number, dispute, next_wake(dispute, config, now.stretch));
  return true;
}

void start_reveal(Context& ctx, DisputeNumber number, Dispute& dispute) {
  const Config& config = ctx.config<Config>();
  dispute.phase = Phase::reveal;
  dispute.clock = start_clock(config.window, moment_of(ctx.block));
  ctx.events.emit(kModule, RevealStarted{number, dispute.clock.deadline});
  put_and_wake(ctx, number, dispute, dispute.clock.deadline);
}

// All votes of the round are in.
void conclude(Context& ctx, DisputeNumber number, Dispute& dispute) {
  const Config& config = ctx.config<Config>();
  if (dispute.round == Round::appeal) return finish(ctx, number, std::move(dispute));
  if (const auto verdict = first_instance(dispute, config)) {
    dispute.verdict = verdict;
    dispute.phase = Phase::decided;
    dispute.clock = start_clock(config.window, moment_of(ctx.block));
    ctx.events.emit(kModule, Decided{number, *verdict, dispute.clock.deadline});
    return put_and_wake(ctx, number, dispute, dispute.clock.deadline);
  }
  if (dispute.round == Round::first) {
    dispute.round = Round::second;
    if (start_round(ctx, number, dispute, config.seats_more)) return;
  }
  finish(ctx, number, std::move(dispute));
}

// Calls the next of the draw in place of each verifier that did not accept in time. Whoever is
// called gets the whole window.
void replace_absent(Context& ctx, DisputeNumber number, Dispute& dispute) {
  const Config& config = ctx.config<Config>();
  const Moment now = moment_of(ctx.block);
  for (Seat& seat : dispute.seats) {
    if (seat.round != dispute.round || seat.state != SeatState::called) continue;
    if (now.time < accept_by(seat, config, now.stretch)) continue;
    const AccountId absent = seat.verifier;
    std::vector<AccountId> next;
    if (replacements(dispute, dispute.round) < config.replacements_max) {
      next = call_next(ctx, number, dispute, 1);
    }
    if (next.empty()) {
      seat.state = SeatState::vacant;
      ctx.events.emit(kModule, Replaced{number, absent, std::nullopt, now.time, now.time});
      continue;
    }
    seat.verifier = next.front();
    seat.called_at = now.time;
    const TimestampMs deadline = phase_end(dispute.clock, now.stretch);
    dispute.clock = start_clock(dispute.clock.window, now);
    dispute.clock.deadline = std::max(dispute.clock.deadline, deadline);
    ctx.events.emit(kModule,
                    Replaced{number, absent, seat.verifier, accept_by(seat, config, now.stretch),
                             dispute.clock.deadline});
  }
}

void end_commit(Context& ctx, DisputeNumber number, Dispute& dispute) {
  for (Seat& seat : dispute.seats) {
    if (seat.round == dispute.round && seat.state == SeatState::called) {
      seat.state = SeatState::vacant;
    }
  }
  if (any_seat(dispute, SeatState::committed)) return start_reveal(ctx, number, dispute);
  conclude(ctx, number, dispute);
}

// A phase that the busy lane stretches goes on.
void sleep_on(Context& ctx, DisputeNumber number, Dispute& dispute) {
  const Moment now = moment_of(ctx.block);
  const TimestampMs end = phase_end(dispute.clock, now.stretch);
  if (end != dispute.clock.deadline) {
    dispute.clock.deadline = end;
    ctx.events.emit(kModule, DeadlineMoved{number, end});
  }
  put_and_wake(ctx, number, dispute, next_wake(dispute, ctx.config<Config>(), now.stretch));
}

void make_draw(Context& ctx, const WaitingDraw& waiting) {
  auto dispute = kDisputes.find(ctx.state, waiting.number);
  TALLY_ASSERT(dispute.has_value());
  const Config& config = ctx.config<Config>();
  draw_of(*dispute).source = waiting.source;
  const bool appeal = dispute->round == Round::appeal;
  if (start_round(ctx, waiting.number, *dispute,
                  appeal ? config.seats_appeal : config.seats_first)) {
    return;
  }
  finish(ctx, waiting.number, *std::move(dispute));  // the pool emptied in the challenge's block
}

}  // namespace

void put_and_wake(Context& ctx, DisputeNumber number, Dispute& dispute, TimestampMs at) {
  dispute.wake = at;
  kDisputes.put(ctx.state, number, dispute);
  kDeadlines.push(ctx.state, {number, at, ctx.config<Config>().deadline_bucket});
}

void ask_draw(Context& ctx, DisputeNumber number) {
  WaitingLine line = kWaitingLine.get(ctx.state);
  kWaiting.put(ctx.state, line.end, {number, ctx.block.number, std::nullopt});
  ++line.end;
  kWaitingLine.put(ctx.state, line);
}

Pool drawable_pool(Context& ctx, const PoolQuery& query) {
  const task::Receipt& receipt = query.receipt;
  std::vector<AccountId> parties{receipt.worker, receipt.requester};
  if (query.challenger != receipt.requester) parties.push_back(query.challenger);
  const auto has_interest = [&](const AccountId& account) {
    return std::any_of(parties.begin(), parties.end(), [&](const AccountId& party) {
      return account == party || workers::is_delegator_of(ctx.state, account, party);
    });
  };
  // Only a worker has delegators.
  const auto drawable = workers::drawable(
      ctx, {{receipt.type, receipt.environment}, receipt.started_ms, ctx.config<Config>().fine});
  Pool out;
  for (const workers::Drawable& candidate : drawable) {
    if (has_interest(candidate.account)) continue;
    TALLY_ASSERT(out.push_back({candidate.account, candidate.effective}));
  }
  return out;
}

void draw_waiting(Context& ctx) {
  WaitingLine line = kWaitingLine.get(ctx.state);
  const WaitingLine before = line;
  for (; line.fixed < line.end; ++line.fixed) {
    auto waiting = kWaiting.find(ctx.state, line.fixed);
    TALLY_ASSERT(waiting.has_value());
    if (waiting->asked_in > ctx.block.draw_ready) break;
    waiting->source = DrawSource{ctx.block.number, ctx.block.beacon};
    kWaiting.put(ctx.state, line.fixed, *waiting);
  }
  const std::uint64_t end = std::min(line.fixed, line.drawn + ctx.config<Config>().draws_max);
  for (; line.drawn < end; ++line.drawn) {
    const auto waiting = kWaiting.find(ctx.state, line.drawn);
    TALLY_ASSERT(waiting.has_value());
    kWaiting.erase(ctx.state, line.drawn);
    make_draw(ctx, *waiting);
  }
  if (line != before) kWaitingLine.put(ctx.state, line);
}

void wake(Context& ctx, DisputeNumber number) {
  auto found = kDisputes.find(ctx.state, number);
  if (!found || found->wake > ctx.block.time) return;  // a newer entry of the queue counts
  Dispute& dispute = *found;
  const Moment now = moment_of(ctx.block);
  if (dispute.phase == Phase::commit) replace_absent(ctx, number, dispute);
  const bool over = now.time >= phase_end(dispute.clock, now.stretch);
  switch (dispute.phase) {
    case Phase::awaiting_draw:
      return;  // the line of draws moves it on
    case Phase::commit:
      if (over || is_phase_done(dispute)) return end_commit(ctx, number, dispute);
      break;
    case Phase::reveal:
      if (over || is_phase_done(dispute)) return conclude(ctx, number, dispute);
      break;
    case Phase::decided:
      if (over) return finish(ctx, number, std::move(dispute));
      break;
    case Phase::ended:
      if (now.time >= dispute.clock.deadline) return forget(ctx, number, dispute);
      break;
  }
  sleep_on(ctx, number, dispute);
}

}  // namespace tally::disputes
