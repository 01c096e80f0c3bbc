// tally genesis: chain specs and what follows from them.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "genesis/build.hpp"
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
              {"epoch_blocks", spec.consensus.epoch_length}};
}

Sheet sheet_of(const Json& summary) {
  Sheet sheet;
  for (const auto& [name, value] : summary.items()) {
    std::string label = name;
    std::replace(label.begin(), label.end(), '_', ' ');
    sheet.emplace_back(label, value.is_string() ? value.get<std::string>() : value.dump());
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

// The base preset's file with what the options change.
CliResult<Json> edited(Session& session, const BuildOptions& options) {
  const auto text = genesis::preset_json(options.base);
  if (!text) {
    return fail(
        usage_fault("--base names a preset: dev, local4 or bench; \"" + options.base + "\" came"));
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
  CLI::App* make = genesis->add_subcommand("build", "Make a chain spec from a preset");
  make->add_option("--base", options->base, "preset to start from")->capture_default_str();
  make->add_option("--out", options->out, "write the chain spec here");
  make->add_option("--chain-id", options->chain_id, "unique, lower case");
  make->add_option("--name", options->name, "for people");
  make->add_option("--genesis-time", options->genesis_time, "milliseconds since 1970");
  make->add_option("--account", options->accounts, "ACCOUNT=AMOUNT, beside the preset's accounts");
  make->add_option(
      "--validator", options->validators,
      "CONSENSUS_KEY:VRF_KEY:ACCOUNT[:BOND], instead of the preset's validators; the bond "
      "in whole CC (10000) comes out of what the account is given");
  make->footer(
      "Example:\n  tally genesis build --base local4 --chain-id my-chain --name Mine \\\n"
      "    --account alice=1000CC --out my-chain.json\n"
      "  tallyd --chain my-chain.json …   and   tally --chain my-chain.json chain status");
  make->callback([&session, options] {
    session.command = [&session, options] { return build(session, *options); };
  });
}

}  // namespace tally::cli
