// tally genesis: chain specs and what follows from them.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "genesis/build.hpp"
#include "genesis/live.hpp"
#include "primitives/ss58.hpp"
#include "tools/cli/session.hpp"

namespace tally::cli {

namespace {

struct BuildOptions {
  std::string base = "local4";
  std::string out;
  std::string chain_id;
  std::string name;
  std::uint64_t genesis_time = 0;
  std::vector<std::string> accounts;    // ACCOUNT=AMOUNT
  std::vector<std::string> validators;  // CONSENSUS:VRF:ACCOUNT[:BOND]
  std::vector<std::string> council;
  std::uint64_t council_threshold = 0;  // 0: more than half
  std::vector<std::string> attesters;
};

Json summary(const genesis::ChainSpec& spec, const genesis::Genesis& genesis) {
  return Json{{"chain_id", spec.chain_id},
              {"name", spec.name},
              {"chain_type", spec.chain_type},
              {"genesis_hash", to_json(genesis.hash)},
              {"state_root", to_json(genesis.header.state_root)},
              {"state_entries", genesis.state.size()},
              {"validators", spec.validators.size()},
              {"accounts", spec.accounts.size()},
              {"bench_accounts", spec.bench_accounts.count},
              {"epoch_blocks", spec.consensus.epoch_length},
              {"warnings", genesis::unfit_for_live(spec)}};
}

Sheet sheet_of(const Json& summary) {
  Sheet sheet;
  for (const auto& [name, value] : summary.items()) {
    if (name == "warnings") continue;
    std::string label = name;
    std::replace(label.begin(), label.end(), '_', ' ');
    sheet.emplace_back(label, value.is_string() ? value.get<std::string>() : value.dump());
  }
  for (const Json& warning : summary["warnings"]) {
    sheet.emplace_back("warning", warning.get<std::string>());
  }
  return sheet;
}

CliResult<void> show_spec(Session& session) {
  const genesis::ChainSpec* spec = TALLY_TRY(session.spec());
  Json json = summary(*spec, genesis::build_genesis(*spec));
  const Sheet sheet = sheet_of(json);
  json["validator_set"] = Json::array();
  for (const Validator& validator : spec->validators) {
    json["validator_set"].push_back(to_json(validator));
  }
  session.show(json, sheet);
  return {};
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back().push_back(c);
    }
  }
  return parts;
}

CliResult<Json> endowment(Session& session, const std::string& text) {
  const auto parts = split(text, '=');
  if (parts.size() != 2) {
    return fail(
        usage_fault("--account takes ACCOUNT=AMOUNT such as alice=100CC; \"" + text + "\" came"));
  }
  const AccountId account = TALLY_TRY(session.account(parts[0]));
  const Balance balance = TALLY_TRY(amount(parts[1]));
  return Json{{"account", to_ss58(account)}, {"balance", to_decimal(balance.micro) + " uCC"}};
}

constexpr u128 kBond = 10'000;  // in CC, of a validator for which none is given

CliResult<Json> validator(Session& session, const std::string& text) {
  const auto parts = split(text, ':');
  if (parts.size() != 3 && parts.size() != 4) {
    return fail(usage_fault("--validator takes CONSENSUS_KEY:VRF_KEY:ACCOUNT[:BOND]; \"" + text +
                            "\" came"));
  }
  const AccountId account = TALLY_TRY(session.account(parts[2]));
  const auto bond = parts.size() == 4 ? parse_decimal(parts[3]) : std::optional<u128>(kBond);
  if (!bond || *bond > ~std::uint64_t{0}) {
    return fail(
        usage_fault("a validator's bond is a whole number of CC; \"" + parts[3] + "\" came"));
  }
  return Json{{"consensus_key", parts[0]},
              {"vrf_key", parts[1]},
              {"account", to_ss58(account)},
              {"weight", static_cast<std::uint64_t>(*bond)}};
}

CliResult<Json> accounts(Session& session, const std::vector<std::string>& given) {
  Json out = Json::array();
  for (const std::string& one : given) out.push_back(to_ss58(TALLY_TRY(session.account(one))));
  return out;
}

CliResult<void> edit_council(Session& session, const BuildOptions& options, Json& json) {
  if (!options.council.empty()) {
    const std::uint64_t most = options.council.size() / 2 + 1;
    json["council"]["members"] = TALLY_TRY(accounts(session, options.council));
    json["council"]["threshold"] =
        options.council_threshold == 0 ? most : options.council_threshold;
  } else if (options.council_threshold != 0) {
    json["council"]["threshold"] = options.council_threshold;
  }
  if (!options.attesters.empty()) {
    json["attesters"] = TALLY_TRY(accounts(session, options.attesters));
  }
  return {};
}

// A real network has nothing that could be taken from a preset.
CliResult<void> check_main(const BuildOptions& options) {
  std::string missing;
  const auto want = [&](bool given, std::string_view option) {
    if (!given) missing += " " + std::string(option);
  };
  want(!options.chain_id.empty(), "--chain-id");
  want(!options.name.empty(), "--name");
  want(options.genesis_time != 0, "--genesis-time");
  want(!options.validators.empty(), "--validator");
  want(!options.accounts.empty(), "--account");
  if (missing.empty()) return {};
  return fail(usage_fault("--base main leaves open what is yours to say; missing:" + missing));
}

// The base's file with what the options change.
CliResult<Json> edited(Session& session, const BuildOptions& options) {
  const bool is_main = options.base == "main";
  if (is_main) TALLY_TRY(check_main(options));
  const auto text =
      is_main ? std::optional(genesis::main_base_json()) : genesis::preset_json(options.base);
  if (!text) {
    return fail(usage_fault("--base is main, or a preset: dev, local4 or bench; \"" + options.base +
                            "\" came"));
  }
  Json json = Json::parse(*text);
  if (!options.chain_id.empty()) json["chain_id"] = options.chain_id;
  if (!options.name.empty()) json["name"] = options.name;
  if (options.genesis_time != 0) json["genesis_time"] = options.genesis_time;
  if (!options.validators.empty()) json["validators"] = Json::array();
  for (const std::string& given : options.validators) {
    json["validators"].push_back(TALLY_TRY(validator(session, given)));
  }
  for (const std::string& given : options.accounts) {
    json["accounts"].push_back(TALLY_TRY(endowment(session, given)));
  }
  TALLY_TRY(edit_council(session, options, json));
  return json;
}

CliResult<void> build(Session& session, const BuildOptions& options) {
  const Json json = TALLY_TRY(edited(session, options));
  const std::string text = json.dump(2) + "\n";
  const auto spec = genesis::parse_chain_spec(text);
  if (!spec.ok()) return fail(Fault{Exit::usage, "bad_chain_spec", spec.error().message});
  Json result = summary(*spec, genesis::build_genesis(*spec));
  if (!options.out.empty()) {
    std::ofstream file(options.out, std::ios::trunc);
    file << text;
    file.close();
    if (!file) return fail(Fault{Exit::failure, "file", "cannot write " + options.out});
    result["file"] = options.out;
  }
  session.show(result, sheet_of(result));
  return {};
}

}  // namespace

void add_genesis(CLI::App& app, Session& session) {
  CLI::App* genesis = app.add_subcommand("genesis", "Chain specs and the genesis they make");
  genesis->require_subcommand(1);

  CLI::App* show = genesis->add_subcommand("show", "Genesis hash, state root and who validates");
  show->footer(
      "Examples:\n  tally --chain local4 genesis show\n"
      "  tally --chain my-chain.json genesis show --json");
  show->callback([&session] { session.command = [&session] { return show_spec(session); }; });

  auto options = std::make_shared<BuildOptions>();
  CLI::App* make = genesis->add_subcommand("build", "Make a chain spec");
  make->add_option("--base", options->base,
                   "main: the numbers of a real network, and nobody's accounts; or a preset, with "
                   "keys and accounts that everybody has: dev, local4, bench")
      ->capture_default_str();
  make->add_option("--out", options->out, "write the chain spec here");
  make->add_option("--chain-id", options->chain_id, "unique, lower case");
  make->add_option("--name", options->name, "for people");
  make->add_option("--genesis-time", options->genesis_time,
                   "when the chain starts, in milliseconds since 1970");
  make->add_option("--account", options->accounts, "ACCOUNT=AMOUNT, beside those of the base");
  make->add_option(
      "--validator", options->validators,
      "CONSENSUS_KEY:VRF_KEY:ACCOUNT[:BOND], instead of the base's validators; the bond "
      "in whole CC (10000) comes out of what the account is given");
  make->add_option("--council", options->council,
                   "accounts that can slash workers, instead of the base's");
  make->add_option("--council-threshold", options->council_threshold,
                   "how many of them must agree (more than half)");
  make->add_option("--attester", options->attesters,
                   "accounts that attest checkpoints, instead of the base's");
  make->footer(
      "Example:\n  tally genesis build --base local4 --chain-id my-chain --name Mine \\\n"
      "    --account alice=1000CC --out my-chain.json\n"
      "  tally genesis build --base main --chain-id real --name Real \\\n"
      "    --genesis-time 1800000000000 --validator KEY:KEY:ACCOUNT … --account ACCOUNT=20000CC … "
      "\\\n    --council ACCOUNT … --out real.json\n"
      "  tallyd --chain my-chain.json …   and   tally --chain my-chain.json chain status");
  make->callback([&session, options] {
    session.command = [&session, options] { return build(session, *options); };
  });
}

}  // namespace tally::cli
