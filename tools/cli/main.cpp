// `tally`: the command line for everyone. Commands are in the files of this folder by their names.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string_view>
#include <thread>

#include "primitives/version.hpp"
#include "tools/cli/channels.hpp"
#include "tools/cli/node.hpp"
#include "tools/cli/stores.hpp"
#include "worker/executors/executor.hpp"
#include "worker/sandbox/child.hpp"

namespace {

using tally::Json;
using tally::cli::Exit;
using tally::cli::Fault;
using tally::cli::Session;

// Ctrl-C asks to stop; a second one ends the process at once. SIGUSR1 asks for a checkpoint.
class Interrupts {
 public:
  explicit Interrupts(std::shared_ptr<std::atomic<bool>> asked) : asked_(std::move(asked)) {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    sigaddset(&signals_, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    waiter_ = std::thread(&Interrupts::wait, this);
  }
  ~Interrupts() {
    ended_ = true;
    waiter_.join();
  }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  std::stop_token token() const { return source_.get_token(); }

 private:
  void wait() {
    const timespec pause{0, 50'000'000};
    while (!ended_) {
      const int signal = sigtimedwait(&signals_, nullptr, &pause);
      if (signal < 0) continue;
      if (signal == SIGUSR1) {
        *asked_ = true;
        continue;
      }
      if (source_.stop_requested()) _exit(static_cast<int>(Exit::interrupted));
      source_.request_stop();
    }
  }
  std::shared_ptr<std::atomic<bool>> asked_;
  sigset_t signals_{};
  std::atomic<bool> ended_ = false;
  std::stop_source source_;
  std::thread waiter_;
};

void add_options(CLI::App& app, Session& session) {
  auto& options = session.options;
  app.add_option("--node", options.node, "gRPC address of a node, host:port")
      ->envname("TALLY_NODE")
      ->capture_default_str()
      ->take_last();
  app.add_option("--chain", options.chain, "chain: dev, local4, bench or a chain spec file")
      ->envname("TALLY_CHAIN")
      ->capture_default_str()
      ->take_last();
  app.add_option("--wallet", options.wallet,
                 "folder of key files (default: tallystick/wallet in the user's data folder)")
      ->envname("TALLY_WALLET")
      ->take_last();
  app.add_option("--trust-block", options.trust_block,
                 "NUMBER:HASH of a final block that you trust, to begin at instead of at genesis "
                 "(default: as last time)")
      ->envname("TALLY_TRUST_BLOCK")
      ->take_last();
  app.add_option("--password-file", options.password_file,
                 "file whose first line is the password; TALLY_PASSWORD works too")
      ->take_last();
  app.add_flag("--json", options.json, "one JSON value instead of tables (docs/cli-json.md)");
}

int report(const Session& session, const Fault& fault) {
  if (session.options.json) {
    fmt::print("{}\n", Json{{"error", tally::cli::error_json(fault)}}.dump(2));
  } else {
    fmt::print(stderr, "tally: {}\n", fault.message);
  }
  return static_cast<int>(fault.exit);
}

// Every command's help ends with where the options are that go with all of them.
class Help : public CLI::Formatter {
 public:
  Help() { column_width(30); }
  std::string make_footer(const CLI::App* app) const override {
    const std::string own = CLI::Formatter::make_footer(app);
    if (app->get_parent() == nullptr) return own;
    return own +
           "\n--node, --chain, --wallet, --trust-block, --password-file and --json go with every\n"
           "command: see `tally --help`.\n";
  }
};

// A command line that was not understood; --json may stand anywhere in it.
int report_usage(const CLI::App& app, const CLI::ParseError& error, bool json) {
  const bool asked_for_help = error.get_exit_code() == 0;
  if (asked_for_help || !json) {
    const int code = app.exit(error);
    return code == 0 ? 0 : static_cast<int>(Exit::usage);
  }
  Json out = Json::object();
  out["error"] = Json{{"code", "usage"}, {"message", error.what()}};
  fmt::print("{}\n", out.dump(2));
  return static_cast<int>(Exit::usage);
}

constexpr const char* kFooter = R"(
Amounts have a unit: 1.5CC, 20mCC, 300uCC. Accounts are names of your wallet, addresses, or on
development chains //Alice, //Bob, …
Exit codes: 0 done, 1 failure, 2 usage, 3 nobody answers, 4 refused by the chain, 5 not found,
6 an answer could not be proved, 7 keys, 130 interrupted.

Examples:
  tally keys new alice                                make an account
  tally --chain local4 chain status                   what the network is doing
  tally transfer --from //Alice --to alice 25CC       pay on the chain
  tally account alice                                 proved balances
Each command has its own --help with examples.)";

}  // namespace

int main(int argc, char** argv) {
  // `tally verify` runs a stranger's task in this program, started again as an executor.
  if (const auto status =
          tally::sandbox::run_child_if_asked(argc, argv, tally::executors::execute)) {
    return *status;
  }
  Session session;
  Interrupts interrupts(session.asked);
  session.stop = interrupts.token();
  CLI::App app("Tallystick: pay for work over channels; the chain only settles.", "tally");
  app.require_subcommand(1);
  app.fallthrough();
  app.set_version_flag("--version", "tally " + std::string(tally::kProgramVersion));
  app.formatter(std::make_shared<Help>());
  add_options(app, session);
  tally::cli::add_keys(app, session);
  tally::cli::add_account(app, session);
  tally::cli::add_chain(app, session);
  tally::cli::add_node(app, session);
  tally::cli::add_channel(app, session);
  tally::cli::add_task(app, session);
  tally::cli::add_checkpoint(app, session);
  tally::cli::add_dispute(app, session);
  tally::cli::add_verify(app, session);
  tally::cli::add_worker(app, session);
  tally::cli::add_stake(app, session);
  tally::cli::add_validator(app, session);
  tally::cli::add_arweave(app, session);
  tally::cli::add_genesis(app, session);
  app.footer(kFooter);  // last: what is added to a command inherits its footer
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool json = std::find(argv, argv + argc, std::string_view("--json")) != argv + argc;
    return report_usage(app, error, json);
  }
  const auto done = session.command();
  if (!done.ok()) return report(session, done.error());
  return 0;
}
