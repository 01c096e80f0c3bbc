// The chain spec: everything that makes one chain different from another, as one JSON file. Genesis
// follows from it alone: nodes with one genesis hash agree on all that the rules of the chain read.
//
//   ChainSpec spec = TALLY_TRY(parse_chain_spec(text));      // strict, see json.hpp
//   ChainSpec dev = TALLY_TRY(preset("dev"));
//   Genesis genesis = build_genesis(spec);                    // build.hpp
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "modules/channels/config.hpp"
#include "modules/credits/config.hpp"
#include "modules/disputes/config.hpp"
#include "modules/storage_registry/config.hpp"
#include "modules/storage_registry/types.hpp"
#include "modules/system/config.hpp"
#include "modules/validators/config.hpp"
#include "modules/workers/config.hpp"
#include "modules/workers/types.hpp"
#include "primitives/finality/validator_set.hpp"
#include "primitives/result.hpp"

namespace tally::genesis {

struct Endowment {
  AccountId account;
  Balance balance;
  friend bool operator==(const Endowment&, const Endowment&) = default;
};
TALLY_DESCRIBE(Endowment, account, balance);

// Accounts //Bench//0, //Bench//1, … (ECDSA, development phrase), for load tests.
struct BenchAccounts {
  std::uint32_t count{};
  Balance balance;  // of each
  friend bool operator==(const BenchAccounts&, const BenchAccounts&) = default;
};
TALLY_DESCRIBE(BenchAccounts, count, balance);

struct ChainSpec {
  std::string chain_id;    // lower case, unique: "tallystick-dev"
  std::string name;        // for people
  std::string chain_type;  // "Development", "Local" or "Live"
  TimestampMs genesis_time;
  system::Config blocks;
  validators::Config consensus;
  credits::Config credits;
  channels::Config channels;
  workers::Config workers;
  workers::Council council;
  disputes::Config disputes;
  storage_registry::Config storage_registry;
  storage_registry::Attesters attesters;  // of checkpoints
  // Of epochs 1 and 2. The weight is the bond in whole CC, out of the account's endowment.
  std::vector<Validator> validators;
  Balance reward_pool;
  std::vector<Endowment> accounts;
  BenchAccounts bench_accounts;
  friend bool operator==(const ChainSpec&, const ChainSpec&) = default;
};
TALLY_DESCRIBE(ChainSpec, chain_id, name, chain_type, genesis_time, blocks, consensus, credits,
               channels, workers, council, disputes, storage_registry, attesters, validators,
               reward_pool, accounts, bench_accounts);

constexpr std::string_view kTokenSymbol = "CC";
constexpr std::uint32_t kTokenDecimals = 6;

// Form and meaning: a spec that this accepts has a genesis.
Result<ChainSpec, Error> parse_chain_spec(std::string_view json_text);
// What makes a spec meaningless although it reads well: no validators, an account twice, …
Result<void, Error> check_chain_spec(const ChainSpec& spec);

// The presets: dev, local4, bench. Nothing for another name.
std::vector<std::string_view> preset_names();
std::optional<std::string_view> preset_json(std::string_view name);
Result<ChainSpec, Error> preset(std::string_view name);
// The numbers of a real network, to which its validators, accounts and council are still to be
// added.
std::string_view main_base_json();

}  // namespace tally::genesis
