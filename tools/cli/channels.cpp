#include "tools/cli/channels.hpp"

#include <fmt/format.h>

#include "modules/channels/storage.hpp"
#include "primitives/ss58.hpp"

namespace tally::cli {

Fault channel_fault(const Error& error) {
  return {Exit::failure, "channel", error.message};
}

CliResult<ChannelId> channel_id(const std::string& text) {
  const auto bytes = from_hex(text);
  const auto id = bytes ? ChannelId::from(*bytes) : std::nullopt;
  if (id) return *id;
  return fail(usage_fault("a channel is named by its id, 0x and 64 digits; \"" + text + "\" came"));
}

Json record_json(const ChannelId& id, const channels::Channel& channel) {
  Json json{{"channel_id", to_json(id)}};
  const Json fields = to_json(channel);
  for (const auto& [name, value] : fields.items()) json[name] = value;
  return json;
}

std::filesystem::path journal_folder(const Session& session, const ChannelOptions& options,
                                     const AccountId& account) {
  if (!options.folder.empty()) return options.folder;
  const std::filesystem::path wallet = session.options.wallet.empty()
                                           ? client::default_wallet_folder()
                                           : std::filesystem::path(session.options.wallet);
  return wallet.parent_path() / "channels" / to_ss58(account);
}

void add_as(CLI::App& command, ChannelOptions& options) {
  command.add_option("--as", options.as, "your account: a name of your wallet, or //Alice")
      ->required();
  command.add_option("--folder", options.folder,
                     "folder of the channel journal (default: one an account, beside the wallet)");
  command.add_option("--tower-folder", options.tower,
                     "folder of a `tally channel watch`: every update goes there before it counts");
}

CliResult<Seat> take_seat(Session& session, const ChannelOptions& options, bool take_channels) {
  KeyPair key = TALLY_TRY(session.signer(options.as));
  client::ChainClient* chain = TALLY_TRY(session.client());
  client::HostConfig config;
  config.journal_folder = journal_folder(session, options, key.account());
  config.key = key;
  std::unique_ptr<client::FolderTower> tower;
  if (!options.tower.empty()) tower = std::make_unique<client::FolderTower>(options.tower);
  config.tower = tower.get();
  config.take_channels = take_channels;
  config.give_up = [stop = session.stop] { return stop.stop_requested(); };
  config.on_submitted = options.on_submitted;
  config.log = [&session](const std::string& line) { session.progress(line); };
  auto host = client::ChannelHost::start(std::move(config), *chain);
  if (!host.ok()) return fail(channel_fault(host.error()));
  session.save_trust();
  Seat seat{std::move(key), std::move(tower), *std::move(host), nullptr};
  return seat;
}

CliResult<void> connect_peer(Session& session, Seat& seat, const ChannelOptions& options,
                             const ChannelId& id) {
  if (options.endpoint.empty()) {
    return fail(usage_fault("say where the other party is with --to HOST:PORT"));
  }
  const auto view = seat.host->find(id);
  if (!view) {
    return fail(Fault{Exit::not_found, "unknown_channel",
                      "the journal of " + to_ss58(seat.key.account()) + " has no channel " +
                          to_hex_prefixed(id) + ": `tally channel list --as …` shows the chain's"});
  }
  client::ChainClient* chain = TALLY_TRY(session.client());
  task::SteadyConfig config{.session = {.endpoint = options.endpoint,
                                        .worker = view->record.terms.peer(),
                                        .key = seat.key,
                                        .genesis_hash = chain->root().genesis_hash}};
  config.patience = std::chrono::seconds(options.reconnect_seconds);
  config.stop = session.stop;
  config.on_lost = [&session](const std::string& line) { session.progress(line); };
  auto connected = task::SteadySession::connect(config, *seat.host);
  if (!connected.ok()) {
    return fail(Fault{Exit::unreachable, "peer", connected.error().message});
  }
  seat.session = *std::move(connected);
  return {};
}

namespace {

// Work of ours that the peer has not paid for.
Balance unpaid_of(const client::ChannelView& view) {
  return checked_sub(view.record.earned, view.received).value_or(Balance{});
}

}  // namespace

Json view_json(const client::ChannelView& view) {
  const channel::Record& record = view.record;
  const channels::Side me = record.terms.side;
  return Json{{"channel_id", to_json(record.terms.channel_id)},
              {"stage", std::string(enumerator_name(record.stage))},
              {"restored", record.restored},
              {"side", std::string(enumerator_name(me))},
              {"peer", to_json(record.terms.peer())},
              {"version", record.newest_version().value},
              {"mine", to_json(record.balance(me))},
              {"peers", to_json(record.balance(channels::other(me)))},
              {"locked", to_json(view.locked)},
              {"payable", to_json(view.payable)},
              {"receipts", record.receipts.count},
              {"offer_open", record.offer.has_value()},
              {"paid_ahead", to_json(record.prepaid)},
              {"unpaid", to_json(unpaid_of(view))}};
}

Sheet view_sheet(const client::ChannelView& view) {
  const channel::Record& record = view.record;
  const channels::Side me = record.terms.side;
  return {{"channel", to_hex_prefixed(record.terms.channel_id)},
          {"stage", std::string(enumerator_name(record.stage))},
          {"peer", to_ss58(record.terms.peer())},
          {"version", std::to_string(record.newest_version().value)},
          {"mine", to_text(record.balance(me))},
          {"the peer's", to_text(record.balance(channels::other(me)))},
          {"can still pay", to_text(view.payable)},
          {"receipts", std::to_string(record.receipts.count)},
          {"paid ahead", to_text(record.prepaid)},
          {"unpaid work", to_text(unpaid_of(view))}};
}

CliResult<channels::Channel> on_chain(Session& session, const ChannelId& id) {
  client::ChainClient* chain = TALLY_TRY(session.client());
  auto record = TALLY_TRY(or_fault(chain->read_item(channels::kChannels, id)));
  if (record) return *std::move(record);
  return fail(Fault{Exit::not_found, "unknown_channel",
                    "no channel " + to_hex_prefixed(id) + " is pending, open or in challenge"});
}

}  // namespace tally::cli
