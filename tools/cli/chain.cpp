// tally chain: what the network is doing, and what is in its blocks.
#include <fmt/format.h>

#include "client-sdk/chain/events.hpp"
#include "primitives/ss58.hpp"
#include "runtime/transaction.hpp"
#include "tools/cli/session.hpp"

namespace tally::cli {

namespace {

Json head_json(const client::FinalHead& head) {
  Json out{{"number", head.number.value},
           {"hash", to_json(head.hash)},
           {"parent_hash", to_json(head.header.parent_hash)},
           {"state_root", to_json(head.header.state_root)},
           {"extrinsics_root", to_json(head.header.extrinsics_root)}};
  const auto digest = consensus_digest(head.header);
  out["epoch"] = digest ? Json(digest->epoch.value) : Json(nullptr);
  out["view"] = digest ? Json(digest->view.value) : Json(nullptr);
  out["time_ms"] = digest ? Json(digest->time.value) : Json(nullptr);
  return out;
}

std::string head_time(const client::FinalHead& head) {
  const auto digest = consensus_digest(head.header);
  return digest ? time_text(digest->time.value) : "genesis";
}

// A call as people read it: "Credits.transfer" and its arguments.
struct CallView {
  std::string name;
  Json arguments;
};
CallView view_of(const runtime::RuntimeCall& call) {
  return std::visit(
      [](const auto& module) {
        return std::visit(
            [&](const auto& inner) {
              return CallView{std::string(module.kName) + "." + std::string(inner.kName),
                              to_json(inner)};
            },
            module.value);
      },
      call);
}

Json event_json(const runtime::EventRecord& record) {
  const client::EventView view = client::view_of(record);
  Json out = Json::object();
  out["extrinsic"] = view.extrinsic ? Json(*view.extrinsic) : Json(nullptr);
  out["module"] = view.module;
  out["name"] = view.name;
  out["fields"] = view.fields;
  return out;
}

// One extrinsic of a block, with how it ended.
struct ExtrinsicView {
  Hash hash;
  std::string signer;
  CallView call;
  std::optional<DispatchError> failure;
};

Json extrinsic_json(const ExtrinsicView& view, std::size_t index) {
  return Json{{"index", index},
              {"hash", to_json(view.hash)},
              {"signer", view.signer},
              {"call", view.call.name},
              {"arguments", view.call.arguments},
              {"ok", !view.failure.has_value()},
              {"error", view.failure ? Json(runtime::to_text(*view.failure)) : Json(nullptr)}};
}

CliResult<ExtrinsicView> inspect(const Bytes& bytes, const client::RawEvents& events,
                                 std::uint32_t index) {
  ExtrinsicView view;
  view.hash = extrinsic_hash(bytes);
  const auto tx = runtime::decode_transaction(bytes);
  if (!tx.ok()) {
    return fail(Fault{Exit::not_proved, "undecodable",
                      "an extrinsic of the block does not decode: is this program older than the "
                      "chain's runtime?"});
  }
  view.signer = to_ss58(tx->signer);
  view.call = view_of(tx->call);
  view.failure = TALLY_TRY(or_fault(client::dispatch_failure(events, index)));
  return view;
}

CliResult<std::vector<runtime::EventRecord>> records_of(const client::RawEvents& events) {
  auto records = client::decode_events(events.records);
  if (records.ok()) return *std::move(records);
  return fail(Fault{Exit::not_proved, "undecodable",
                    "the block's events do not decode: is this program older than the runtime?"});
}

CliResult<void> status(Session& session) {
  client::ChainClient* chain = TALLY_TRY(session.client());
  const auto head = TALLY_TRY(or_fault(chain->finalized()));
  const auto node = TALLY_TRY(or_fault(chain->node_status()));
  session.save_trust();
  Json peers = Json::array();
  for (const client::PeerStatus& peer : node.peers) {
    peers.push_back(
        {{"node_key", peer.node_key},
         {"address", peer.address},
         {"inbound", peer.inbound},
         {"validator_index", peer.validator_index ? Json(*peer.validator_index) : Json(nullptr)},
         {"best_number", peer.best_number}});
  }
  Json json{{"node", chain->endpoint()},
            {"chain", chain->version().chain},
            {"genesis_hash", to_json(chain->root().genesis_hash)},
            {"spec_version", chain->version().spec_version},
            {"finalized", head_json(head)},
            {"best", {{"number", node.best_number.value}, {"hash", to_json(node.best_hash)}}},
            {"version", node.version},
            {"role", node.role},
            {"syncing", node.syncing},
            {"sync_target", node.sync_target.value},
            {"pool", {{"transactions", node.pool_transactions}, {"bytes", node.pool_bytes}}},
            {"peers", peers}};
  session.show(
      json, Sheet{{"chain", chain->version().chain},
                  {"genesis", to_hex_prefixed(chain->root().genesis_hash)},
                  {"node", fmt::format("{} ({} {})", chain->endpoint(), node.role, node.version)},
                  {"final block", fmt::format("{} (proved)", head.number.value)},
                  {"its time", head_time(head)},
                  {"best block", std::to_string(node.best_number.value)},
                  {"peers", std::to_string(node.peers.size())},
                  {"syncing", node.syncing ? fmt::format("to {}", node.sync_target.value) : "no"},
                  {"pool", fmt::format("{} transactions, {} bytes", node.pool_transactions,
                                       node.pool_bytes)}});
  return {};
}

CliResult<BlockNumber> block_number(Session& session, const std::string& text) {
  if (text.empty()) {
    client::ChainClient* chain = TALLY_TRY(session.client());
    const auto head = TALLY_TRY(or_fault(chain->finalized()));
    return head.number;
  }
  const auto number = parse_decimal(text);
  if (number && *number <= ~std::uint32_t{0}) {
    return BlockNumber(static_cast<std::uint32_t>(*number));
  }
  return fail(usage_fault("a block is named by its number; \"" + text + "\" came"));
}

CliResult<void> show_block(Session& session, const std::string& which) {
  client::ChainClient* chain = TALLY_TRY(session.client());
  const BlockNumber number = TALLY_TRY(block_number(session, which));
  const auto block = TALLY_TRY(or_fault(chain->block(number)));
  const auto events = TALLY_TRY(or_fault(chain->events_unproved(block.head)));
  session.save_trust();
  Json json = head_json(block.head);
  json["extrinsics"] = Json::array();
  Table table{{"extrinsic", "call", "signer", "result"}, {}};
  for (std::size_t i = 0; i < block.extrinsics.size(); ++i) {
    const auto view =
        TALLY_TRY(inspect(block.extrinsics[i], events, static_cast<std::uint32_t>(i)));
    json["extrinsics"].push_back(extrinsic_json(view, i));
    table.rows.push_back({to_hex_prefixed(view.hash), view.call.name, view.signer,
                          view.failure ? runtime::to_text(*view.failure) : "ok"});
  }
  json["events"] = Json::array();
  for (const auto& record : TALLY_TRY(records_of(events)))
    json["events"].push_back(event_json(record));
  json["events_proved"] = events.proved;
  if (!session.options.json) {
    session.show(json, Sheet{{"block", std::to_string(block.head.number.value)},
                             {"hash", to_hex_prefixed(block.head.hash)},
                             {"time", head_time(block.head)},
                             {"state root", to_hex_prefixed(block.head.header.state_root)},
                             {"extrinsics", std::to_string(block.extrinsics.size())}});
    session.say("");
  }
  session.show(json, table);
  return {};
}

CliResult<void> show_transaction(Session& session, const std::string& text) {
  const auto bytes = from_hex(text);
  const auto hash = bytes ? Hash::from(*bytes) : std::nullopt;
  if (!hash) {
    return fail(
        usage_fault("a transaction is named by its hash, 0x and 64 digits; \"" + text + "\" came"));
  }
  client::ChainClient* chain = TALLY_TRY(session.client());
  const auto at = TALLY_TRY(or_fault(chain->find_transaction(*hash)));
  const auto block = TALLY_TRY(or_fault(chain->block(at.number)));
  client::TxOutcome outcome;
  outcome.extrinsic_hash = *hash;
  outcome.at = at;
  outcome.events = TALLY_TRY(or_fault(chain->events_unproved(block.head)));
  session.save_trust();
  const auto view = TALLY_TRY(inspect(block.extrinsics[at.index], outcome.events, at.index));
  Json json = extrinsic_json(view, at.index);
  json["block"] = Json{{"number", at.number.value}, {"hash", to_json(at.block_hash)}};
  json["fee"] = to_json(fee_of(outcome));
  json["events"] = Json::array();
  for (const auto& record : TALLY_TRY(records_of(outcome.events))) {
    if (client::extrinsic_of(record) == at.index) json["events"].push_back(event_json(record));
  }
  json["events_proved"] = outcome.events.proved;
  session.show(json,
               Sheet{{"transaction", to_hex_prefixed(*hash)},
                     {"final in block", fmt::format("{} at index {}", at.number.value, at.index)},
                     {"time", head_time(block.head)},
                     {"signer", view.signer},
                     {"call", view.call.name},
                     {"arguments", view.call.arguments.dump()},
                     {"result", view.failure ? runtime::to_text(*view.failure) : "ok"},
                     {"fee", to_text(fee_of(outcome))}});
  return {};
}

struct WatchOptions {
  std::optional<std::uint32_t> from;
  std::uint32_t count = 0;
};

CliResult<void> watch(Session& session, const WatchOptions& options) {
  client::ChainClient* chain = TALLY_TRY(session.client());
  const auto head = TALLY_TRY(or_fault(chain->finalized()));
  const BlockNumber from = options.from ? BlockNumber(*options.from) : head.number;
  std::uint32_t seen = 0;
  std::optional<Fault> fault;
  const auto on_block = [&](const client::FollowedBlock& block) {
    auto records = records_of(block.events);
    if (!records.ok()) {
      fault = records.error();
      return false;
    }
    Json json = head_json(block.head);
    json["events"] = Json::array();
    json["events_proved"] = block.events.proved;
    std::string names = block.events.proved ? "" : " (the node's word)";
    for (const auto& record : *records) {
      json["events"].push_back(event_json(record));
      const client::EventView view = client::view_of(record);
      if (view.extrinsic) names += " " + view.module + "." + view.name;
    }
    if (session.options.json) {
      fmt::print("{}\n", json.dump());
    } else {
      fmt::print("{:>8}  {}{}\n", block.head.number.value, head_time(block.head), names);
    }
    std::fflush(stdout);
    return ++seen != options.count;
  };
  const auto end = chain->follow_unproved(from, session.stop, on_block);
  session.save_trust();
  if (fault) return fail(*fault);
  if (end.ok() || end.error().kind == client::ClientErrorKind::cancelled) return {};
  return fail(to_fault(end.error()));
}

}  // namespace

void add_chain(CLI::App& app, Session& session) {
  CLI::App* chain = app.add_subcommand("chain", "The network and its blocks");
  chain->require_subcommand(1);

  CLI::App* state = chain->add_subcommand("status", "What the network and this node are doing");
  state->footer("Example:\n  tally --chain local4 --node 127.0.0.1:9953 chain status");
  state->callback([&session] { session.command = [&session] { return status(session); }; });

  auto which = std::make_shared<std::string>();
  CLI::App* block = chain->add_subcommand("block", "A final block: its extrinsics and events");
  block->add_option("number", *which, "its number; the newest final block if left out");
  block->footer("Examples:\n  tally chain block\n  tally chain block 1200 --json");
  block->callback([&session, which] {
    session.command = [&session, which] { return show_block(session, *which); };
  });

  auto hash = std::make_shared<std::string>();
  CLI::App* tx = chain->add_subcommand("tx", "A final transaction: where it is and how it ended");
  tx->add_option("hash", *hash, "hash of the extrinsic")->required();
  tx->footer("Example:\n  tally chain tx 0x5b…");
  tx->callback([&session, hash] {
    session.command = [&session, hash] { return show_transaction(session, *hash); };
  });

  auto options = std::make_shared<WatchOptions>();
  CLI::App* follow =
      chain->add_subcommand("watch", "Follow final blocks, each proved, until Ctrl-C");
  follow->add_option("--from", options->from, "first block (default: the newest final one)");
  follow->add_option("--count", options->count, "stop after so many blocks; 0 = never")
      ->capture_default_str();
  follow->footer(
      "Examples:\n  tally chain watch --count 10 --json   one JSON value a line\n"
      "  tally chain watch --from 1 --count 100");
  follow->callback([&session, options] {
    session.command = [&session, options] { return watch(session, *options); };
  });
  add_chain_accounts(*chain, session);
  add_chain_verify(*chain, session);
}

}  // namespace tally::cli
