#include <catch2/catch.hpp>

#include "genesis/build.hpp"
#include "genesis/dev_keys.hpp"
#include "genesis/json.hpp"
#include "modules/credits/api.hpp"
#include "modules/credits/invariants.hpp"
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
    {"dev", "25a6c0056cbea7f84aba70dbadd8bf8c05b24fd2467d3d330da19e42358740b8",
     "403dbc16a109565d95db3b043c974a45d225603886db6fa3f9e36f689f12631b"},
    {"local4", "b1b1e69255d7db205e45b1eea91ea60629cb8b6c6944f58864e21ed7561b0557",
     "12ee2f3b82eec53a9f4d029c806564ed7ff527fcb3d4adae016608a0ee099acf"},
    {"bench", "75a95bac5683425e9b6be8b6fa748a7422bf345013e727fdb3807c316d69ee5e",
     "811e210e38fca92d6ee1dc3d2ea114ff9a7ec25580b49e2762a6713c62f12a2d"},
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

TEST_CASE("text that is not JSON, or says a field twice, is refused") {
  CHECK_THAT(parse_chain_spec("{").error().message, Catch::StartsWith("not JSON"));
  CHECK_THAT(parse_chain_spec(R"({"a":1,"a":2})").error().message, Catch::Contains("stands twice"));
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
