// A dispute in sentences.
#include "client-sdk/dispute/follow.hpp"
#include "primitives/ss58.hpp"

namespace tally::dispute {

namespace {

using disputes::Dispute;
using disputes::Outcome;
using disputes::Phase;
using disputes::Seat;
using disputes::SeatState;
using disputes::Vote;

std::string text_of(const Vote& vote) {
  if (const auto* output = std::get_if<disputes::OutputVote>(&vote)) {
    return "output " + to_hex_prefixed(output->output_hash);
  }
  return "input unavailable";
}

std::string text_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::accepted:
      return "the worker's output is right: the challenger pays";
    case Outcome::rejected:
      return "the worker's output is wrong: the worker pays, and is banned";
    case Outcome::unavailable:
      return "the input was not to be had: the challenger pays, without blame";
    case Outcome::inconclusive:
      return "no verdict: each side pays half of the fees";
  }
  return {};
}

std::string seconds_until(TimestampMs deadline, TimestampMs now) {
  if (deadline <= now) return "now";
  return "in " + to_decimal((deadline.value - now.value + 999) / 1'000) + " s";
}

std::string headline_of(const DisputeView& view) {
  const Dispute& dispute = view.record;
  const std::string when = seconds_until(dispute.clock.deadline, view.chain_time);
  switch (dispute.phase) {
    case Phase::awaiting_draw:
      return "verifiers are drawn as soon as the beacon could not be foreseen";
    case Phase::commit:
      return "verifiers do the task again and commit; ends " + when;
    case Phase::reveal:
      return "verifiers reveal their votes; ends " + when;
    case Phase::decided:
      return "decided: " + text_of(dispute.verdict->outcome) + "; the loser may appeal, ends " +
             when;
    case Phase::ended:
      return "ended: " + text_of(dispute.verdict->outcome);
  }
  return {};
}

SeatStory story_of(const Dispute& dispute, const Seat& seat) {
  SeatStory out{.verifier = seat.verifier,
                .round = seat.round,
                .state = seat.state,
                .commitment = seat.commitment,
                .vote = seat.vote,
                .with_verdict = dispute.verdict && dispute.verdict->vote && seat.vote &&
                                *dispute.verdict->vote == *seat.vote,
                .text = to_ss58(seat.verifier)};
  switch (seat.state) {
    case SeatState::called:
      out.text += " was drawn and has not accepted";
      return out;
    case SeatState::accepted:
      out.text += " accepted and committed nothing";
      return out;
    case SeatState::committed:
      out.text += " committed and has not revealed";
      return out;
    case SeatState::vacant:
      out.text = "a seat stayed vacant: nobody was left to call";
      return out;
    case SeatState::revealed:
      break;
  }
  out.text += " voted for " + text_of(*seat.vote);
  if (dispute.verdict && dispute.verdict->vote) {
    out.text += out.with_verdict ? ": as the verdict, gets " + to_text(dispute.fee)
                                 : ": against the verdict, loses " + to_text(seat.frozen);
  }
  return out;
}

void tell_draw(const DisputeView& view, std::vector<std::string>& lines) {
  const auto tell = [&](const std::string& what, const disputes::Draw& draw) {
    if (!draw.source) return;
    lines.push_back(what + " was asked for in block " + to_decimal(draw.asked_in.value) +
                    " and fixed by the beacon of block " + to_decimal(draw.source->fixed_in.value) +
                    ", " + to_hex_prefixed(draw.source->beacon));
  };
  tell("the draw", view.record.draw);
  if (view.record.appeal) tell("the appeal's draw", view.record.appeal->draw);
  if (view.pool) {
    lines.push_back(to_decimal(view.pool->size()) +
                    " verifiers could be drawn; `tally dispute verify-draw` recomputes it");
  }
}

void tell_money(const Dispute& dispute, std::vector<std::string>& lines) {
  lines.push_back("at stake: bond " + to_text(dispute.bond) + " of the challenger, " +
                  to_text(dispute.stake) + " of the worker's stake; a vote's fee is " +
                  to_text(dispute.fee));
  if (dispute.appeal) {
    lines.push_back("the " + std::string(enumerator_name(dispute.appeal->by)) +
                    " appealed with a bond of " + to_text(dispute.appeal->bond));
  }
  if (!dispute.payouts) return;
  const disputes::Payouts& paid = *dispute.payouts;
  lines.push_back("paid: " + to_text(paid.fees) + " to verifiers" +
                  (paid.from_pool.is_zero()
                       ? std::string()
                       : " (" + to_text(paid.from_pool) + " of it from the reward pool)") +
                  ", award " + to_text(paid.award) + ", burned " + to_text(paid.burned));
  lines.push_back("given back: " + to_text(paid.to_challenger) + " to the challenger, " +
                  to_text(paid.to_worker) + " to the worker");
}

}  // namespace

Explanation explain(const DisputeView& view) {
  const Dispute& dispute = view.record;
  Explanation out{.headline = headline_of(view), .lines = {}, .seats = {}};
  out.lines.push_back(to_ss58(dispute.challenger) + " disputes that " + to_ss58(dispute.worker) +
                      " got output " + to_hex_prefixed(dispute.output_hash) +
                      " for a task of type " + std::string(task::to_text(dispute.type)));
  if (view.task && !view.task->reason.empty()) {
    out.lines.push_back("reason: " + view.task->reason);
  }
  tell_draw(view, out.lines);
  for (const Seat& seat : dispute.seats) {
    out.seats.push_back(story_of(dispute, seat));
    out.lines.push_back(out.seats.back().text);
  }
  tell_money(dispute, out.lines);
  return out;
}

}  // namespace tally::dispute
