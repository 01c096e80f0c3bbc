// tally dispute verify-draw: who was called, worked out again from proved headers.
#include <fmt/format.h>

#include "modules/disputes/draw.hpp"
#include "primitives/ss58.hpp"
#include "tools/cli/dispute.hpp"
#include "tools/cli/dispute_view.hpp"

namespace tally::cli {

namespace {

struct DrawOptions {
  std::string number;
  bool from_genesis = false;
};

Json part_json(const dispute::DrawCheck::Part& part) {
  return Json{{"asked_in", part.asked_in.value},
              {"fixed_in", part.fixed_in.value},
              {"beacon", to_json(part.beacon)},
              {"beacon_matches", part.beacon_matches},
              {"ready_matches", to_json(part.ready_matches)},
              {"order", to_json(part.order)}};
}

void add_places(Table& table, const char* draw, const dispute::DrawCheck::Part& part,
                const disputes::Pool& pool) {
  u128 whole = 0;
  for (const disputes::PoolEntry& entry : pool) whole += entry.stake.micro;
  for (std::size_t i = 0; i < part.order.size(); ++i) {
    for (const disputes::PoolEntry& entry : pool) {
      if (entry.account != part.order[i]) continue;
      const double share = static_cast<double>(entry.stake.micro) / static_cast<double>(whole);
      table.rows.push_back({draw, std::to_string(i), to_ss58(entry.account), to_text(entry.stake),
                            fmt::format("{:.1f}%", 100 * share)});
    }
  }
}

// What does not hold, one sentence each.
std::string complaints(const dispute::DrawCheck& check) {
  std::string out;
  const auto say = [&](const std::string& line) { out += (out.empty() ? "" : "; ") + line; };
  const auto look = [&](const char* which, const dispute::DrawCheck::Part& part) {
    if (!part.beacon_matches) {
      say(
          fmt::format("the headers up to block {} fold to the beacon {}, and the record of the {} "
                      "draw names another",
                      part.fixed_in.value, to_hex_prefixed(part.beacon), which));
    }
    if (!part.ready_matches.value_or(true)) {
      say(fmt::format("block {} is not the first that could fix the {} draw asked for in block {}",
                      part.fixed_in.value, which, part.asked_in.value));
    }
  };
  look("first", check.first);
  if (check.appeal) look("appeal's", *check.appeal);
  if (!check.seats_match) say("a seat is held by an account that the draw did not call");
  return out;
}

CliResult<void> verify_draw(Session& session, const DrawOptions& options) {
  const DisputeNumber number = TALLY_TRY(dispute_number(options.number));
  const genesis::ChainSpec* spec = TALLY_TRY(session.spec());
  const auto state = TALLY_TRY(ProvedState::newest(session));
  const DisputeView dispute = TALLY_TRY(find_dispute(*state, number));
  if (!dispute.pool || !dispute.record.draw.source) {
    return fail(
        Fault{Exit::not_found, "no_draw",
              fmt::format("the draw that was asked for in block {} waits for its beacon: ask "
                          "again in a moment",
                          dispute.record.draw.asked_in.value)});
  }
  client::ChainClient* chain = TALLY_TRY(session.client());
  const auto progress = [&session](BlockNumber at) {
    if (at.value % 1'000 == 0) session.progress(fmt::format("at the header of block {}", at.value));
  };
  const auto check = TALLY_TRY(or_fault(dispute::check_draw(
      *chain, number,
      {.from_genesis = options.from_genesis, .chain_id = spec->chain_id, .progress = progress})));
  session.save_trust();
  if (!check.holds()) return fail(Fault{Exit::not_proved, "wrong_draw", complaints(check)});
  Json json{{"number", number.value},
            {"holds", true},
            {"headers_from", check.beacon_from.value},
            {"first", part_json(check.first)},
            {"appeal", check.appeal ? part_json(*check.appeal) : Json(nullptr)},
            {"seed", to_json(disputes::seed_of({check.first.beacon, number}))},
            {"pool", to_json(*dispute.pool)}};
  Table table{{"draw", "place", "verifier", "stake", "of the pool"}, {}};
  add_places(table, "first", check.first, *dispute.pool);
  if (check.appeal) add_places(table, "appeal", *check.appeal, *dispute.pool);
  session.show(json, table);
  session.say(fmt::format(
      "\nholds: the VRF proofs in the headers of blocks {} to {} give the beacon\n{}, its seed "
      "calls "
      "these of {} verifiers,\nand nobody else has a seat. The challenge came in block {}, before "
      "that beacon existed.",
      check.beacon_from.value, check.first.fixed_in.value, to_hex_prefixed(check.first.beacon),
      dispute.pool->size(), check.first.asked_in.value));
  return {};
}

}  // namespace

void add_dispute_draw(CLI::App& dispute, Session& session) {
  auto options = std::make_shared<DrawOptions>();
  CLI::App* verify =
      dispute.add_subcommand("verify-draw", "Work out again who was drawn, from block headers");
  verify->add_option("number", options->number, "the dispute's number")->required();
  verify->add_flag("--from-genesis", options->from_genesis,
                   "fold every header from genesis on, not from the oldest provable state");
  verify->footer(
      "Headers are proved final; their leaders' VRF proofs give the beacon, the beacon and the\n"
      "proved pool give the draw. Exit 6 if the chain's verifiers are others.\n"
      "Example:\n  tally dispute verify-draw 0");
  verify->callback([&session, options] {
    session.command = [&session, options] { return verify_draw(session, *options); };
  });
}

}  // namespace tally::cli
