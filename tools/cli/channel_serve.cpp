// tally channel serve: be the one who is paid, without doing tasks.
#include <fmt/format.h>

#include <condition_variable>
#include <map>
#include <mutex>

#include "primitives/ss58.hpp"
#include "tools/cli/channels.hpp"
#include "worker/service/task_service.hpp"

namespace tally::cli {

namespace {

Json paid_json(const client::ChannelView& view) {
  Json json = view_json(view);
  json["event"] = "channel";
  return json;
}

// Prints a channel whenever its newest co-signed version moves.
class Printer {
 public:
  explicit Printer(Session& session) : session_(session) {}
  void look(client::ChannelHost& host) {
    for (const client::ChannelView& view : host.channels()) {
      const auto state = std::pair(view.record.stage, view.record.newest_version());
      auto& shown = shown_[view.record.terms.channel_id];
      if (shown == state) continue;
      shown = state;
      if (session_.options.json) {
        fmt::print("{}\n", paid_json(view).dump());
      } else {
        fmt::print("{}  {}  version {}  mine {}\n", to_hex_prefixed(view.record.terms.channel_id),
                   enumerator_name(view.record.stage), view.record.newest_version().value,
                   to_text(view.record.balance(view.record.terms.side)));
      }
      std::fflush(stdout);
    }
  }

 private:
  Session& session_;
  std::map<ChannelId, std::optional<std::pair<channel::Stage, ChannelVersion>>> shown_;
};

worker::LogLevel least_level() {
  return worker::LogLevel::warning;
}

CliResult<void> serve(Session& session, const ChannelOptions& options) {
  Seat seat = TALLY_TRY(take_seat(session, options, true));
  client::ChainClient* chain = TALLY_TRY(session.client());
  const auto folder = journal_folder(session, options, seat.key.account());
  auto letters = worker::DeadLetters::open(folder / "dead-letters");
  if (!letters.ok()) return fail(file_fault(letters.error()));
  worker::ServiceConfig config;
  config.listen = options.listen;
  config.key = seat.key;
  config.seal_secret = Secret::generate();
  config.genesis_hash = chain->root().genesis_hash;
  config.offer.environment = task::executor_environment();
  config.offer.window = channel::Policy{}.window;
  config.offer.issued_ms = worker::wall_clock();
  worker::ServicePorts ports{
      *seat.host, *letters, std::nullopt,
      [](const worker::TaskJob&) -> executors::TaskResult {
        return fail(task::TaskFailure{task::FailureReason::unsupported, "no tasks are done here"});
      },
      [&session](worker::LogLevel level, const std::string& line) {
        if (level >= least_level()) session.progress(line);
      }};
  auto service = worker::TaskService::start(std::move(config), std::move(ports));
  if (!service.ok()) return fail(Fault{Exit::failure, "listen", service.error().message});
  session.progress(fmt::format("{} takes payments on port {} until Ctrl-C",
                               to_ss58(seat.key.account()), (*service)->port()));
  Printer printer(session);
  std::mutex mutex;
  std::condition_variable_any pause;
  std::unique_lock lock(mutex);
  while (!session.stop.stop_requested()) {
    printer.look(*seat.host);
    pause.wait_for(lock, session.stop, std::chrono::milliseconds(200), [] { return false; });
  }
  (*service)->stop();
  session.save_trust();
  return {};
}

}  // namespace

void add_channel_serve(CLI::App& channel, Session& session) {
  auto options = std::make_shared<ChannelOptions>();
  CLI::App* serves =
      channel.add_subcommand("serve", "Be paid: accept a peer's channels and payments");
  add_as(*serves, *options);
  serves->add_option("--listen", options->listen, "host:port")->capture_default_str();
  serves->footer(
      "Runs until Ctrl-C, and refutes whoever claims an old state meanwhile.\nExample:\n"
      "  tally channel serve --as //Bob --listen 127.0.0.1:9950");
  serves->callback([&session, options] {
    session.command = [&session, options] { return serve(session, *options); };
  });
}

}  // namespace tally::cli
