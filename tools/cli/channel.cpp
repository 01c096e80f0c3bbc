// tally channel: open, pay, look, end.
#include <fmt/format.h>

#include "client-sdk/chain/calls.hpp"
#include "modules/channels/storage.hpp"
#include "primitives/ss58.hpp"
#include "tools/cli/channels.hpp"

namespace tally::cli {

namespace {

using channel::Stage;
using client::ChannelView;
using std::chrono::milliseconds;

constexpr milliseconds kPatience{60'000};
constexpr milliseconds kPaidPatience{30'000};
constexpr std::uint32_t kSpliceBlocks = 256;  // how long the chain may take to hold a splice

CliResult<DurationMs> period_of(Session& session, const std::string& text) {
  const genesis::ChainSpec* spec = TALLY_TRY(session.spec());
  if (text.empty()) return spec->channels.period_default;
  const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
  const std::string unit = text.substr(digits.size());
  const auto number = parse_decimal(digits);
  const std::uint64_t factor = unit == "s"     ? 1'000
                               : unit == "min" ? 60'000
                               : unit == "h"   ? 3'600'000
                               : unit == "d"   ? 86'400'000
                                               : 0;
  if (!number || *number > 1'000'000 || factor == 0) {
    return fail(
        usage_fault("a period is written like 30s, 10min, 24h or 7d; \"" + text + "\" came"));
  }
  return DurationMs(static_cast<std::uint64_t>(*number) * factor);
}

CliResult<void> open(Session& session, const ChannelOptions& options) {
  const AccountId peer = TALLY_TRY(session.account(options.peer));
  const Balance deposit = TALLY_TRY(amount(options.value));
  const DurationMs period = TALLY_TRY(period_of(session, options.period));
  Seat seat = TALLY_TRY(take_seat(session, options));
  session.progress("opening, and waiting until it is final");
  const auto id = seat.host->open({peer, deposit, period});
  if (!id.ok()) return fail(channel_fault(id.error()));
  const auto view = seat.host->find(*id);
  TALLY_ASSERT(view.has_value());
  session.show(view_json(*view), view_sheet(*view));
  return {};
}

CliResult<void> pay(Session& session, const ChannelOptions& options) {
  const ChannelId id = TALLY_TRY(channel_id(options.channel));
  const Balance value = TALLY_TRY(amount(options.value));
  Seat seat = TALLY_TRY(take_seat(session, options));
  TALLY_TRY(connect_peer(session, seat, options, id));
  if (seat.host->find(id)->record.restored) {
    return fail(Fault{Exit::refused, "restored",
                      "this channel was restored, or the other party is ahead of this journal: it "
                      "pays no more; end it with `tally channel close`"});
  }
  const auto paid = seat.host->step(id, channel::Pay{value, {}});
  if (!paid.ok()) return fail(channel_fault(paid.error()));
  const auto signed_by_both = seat.host->wait(
      id, [](const ChannelView& view) { return !view.record.offer.has_value(); }, kPaidPatience);
  if (!signed_by_both.ok()) {
    return fail(Fault{Exit::unreachable, "not_countersigned",
                      "the offer is in the journal and the other party has not countersigned it: " +
                          signed_by_both.error().message + "; it is sent again when you connect"});
  }
  const auto view = seat.host->find(id);
  session.show(view_json(*view), view_sheet(*view));
  return {};
}

CliResult<void> list(Session& session, const ChannelOptions& options) {
  client::ChainClient* chain = TALLY_TRY(session.client());
  std::optional<AccountId> account;
  if (!options.as.empty()) account = TALLY_TRY(session.account(options.as));
  const auto entries = TALLY_TRY(or_fault(chain->scan(to_bytes(channels::kChannels.prefix))));
  session.save_trust();
  Json json = Json::array();
  Table table{{"channel", "phase", "role", "peer", "holds", "version"}, {}};
  for (const auto& [key, value] : entries) {
    const auto keys = channels::kChannels.keys_of(key);
    const auto channel = decode<channels::Channel>(value);
    if (!keys || !channel.ok()) continue;
    const auto side = account ? channel->side_of(*account) : std::optional(channels::Side::a);
    if (!side) continue;
    const ChannelId& id = std::get<0>(*keys);
    json.push_back(record_json(id, *channel));
    const Balance held = checked_add(channel->held[0], channel->held[1]).value_or(Balance{});
    table.rows.push_back({to_hex_prefixed(id), std::string(enumerator_name(channel->phase)),
                          *side == channels::Side::a ? "opener" : "counterparty",
                          to_ss58(channel->account(channels::other(*side))), to_text(held),
                          std::to_string(channel->floor.version.value)});
  }
  session.show(json, table);
  return {};
}

// The chain's record and, with --as, what this account's journal holds.
CliResult<void> show(Session& session, const ChannelOptions& options) {
  const ChannelId id = TALLY_TRY(channel_id(options.channel));
  Json json = Json::object();
  Sheet sheet;
  if (!options.as.empty()) {
    Seat seat = TALLY_TRY(take_seat(session, options));
    const auto view = seat.host->find(id);
    if (!view) {
      return fail(Fault{Exit::not_found, "unknown_channel",
                        "the journal of " + options.as + " has no channel " + to_hex_prefixed(id)});
    }
    json["mine"] = view_json(*view);
    sheet = view_sheet(*view);
  }
  client::ChainClient* chain = TALLY_TRY(session.client());
  const auto record = TALLY_TRY(or_fault(chain->read_item(channels::kChannels, id)));
  json["on_chain"] = record ? record_json(id, *record) : Json(nullptr);
  if (!record && options.as.empty()) {
    return fail(Fault{Exit::not_found, "unknown_channel",
                      "no channel " + to_hex_prefixed(id) + " is pending, open or in challenge"});
  }
  if (record) {
    sheet.emplace_back("on chain", std::string(enumerator_name(record->phase)));
    sheet.emplace_back("opener", to_ss58(record->opener) + " holds " + to_text(record->held[0]));
    sheet.emplace_back("counterparty",
                       to_ss58(record->counterparty) + " holds " + to_text(record->held[1]));
    sheet.emplace_back("period", fmt::format("{} ms", record->challenge_period.value));
  } else {
    sheet.emplace_back("on chain", "not there: paid out, or not final yet");
  }
  session.show(json, sheet);
  return {};
}

void show_payout(Session& session, const client::ChannelView& view) {
  Json json = view_json(view);
  const ChannelId& id = view.record.terms.channel_id;
  if (!view.payout) {
    session.show(json, Sheet{{"channel", to_hex_prefixed(id)},
                             {"ended",
                              "yes, in a block that was not heard: its payout is in the "
                              "account's balance"}});
    return;
  }
  const channels::ChannelClosed& event = view.payout->event;
  const bool opener = view.record.terms.side == channels::Side::a;
  const Balance mine = opener ? event.payouts.to_a : event.payouts.to_b;
  const Balance peers = opener ? event.payouts.to_b : event.payouts.to_a;
  json["ending"] = std::string(enumerator_name(event.ending));
  json["settled_version"] = event.version.value;
  json["paid_to_me"] = to_json(mine);
  json["payouts"] = to_json(event.payouts);
  json["block"] = view.payout->block.value;
  session.show(json, Sheet{{"channel", to_hex_prefixed(id)},
                           {"ended", std::string(enumerator_name(event.ending))},
                           {"at version", std::to_string(event.version.value)},
                           {"paid to me", to_text(mine)},
                           {"to the peer", to_text(peers)},
                           {"settlement fee", to_text(event.payouts.settlement_fee)},
                           {"final in block", std::to_string(view.payout->block.value)}});
}

// A restored channel: the peer is asked to offer a close, and one that pays less than what both
// signed, as far as this journal knows, is only taken with the user's word, down to `least`.
CliResult<void> ask_for_close(Session& session, client::ChannelHost& host, const ChannelId& id,
                              std::optional<Balance> least) {
  session.progress("asking the other party to close, and waiting until the payout is final");
  const auto asked = host.step(id, channel::AskClose{});
  if (!asked.ok()) return fail(channel_fault(asked.error()));
  const auto answered = host.wait(
      id,
      [](const ChannelView& view) {
        return view.close_offered || view.record.close || view.record.stage == Stage::closed;
      },
      kPaidPatience);
  if (!answered.ok()) {
    return fail(Fault{Exit::unreachable, "not_offered",
                      "the other party offers no close: " + answered.error().message +
                          "; without it: `tally channel request-close`"});
  }
  const auto view = host.find(id);
  if (!view->close_offered || view->record.close) return {};
  if (!least || *view->close_offered < *least) {
    const std::string offered = to_text(*view->close_offered);
    return fail(Fault{Exit::refused, "close_pays_less",
                      "the other party offers a close that pays you " + offered +
                          ", and what this journal knows of is " + to_text(view->own_balance) +
                          ": if you have paid since the backup, take it with --accept \"" +
                          offered + "\"; if not, `tally channel request-close`"});
  }
  const auto taken = host.step(id, channel::AcceptClose{*least});
  if (!taken.ok()) return fail(channel_fault(taken.error()));
  return {};
}

CliResult<void> begin_close(Session& session, Seat& seat, const ChannelOptions& options,
                            const ChannelId& id) {
  std::optional<Balance> least;
  if (!options.value.empty()) least = TALLY_TRY(amount(options.value));
  const bool restored = seat.host->find(id)->record.stage == Stage::restored;
  if (options.alone) {
    session.progress(restored ? "asking the chain to end it, which claims nothing; the payout "
                                "comes after seven challenge periods"
                              : "claiming the newest state; the payout comes after the challenge "
                                "period");
    const auto begun = seat.host->step(id, channel::End{});
    if (!begun.ok()) return fail(channel_fault(begun.error()));
    return {};
  }
  TALLY_TRY(connect_peer(session, seat, options, id));
  if (restored) return ask_for_close(session, *seat.host, id, least);
  session.progress("closing together, and waiting until the payout is final");
  const auto begun = seat.host->step(id, channel::CloseTogether{});
  if (!begun.ok()) return fail(channel_fault(begun.error()));
  return {};
}

CliResult<void> close(Session& session, const ChannelOptions& options) {
  const ChannelId id = TALLY_TRY(channel_id(options.channel));
  Seat seat = TALLY_TRY(take_seat(session, options));
  const auto before = seat.host->find(id);
  if (!before) {
    return fail(Fault{Exit::not_found, "unknown_channel",
                      "the journal of " + options.as + " has no channel " + to_hex_prefixed(id)});
  }
  TALLY_TRY(begin_close(session, seat, options, id));
  const milliseconds patience =
      kPatience + milliseconds(options.alone ? 8 * before->record.terms.challenge_period.value : 0);
  const auto closed = seat.host->wait(
      id, [](const ChannelView& view) { return view.record.stage == Stage::closed; }, patience);
  if (!closed.ok()) {
    Fault fault = channel_fault(closed.error());
    fault.message +=
        options.alone ? "" : "; without the other party: `tally channel close --alone`";
    return fail(fault);
  }
  show_payout(session, *seat.host->find(id));
  return {};
}

// For somebody whose journal is lost: claims nothing.
CliResult<void> request_close(Session& session, const ChannelOptions& options) {
  const ChannelId id = TALLY_TRY(channel_id(options.channel));
  const AccountId self = TALLY_TRY(session.account(options.as));
  if (std::filesystem::exists(journal_folder(session, options, self) / "journal")) {
    Seat seat = TALLY_TRY(take_seat(session, options));
    const auto view = seat.host->find(id);
    if (view && !view->record.restored) {
      return fail(usage_fault("your journal has this channel at version " +
                              std::to_string(view->record.newest_version().value) +
                              ": use `tally channel close --alone`, which claims it"));
    }
  }
  const KeyPair key = TALLY_TRY(session.signer(options.as));
  const auto outcome = TALLY_TRY(
      session.submit(key, client::call_bytes(channels::Call(channels::RequestClose{id}))));
  Json json = outcome_json(outcome);
  Sheet sheet = outcome_sheet(outcome);
  client::ChainClient* chain = TALLY_TRY(session.client());
  const auto record = TALLY_TRY(or_fault(chain->read_item(channels::kChannels, id)));
  if (record && record->challenge) {
    json["deadline_ms"] = record->challenge->deadline.value;
    sheet.emplace_back("paid out at", time_text(record->challenge->deadline.value));
  }
  session.show(json, sheet);
  return {};
}

CliResult<void> splice(Session& session, const ChannelOptions& options) {
  const ChannelId id = TALLY_TRY(channel_id(options.channel));
  const bool out = options.value.starts_with("-");
  const bool sign = out || options.value.starts_with("+");
  const Balance value = TALLY_TRY(amount(sign ? options.value.substr(1) : options.value));
  const auto moved = static_cast<i128>(value.micro);
  Seat seat = TALLY_TRY(take_seat(session, options));
  TALLY_TRY(connect_peer(session, seat, options, id));
  const auto before = seat.host->find(id);
  client::ChainClient* chain = TALLY_TRY(session.client());
  const auto head = TALLY_TRY(or_fault(chain->finalized()));
  const BalanceDelta mine(out ? -moved : moved);
  const bool opener = before->record.terms.side == channels::Side::a;
  const auto begun = seat.host->step(
      id, channel::SpliceTogether{opener ? mine : BalanceDelta(), opener ? BalanceDelta() : mine,
                                  BlockNumber(head.number.value + kSpliceBlocks)});
  if (!begun.ok()) return fail(channel_fault(begun.error()));
  session.progress("splicing, and waiting until it is final");
  const ChannelVersion floor = before->record.floor.version;
  const auto done = seat.host->wait(
      id, [floor](const ChannelView& view) { return view.record.floor.version > floor; },
      kPatience);
  if (!done.ok()) return fail(channel_fault(done.error()));
  const auto view = seat.host->find(id);
  session.show(view_json(*view), view_sheet(*view));
  return {};
}

using Run = CliResult<void> (*)(Session&, const ChannelOptions&);

CLI::App* command(CLI::App& channel, Session& session, const std::string& name,
                  const std::string& text, Run run, std::shared_ptr<ChannelOptions> options) {
  CLI::App* added = channel.add_subcommand(name, text);
  added->callback([&session, options, run] {
    session.command = [&session, options, run] { return run(session, *options); };
  });
  return added;
}

}  // namespace

void add_channel(CLI::App& app, Session& session) {
  CLI::App* channel = app.add_subcommand("channel", "Payment channels");
  channel->require_subcommand(1);
  const auto make = [&](const std::string& name, const std::string& text, Run run) {
    auto options = std::make_shared<ChannelOptions>();
    CLI::App* added = command(*channel, session, name, text, run, options);
    return std::pair(added, options);
  };
  const auto with_peer = [](CLI::App& c, ChannelOptions& o) {
    add_as(c, o);
    c.add_option("--to", o.endpoint, "host:port of the other party")->required();
    c.add_option("channel", o.channel, "the channel's id")->required();
  };

  auto [opens, open_options] = make("open", "Open a channel towards somebody", open);
  add_as(*opens, *open_options);
  opens->add_option("--with", open_options->peer, "the other party's account")->required();
  opens->add_option("deposit", open_options->value, "what you put in: 10CC")->required();
  opens->add_option("--period", open_options->period,
                    "challenge period: 30s, 10min, 24h (default: the chain's)");
  opens->footer("Example:\n  tally channel open --as //Alice --with //Bob 10CC");

  auto [pays, pay_options] =
      make("pay", "Pay in a channel: both sign, the chain sees nothing", pay);
  with_peer(*pays, *pay_options);
  pays->add_option("amount", pay_options->value, "20mCC")->required();
  pays->footer("Example:\n  tally channel pay --as //Alice --to 127.0.0.1:9950 0x… 20mCC");

  auto [lists, list_options] = make("list", "Channels on the chain", list);
  lists->add_option("--as", list_options->as, "only those of this account");
  auto [shows, show_options] = make("show", "One channel: the chain's record and yours", show);
  shows->add_option("--as", show_options->as, "your account: shows what its journal holds too");
  shows->add_option("--folder", show_options->folder, "folder of the journal");
  shows->add_option("channel", show_options->channel, "the channel's id")->required();

  auto [closes, close_options] = make("close", "End a channel and be paid out", close);
  add_as(*closes, *close_options);
  closes->add_option("--to", close_options->endpoint, "host:port of the other party");
  closes->add_flag("--alone", close_options->alone,
                   "without the other party: claims, and waits for the challenge period");
  closes->add_option("--accept", close_options->value,
                     "of a restored channel: take a close that pays you so much, though its "
                     "backup knows of more");
  closes->add_option("channel", close_options->channel, "the channel's id")->required();
  closes->footer(
      "Examples:\n  tally channel close --as //Alice --to 127.0.0.1:9950 0x…\n"
      "  tally channel close --as //Alice --alone 0x…");

  auto [requests, request_options] = make(
      "request-close", "End a channel whose journal you have lost: claims nothing", request_close);
  add_as(*requests, *request_options);
  requests->add_option("channel", request_options->channel, "the channel's id")->required();

  auto [splices, splice_options] = make("splice", "Top up or withdraw without closing", splice);
  with_peer(*splices, *splice_options);
  splices->add_option("amount", splice_options->value, "5CC puts in, -5CC takes out")->required();
  splices->footer("Example:\n  tally channel splice --as //Alice --to 127.0.0.1:9950 0x… 5CC");

  add_channel_serve(*channel, session);
  add_channel_tower(*channel, session);
  add_channel_backup(*channel, session);
}

}  // namespace tally::cli
