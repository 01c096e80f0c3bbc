#include "tools/cli/node.hpp"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <array>
#include <chrono>

#include "rpc/proto/node.grpc.pb.h"

namespace tally::cli {
namespace {

namespace proto = tallystick::v1;

constexpr std::chrono::seconds kPatience{10};

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

CliResult<proto::NodeStatus> ask(const std::string& node) {
  const auto channel = grpc::CreateChannel(node, grpc::InsecureChannelCredentials());
  const auto stub = proto::Node::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  proto::NodeStatus reply;
  const grpc::Status status = stub->GetStatus(&context, {}, &reply);
  if (status.ok()) return reply;
  return fail(Fault{Exit::unreachable, "unreachable",
                    "no node answers at " + node + ": " + status.error_message() +
                        ". Is tallyd running, and does --node name its gRPC port? If it has ended, "
                        "its last lines of log say why"});
}

Json status_json(const proto::NodeStatus& status) {
  Json json;
  json["state"] = status.state();
  json["reason"] = status.reason();
  json["advice"] = status.advice();
  json["since_ms"] = status.since_ms();
  json["progress"] = Json();
  if (status.has_progress()) {
    json["progress"] =
        Json{{"done", status.progress().done()}, {"total", status.progress().total()}};
  }
  json["disk"] = Json{{"database_bytes", status.database_bytes()},
                      {"votes_bytes", status.votes_bytes()},
                      {"free_bytes", status.free_bytes()}};
  json["oldest_state"] = status.oldest_state();
  json["oldest_block"] = status.oldest_block();
  json["finalized"] = status.finalized_number();
  json["sync_target"] = status.sync_target();
  json["peers"] = status.peers();
  json["validator_peers"] = status.validator_peers();
  return json;
}

CliResult<void> show_status(Session& session) {
  const proto::NodeStatus status = TALLY_TRY(ask(session.options.node));
  Sheet sheet{{"state", status.state()}, {"reason", status.reason()}};
  if (!status.advice().empty()) sheet.emplace_back("what to do", status.advice());
  sheet.emplace_back("since", time_text(status.since_ms()));
  if (status.has_progress() && status.progress().total() > 0) {
    sheet.emplace_back(
        "progress",
        fmt::format("{} of {} ({} %)", status.progress().done(), status.progress().total(),
                    100 * status.progress().done() / status.progress().total()));
  }
  sheet.emplace_back("final block", std::to_string(status.finalized_number()));
  sheet.emplace_back("peers", fmt::format("{}, {} of them validators of this epoch", status.peers(),
                                          status.validator_peers()));
  sheet.emplace_back(
      "disk", fmt::format("database {}, votes {}, free {}", size_text(status.database_bytes()),
                          size_text(status.votes_bytes()), size_text(status.free_bytes())));
  sheet.emplace_back("kept", fmt::format("blocks from {}, states from {}", status.oldest_block(),
                                         status.oldest_state()));
  session.show(status_json(status), sheet);
  return {};
}

}  // namespace

void add_node(CLI::App& app, Session& session) {
  CLI::App* node = app.add_subcommand("node", "What a node says of itself");
  node->require_subcommand(1);
  CLI::App* status = node->add_subcommand("status", "Its state, why, and what to do");
  status->footer(
      "States: starting, syncing_snapshot, syncing_blocks, listening, validating, following,\n"
      "not_voting, stopped; docs/operators.md says what each means.\n"
      "Example:\n  tally --node 127.0.0.1:9953 node status --json");
  status->callback([&session] { session.command = [&session] { return show_status(session); }; });
}

}  // namespace tally::cli
