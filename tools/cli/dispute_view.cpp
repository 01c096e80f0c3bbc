#include "tools/cli/dispute_view.hpp"

#include <fmt/format.h>

#include "modules/disputes/storage.hpp"
#include "primitives/ss58.hpp"

namespace tally::cli {

namespace {

using disputes::Outcome;
using disputes::Phase;

// The seat's weight in the draw, if the pool is still there.
std::optional<Balance> weight_of(const DisputeView& dispute, const AccountId& verifier) {
  if (!dispute.pool) return std::nullopt;
  for (const disputes::PoolEntry& entry : *dispute.pool) {
    if (entry.account == verifier) return entry.stake;
  }
  return std::nullopt;
}

Json draw_json(const disputes::Draw& draw) {
  return Json{{"asked_in", draw.asked_in.value},
              {"fixed_in", draw.source ? Json(draw.source->fixed_in.value) : Json(nullptr)},
              {"beacon", draw.source ? to_json(draw.source->beacon) : Json(nullptr)},
              {"called", draw.called}};
}

Json seats_json(const DisputeView& dispute) {
  Json seats = Json::array();
  for (const disputes::Seat& seat : dispute.record.seats) {
    Json out = to_json(seat);
    const auto weight = weight_of(dispute, seat.verifier);
    out["weight"] = weight ? to_json(*weight) : Json(nullptr);
    seats.push_back(std::move(out));
  }
  return seats;
}

std::string short_hash(const Hash& hash) {
  return to_hex_prefixed(hash).substr(0, 14) + "…";
}

std::string seat_vote(const disputes::Dispute& dispute, const disputes::Seat& seat) {
  if (!seat.vote) return seat.commitment ? "sealed" : "-";
  const auto* output = std::get_if<disputes::OutputVote>(&*seat.vote);
  if (output == nullptr) return vote_text(*seat.vote);
  return short_hash(output->output_hash) +
         (output->output_hash == dispute.output_hash ? " (the worker's)" : " (another)");
}

Table seat_table(const DisputeView& dispute) {
  Table table{{"verifier", "round", "weight", "state", "at stake", "commitment", "vote"}, {}};
  for (const disputes::Seat& seat : dispute.record.seats) {
    const auto weight = weight_of(dispute, seat.verifier);
    table.rows.push_back({to_ss58(seat.verifier), std::string(enumerator_name(seat.round)),
                          weight ? to_text(*weight) : "-", std::string(enumerator_name(seat.state)),
                          to_text(seat.frozen),
                          seat.commitment ? short_hash(*seat.commitment) : "-",
                          seat_vote(dispute.record, seat)});
  }
  return table;
}

Json explanation_json(const dispute::Explanation& told) {
  Json out{{"headline", told.headline}, {"lines", told.lines}, {"seats", Json::array()}};
  for (const dispute::SeatStory& seat : told.seats) {
    out["seats"].push_back({{"verifier", to_json(seat.verifier)},
                            {"with_verdict", seat.with_verdict},
                            {"text", seat.text}});
  }
  return out;
}

Sheet head_sheet(const DisputeView& dispute) {
  const disputes::Dispute& record = dispute.record;
  Sheet sheet{{"dispute", std::to_string(dispute.number.value)},
              {"phase", phase_text(dispute)},
              {"challenger", to_ss58(record.challenger) + ", bond " + to_text(record.bond)},
              {"worker", to_ss58(record.worker) + ", frozen stake " + to_text(record.stake)}};
  if (record.requester != record.challenger) {
    sheet.emplace_back("requester", to_ss58(record.requester));
  }
  if (dispute.task) sheet.emplace_back("reason", dispute.task->reason);
  sheet.insert(sheet.end(),
               {{"task", std::string(task::to_text(record.type))},
                {"receipt", to_hex_prefixed(record.receipt_hash)},
                {"output that it signed", to_hex_prefixed(record.output_hash)},
                {"fee of a vote", to_text(record.fee)},
                {"draw asked in", fmt::format("block {}", record.draw.asked_in.value)}});
  if (record.draw.source) {
    sheet.emplace_back("draw fixed in",
                       fmt::format("block {}, beacon {}", record.draw.source->fixed_in.value,
                                   to_hex_prefixed(record.draw.source->beacon)));
  }
  if (dispute.pool) {
    sheet.emplace_back("pool", fmt::format("{} verifiers could be drawn", dispute.pool->size()));
  }
  if (record.appeal) {
    sheet.emplace_back("appeal",
                       fmt::format("by the {}, bond {}", enumerator_name(record.appeal->by),
                                   to_text(record.appeal->bond)));
  }
  sheet.emplace_back("proved at block", std::to_string(dispute.at.number.value));
  return sheet;
}

}  // namespace

CliResult<DisputeNumber> dispute_number(const std::string& text) {
  const auto number = parse_decimal(text);
  if (number && *number <= ~std::uint64_t{0}) {
    return DisputeNumber(static_cast<std::uint64_t>(*number));
  }
  return fail(usage_fault("a dispute is named by its number, as `tally dispute list` shows it; \"" +
                          text + "\" came"));
}

CliResult<disputes::Config> disputes_config(const ProvedState& state) {
  const auto config = disputes::kConfig.find(state);
  TALLY_TRY(state.whole());
  if (config) return *config;
  return fail(Fault{Exit::not_found, "not_found", "this chain has no disputes module"});
}

CliResult<DisputeView> find_dispute(const ProvedState& state, DisputeNumber number) {
  state.fetch({to_bytes(disputes::kDisputes.key(number)), to_bytes(disputes::kCases.key(number)),
               to_bytes(disputes::kPools.key(number)), to_bytes(disputes::kNext.key())});
  auto record = disputes::find(state, number);
  TALLY_TRY(state.whole());
  if (record) {
    DisputeView view{.number = number,
                     .record = *std::move(record),
                     .task = disputes::find_case(state, number),
                     .pool = disputes::find_pool(state, number),
                     .chain_time = state.chain_time(),
                     .at = state.head(),
                     .events = {}};
    TALLY_TRY(state.whole());
    return view;
  }
  const DisputeNumber next = disputes::kNext.get(state);
  return fail(Fault{
      Exit::not_found, "unknown_dispute",
      number < next ? fmt::format("dispute {} is over and its record is gone from the state; the "
                                  "blocks still tell of it: `tally chain watch --from …`",
                                  number.value)
                    : fmt::format("no dispute {} was ever opened; the next one gets number {}",
                                  number.value, next.value)});
}

std::string outcome_text(Outcome outcome) {
  switch (outcome) {
    case Outcome::accepted:
      return "accepted: the worker's output is right, the challenger pays";
    case Outcome::rejected:
      return "rejected: the worker's output is wrong, the worker pays";
    case Outcome::unavailable:
      return "unavailable: the input was not to be had, the challenger pays without blame";
    case Outcome::inconclusive:
      return "inconclusive: no verdict, each side pays half";
  }
  return {};
}

std::string vote_text(const disputes::Vote& vote) {
  const auto* output = std::get_if<disputes::OutputVote>(&vote);
  if (output == nullptr) return "the input could not be fetched";
  return to_hex_prefixed(output->output_hash);
}

std::string phase_text(const DisputeView& dispute) {
  const std::string ends = until_text(dispute.record.clock.deadline, dispute.chain_time);
  switch (dispute.record.phase) {
    case Phase::awaiting_draw:
      return fmt::format("waiting for the beacon that fixes the {} draw",
                         enumerator_name(dispute.record.round));
    case Phase::commit:
      return "verifiers accept, re-run the task and commit; ends " + ends;
    case Phase::reveal:
      return "verifiers reveal; ends " + ends;
    case Phase::decided:
      return "decided; the loser may appeal, ends " + ends;
    case Phase::ended:
      return "ended";
  }
  return {};
}

Json dispute_json(const DisputeView& dispute) {
  const disputes::Dispute& record = dispute.record;
  const bool timed = record.phase == Phase::commit || record.phase == Phase::reveal ||
                     record.phase == Phase::decided;
  return Json{{"number", dispute.number.value},
              {"phase", std::string(enumerator_name(record.phase))},
              {"round", std::string(enumerator_name(record.round))},
              {"remaining_ms", timed ? Json(remaining_ms(record.clock.deadline, dispute.chain_time))
                                     : Json(nullptr)},
              {"challenger", to_json(record.challenger)},
              {"requester", to_json(record.requester)},
              {"worker", to_json(record.worker)},
              {"reason", dispute.task ? Json(dispute.task->reason) : Json(nullptr)},
              {"receipt_hash", to_json(record.receipt_hash)},
              {"output_hash", to_json(record.output_hash)},
              {"type", std::string(task::to_text(record.type))},
              {"input_inline", record.input_inline},
              {"opened_at_ms", record.opened_at.value},
              {"fee", to_json(record.fee)},
              {"bond", to_json(record.bond)},
              {"stake", to_json(record.stake)},
              {"draw", draw_json(record.draw)},
              {"pool", dispute.pool ? to_json(*dispute.pool) : Json(nullptr)},
              {"seats", seats_json(dispute)},
              {"verdict", to_json(record.verdict)},
              {"appeal", to_json(record.appeal)},
              {"payouts", to_json(record.payouts)},
              {"explanation", explanation_json(dispute::explain(dispute))},
              {"block", {{"number", dispute.at.number.value}, {"hash", to_json(dispute.at.hash)}}}};
}

void show_dispute(const Session& session, const DisputeView& dispute) {
  const Json json = dispute_json(dispute);
  if (session.options.json) {
    session.show(json, Sheet{});
    return;
  }
  session.show(json, head_sheet(dispute));
  if (!dispute.record.seats.empty()) {
    session.say("");
    session.show(json, seat_table(dispute));
  }
  const dispute::Explanation told = dispute::explain(dispute);
  session.say("\n" + told.headline);
  for (const std::string& line : told.lines) session.say("  " + line);
}

}  // namespace tally::cli
