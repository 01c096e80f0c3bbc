#include <catch2/catch.hpp>

#include "genesis/build.hpp"
#include "genesis/dev_keys.hpp"
#include "genesis/json.hpp"
#include "genesis/live.hpp"
#include "modules/credits/api.hpp"
#include "modules/credits/invariants.hpp"
#include "primitives/ss58.hpp"
#include "runtime/invariants.hpp"

namespace tally::genesis {
namespace {

// A preset's genesis is a promise to everybody who runs it: a change here is a new chain.
struct Golden {
  std::string_view preset;
  std::string_view state_root;
  std::string_view hash;
};
constexpr Golden kGolden[] = {
    {"dev", "9e2c85e6787f3f9e9c79e5d02a56457dd27c24b242afe72fb1c2d9c00608c79c",
     "442b31d5c5768ddc347b5c2fc12f7394b3d996aea1d19b351407d195be19fe00"},
    {"local4", "d7ea158e7d272e79f09212da620161ab53855b3e50ccedd65a289df9bdef54ed",
     "bfaeb12f9f2e3fe4507e6f4c2a577548b203dad01b59a7f8e7c08066d9e6d4c9"},
    {"bench", "136779f12eb62fb8ea21c7d31908e455d69c3fe3390858daee45ab7de5176fa6",
     "021ced1bc362d4402fea9e9f63e09ca73cce0386aff016279221f82482c5853a"},
};

TEST_CASE("the presets' genesis blocks are what they were") {
  for (const Golden& golden : kGolden) {
    CAPTURE(golden.preset);
    const auto spec = preset(golden.preset);
    REQUIRE(spec.ok());
    const Genesis genesis = build_genesis(*spec);
    CHECK(to_hex(genesis.header.state_root) == golden.state_root);
    CHECK(to_hex(genesis.hash) == golden.hash);
    CHECK(genesis.header.parent_hash.is_zero());
  }
}

TEST_CASE("a genesis state keeps every invariant") {
  const auto spec = preset("local4");
  REQUIRE(spec.ok());
  const MapState nothing;
  StateChanges changes;
  for (const auto& [key, value] : genesis_state(*spec)) changes.emplace(key, value);
  const MapState state(genesis_state(*spec));
  const auto violation =
      runtime::find_violation(ChangeView(nothing, changes), state, runtime::Configs::read(state));
  CHECK(violation.value_or("") == "");
  // 12 development accounts and the pool with 10⁶ CC each, and four bonds of 10⁴ CC
  CHECK(credits::total_issuance(state) == Balance(u128{13'040'000} * kCredit.micro));
  CHECK(credits::held_total(state, credits::HoldReason::validator_bond) ==
        Balance(u128{40'000} * kCredit.micro));
}

TEST_CASE("validators of the presets are the development keys") {
  const auto spec = preset("local4");
  REQUIRE(spec.ok());
  REQUIRE(spec->validators.size() == kDevValidators.size());
  for (std::size_t i = 0; i < kDevValidators.size(); ++i) {
    CHECK(spec->validators[i] == dev_validator(kDevValidators[i], 10'000));
  }
  for (const std::string_view name : kDevNames) {
    for (const KeyScheme scheme : {KeyScheme::ecdsa, KeyScheme::ed25519}) {
      const AccountId account = dev_key(scheme, name).account();
      const auto funded = std::any_of(spec->accounts.begin(), spec->accounts.end(),
                                      [&](const Endowment& e) { return e.account == account; });
      CHECK(funded);
    }
  }
}

std::string error_of(const std::function<void(Json&)>& change) {
  Json json = Json::parse(*preset_json("dev"));
  change(json);
  const auto spec = parse_chain_spec(json.dump());
  return spec.ok() ? "accepted" : spec.error().message;
}

TEST_CASE("a spec is read strictly, and an error names the field") {
  CHECK(error_of([](Json&) {}) == "accepted");
  CHECK(error_of([](Json& j) { j["blocks"].erase("idle_interval"); }) ==
        "blocks.idle_interval: expected this field, got none; add it");
  CHECK_THAT(error_of([](Json& j) { j["credits"]["fee_bse"] = 1; }),
             Catch::StartsWith("credits.fee_bse: no such field; the fields here are"));
  CHECK(error_of([](Json& j) { j["validators"][0]["weight"] = "ten"; }) ==
        "validators[0].weight: expected an integer from 0 to 18446744073709551615, got \"ten\"");
  CHECK_THAT(error_of([](Json& j) { j["blocks"]["block_bytes_max"] = -1; }),
             Catch::Contains("got -1"));
  CHECK_THAT(error_of([](Json& j) { j["blocks"]["operational_percent"] = 256; }),
             Catch::Contains("expected an integer from 0 to 255, got 256"));
  CHECK_THAT(error_of([](Json& j) { j["consensus"]["epoch_length"] = 1.5; }),
             Catch::Contains("got 1.5"));
  CHECK_THAT(error_of([](Json& j) { j["reward_pool"] = "10"; }),
             Catch::Contains("expected an amount and a unit"));
  CHECK_THAT(error_of([](Json& j) { j["consensus"]["delta"] = "300"; }),
             Catch::Contains("expected a number and a unit (ms s min h d)"));
  CHECK_THAT(error_of([](Json& j) { j["accounts"][0]["account"] = "5Grw"; }),
             Catch::StartsWith("accounts[0].account: expected an account"));
  CHECK_THAT(error_of([](Json& j) { j["validators"][0]["vrf_key"] = "0x12"; }),
             Catch::Contains("0x and 64 digits"));
}

TEST_CASE("a spec without meaning is refused") {
  CHECK_THAT(error_of([](Json& j) { j["validators"] = Json::array(); }),
             Catch::StartsWith("validators: not a validator set (empty)"));
  CHECK_THAT(error_of([](Json& j) { j["accounts"].push_back(j["accounts"][0]); }),
             Catch::Contains("stands twice"));
  CHECK_THAT(error_of([](Json& j) { j["accounts"][0]["balance"] = "1 uCC"; }),
             Catch::Contains("expected at least the existential deposit"));
  CHECK_THAT(error_of([](Json& j) { j["consensus"]["epoch_length"] = 0; }),
             Catch::StartsWith("consensus.epoch_length"));
  CHECK_THAT(error_of([](Json& j) { j["workers"]["slash_percent"]["spam"] = 101; }),
             Catch::StartsWith("workers.slash_percent"));
  CHECK_THAT(error_of([](Json& j) { j["workers"]["reward_percent_max"] = 100; }),
             Catch::StartsWith("workers.reward_percent_max"));
  CHECK_THAT(error_of([](Json& j) { j["workers"]["delegators_max"] = 257; }),
             Catch::StartsWith("workers.delegators_max"));
  CHECK_THAT(error_of([](Json& j) { j["storage_registry"]["checkpoints_max"] = 1'025; }),
             Catch::StartsWith("storage_registry.checkpoints_max: expected at most 1024"));
  CHECK_THAT(error_of([](Json& j) { j["attesters"].push_back(j["attesters"][0]); }),
             Catch::StartsWith("attesters: an account stands twice"));
  CHECK_THAT(error_of([](Json& j) { j["council"]["threshold"] = 4; }),
             Catch::StartsWith("council.threshold"));
  CHECK_THAT(error_of([](Json& j) { j["council"]["members"][1] = j["council"]["members"][0]; }),
             Catch::StartsWith("council.members"));
  CHECK_THAT(error_of([](Json& j) { j["consensus"]["validators_max"] = 0; }),
             Catch::StartsWith("consensus.validators_max"));
  CHECK_THAT(error_of([](Json& j) { j["consensus"]["bond_min"] = "1 uCC"; }),
             Catch::StartsWith("consensus.bond_min"));
  CHECK_THAT(
      error_of([](Json& j) { j["validators"][0]["weight"] = 999; }),
      Catch::StartsWith("validators[0].weight: the bond in whole CC; expected at least 1000"));
  CHECK_THAT(error_of([](Json& j) { j["accounts"][0]["balance"] = "10000 CC"; }),
             Catch::StartsWith("validators[0].account: expected an account of accounts[]"));
  CHECK_THAT(error_of([](Json& j) { j["blocks"]["operational_percent"] = 100; }),
             Catch::StartsWith("blocks.operational_percent"));
}

ChainSpec live_chain() {
  Json json = Json::parse(main_base_json());
  json["chain_id"] = "real";
  Validator validator = dev_validator("Somebody", 10'000);
  json["validators"] = {{{"consensus_key", "0x" + to_hex(validator.consensus_key)},
                         {"vrf_key", "0x" + to_hex(validator.vrf_key)},
                         {"account", to_ss58(validator.account)},
                         {"weight", 10'000}}};
  json["accounts"] = {{{"account", to_ss58(validator.account)}, {"balance", "20000 CC"}}};
  const auto spec = parse_chain_spec(json.dump());
  REQUIRE(spec.ok());
  return *spec;
}

TEST_CASE("the base of a real network has the numbers of one, and nobody in it") {
  CHECK(parse_chain_spec(main_base_json()).error().message ==
        "chain_id: expected a name, got an empty text");
  const ChainSpec spec = live_chain();
  CHECK(spec.consensus == validators::main_config());
  CHECK(spec.channels == channels::main_config());
  CHECK(spec.workers == workers::main_config());
  CHECK(spec.disputes == disputes::main_config());
  CHECK(spec.storage_registry == storage_registry::main_config());
  CHECK(spec.blocks.idle_interval == DurationMs(6'000));
  CHECK(spec.credits.fee_base == Balance(10 * kMilliCredit.micro));
  CHECK(unfit_for_live(spec).empty());
}

TEST_CASE("what a live chain should not have is said, each thing by its field") {
  ChainSpec spec = *preset("local4");
  CHECK(unfit_for_live(spec).empty());
  spec.chain_type = "Live";
  const auto all = unfit_for_live(spec);
  const auto says = [&](const std::string& text) {
    return std::any_of(all.begin(), all.end(),
                       [&](const std::string& one) { return one.find(text) != std::string::npos; });
  };
  CHECK(says("//Alice: accounts, validators, council, attesters"));
  CHECK(says("//Ferdie: accounts"));
  CHECK(says("consensus.unbonding is 60 s; a live chain wants 7 days"));
  CHECK(says("disputes.window is 10 s; a live chain wants 1800 s"));
  // The keys of //Alice for the account of somebody else: whoever knows them votes.
  spec = live_chain();
  spec.validators[0].consensus_key = dev_validator("Alice", 1).consensus_key;
  CHECK(unfit_for_live(spec) ==
        std::vector<std::string>{"everybody has the key of //Alice: validators"});
  spec = live_chain();
  REQUIRE(spec.attesters.push_back(dev_key(KeyScheme::ed25519, "Bob").account()));
  CHECK(unfit_for_live(spec) ==
        std::vector<std::string>{"everybody has the key of //Bob: attesters"});
}

TEST_CASE("text that is not JSON, or says a field twice, is refused") {
  CHECK_THAT(parse_chain_spec("{").error().message, Catch::StartsWith("not JSON"));
  CHECK_THAT(parse_chain_spec(R"({"a":1,"a":2})").error().message, Catch::Contains("stands twice"));
  CHECK_THAT(parse_chain_spec(R"({"a":10e19480})").error().message, Catch::Contains("10e19480"));
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  CHECK_THAT(parse_chain_spec(deep).error().message, Catch::Contains("at most 64"));
  CHECK_THAT(preset("mainnet").error().message, Catch::Contains("dev local4 bench"));
}

TEST_CASE("bench accounts are funded") {
  const auto spec = preset("bench");
  REQUIRE(spec.ok());
  const MapState state(genesis_state(*spec));
  const BenchKeys keys;
  CHECK(credits::free_balance(state, keys.key(0).account()) == spec->bench_accounts.balance);
  CHECK(credits::free_balance(state, keys.key(9'999).account()) == spec->bench_accounts.balance);
  CHECK(credits::free_balance(state, keys.key(10'000).account()).is_zero());
}

}  // namespace
}  // namespace tally::genesis
