// tally worker register, update: a worker's place on the chain, as its configuration says.
#include <fmt/format.h>

#include <fstream>

#include "client-sdk/chain/calls.hpp"
#include "primitives/ss58.hpp"
#include "tools/cli/worker_view.hpp"
#include "worker/service/offers.hpp"

namespace tally::cli {

namespace {

struct RegisterOptions {
  std::string config;
  std::string as;
  std::string stake;
  std::string endpoint;
};

CliResult<worker::WorkerConfig> configuration(const RegisterOptions& options) {
  auto config = worker::load_config(options.config);
  if (!config.ok()) return fail(usage_fault(config.error().message));
  if (!options.stake.empty()) config->registration.stake = TALLY_TRY(amount(options.stake));
  if (!options.endpoint.empty()) config->registration.endpoint = options.endpoint;
  return *std::move(config);
}

// --as, or the account that the configuration names.
CliResult<KeyPair> key_of(Session& session, const RegisterOptions& options,
                          const worker::AccountConfig& account) {
  if (!options.as.empty()) return session.signer(options.as);
  if (!account.dev_account.empty()) return session.signer("//" + account.dev_account);
  if (account.key_file.empty()) {
    return fail(usage_fault("whose registration? Set account.key_file in " +
                            (options.config.empty() ? "the configuration" : options.config) +
                            ", or name an account with --as"));
  }
  if (!account.password_file.empty() && session.options.password_file.empty()) {
    session.options.password_file = account.password_file.string();
  }
  const std::string secret =
      TALLY_TRY(session.password("Password of " + account.key_file.string()));
  const auto stored = open_key_file(account.key_file, secret);
  if (!stored.ok()) return fail(key_fault(stored.error()));
  const auto pair = stored->account_pair();
  if (pair) return *pair;
  return fail(Fault{Exit::keys, "keys", account.key_file.string() + " must hold an account key"});
}

// What `tally-worker` measured on this machine; a speed of 0 where it never ran.
task::WorkerProfile measured(const worker::WorkerConfig& config) {
  std::ifstream file(config.base_path / "probe.json");
  const Json probe = Json::parse(file, nullptr, false);
  task::WorkerProfile profile;
  if (probe.is_object()) {
    profile.primes_per_second = probe.value("primes_per_second", std::uint64_t{0});
  }
  return profile;
}

std::string name_of(const workers::Call& call) {
  return std::visit([](const auto& inner) { return std::string(inner.kName); }, call);
}

CliResult<void> register_worker(Session& session, const RegisterOptions& options) {
  const worker::WorkerConfig config = TALLY_TRY(configuration(options));
  const KeyPair key = TALLY_TRY(key_of(session, options, config.account));
  const auto wanted = worker::registration_of(config, key, measured(config));
  if (!wanted.ok()) return fail(usage_fault(wanted.error().message));
  auto state = TALLY_TRY(ProvedState::newest(session));
  const workers::Config rules = TALLY_TRY(workers_config(*state));
  if (wanted->stake < rules.stake_min) {
    return fail(
        usage_fault(fmt::format("a worker stakes at least {}; registration.stake (or "
                                "--stake) is {}",
                                to_text(rules.stake_min), to_text(wanted->stake))));
  }
  const auto record = workers::find(*state, key.account());
  const auto profile = workers::find_profile(*state, key.account());
  TALLY_TRY(state->whole());
  Json made = Json::array();
  Balance fees;
  for (const workers::Call& call : worker::registration_calls(*wanted, record, profile)) {
    session.progress(name_of(call));
    const auto outcome = TALLY_TRY(session.submit(key, client::call_bytes(call)));
    fees = checked_add(fees, fee_of(outcome)).value_or(fees);
    Json entry = outcome_json(outcome);
    entry["call"] = name_of(call);
    made.push_back(std::move(entry));
  }
  state = TALLY_TRY(ProvedState::newest(session));
  const WorkerView view = TALLY_TRY(worker_in_full(*state, key.account()));
  Sheet sheet = worker_sheet(view, *state);
  sheet.emplace_back("fees", to_text(fees));
  session.show(Json{{"extrinsics", made}, {"worker", worker_json(view, *state)}}, sheet);
  if (made.empty()) session.say("\nnothing to do: the chain has it as the configuration says");
  return {};
}

void add(CLI::App& worker, Session& session, const char* name, const char* what,
         const char* footer) {
  auto options = std::make_shared<RegisterOptions>();
  CLI::App* command = worker.add_subcommand(name, what);
  command->add_option("--config", options->config,
                      "the worker's tally-worker.toml: its prices, address, stake and account");
  command->add_option("--as", options->as, "the worker's account (default: as the file says)");
  command->add_option("--stake", options->stake, "own stake, at least (default: as the file says)");
  command->add_option("--endpoint", options->endpoint,
                      "host:port as requesters reach it (default: as the file says)");
  command->footer(footer);
  command->callback([&session, options] {
    session.command = [&session, options] { return register_worker(session, *options); };
  });
}

}  // namespace

void add_worker_registration(CLI::App& worker, Session& session) {
  add(worker, session, "register", "Stake and register, as the worker's configuration says",
      "The stake pays the bonds of disputes that the worker loses, and gets it drawn as a "
      "verifier.\n"
      "It unbonds for a time when it is taken back. tally-worker registers by itself where its "
      "file\n"
      "has registration.stake.\nExamples:\n"
      "  tally worker register --config tally-worker.toml\n"
      "  tally worker register --config tally-worker.toml --stake 200CC");
  add(worker, session, "update", "Bring prices, address and stake up to the configuration",
      "Submits what differs from the chain. Stake is only added: `tally unstake` takes it back.\n"
      "Example:\n  tally worker update --config tally-worker.toml");
}

}  // namespace tally::cli
