// A validator that signs twice, with real processes: what the others see themselves, and what a
// stranger brings.
#include <algorithm>

#include "modules/validators/storage.hpp"
#include "primitives/finality/evidence.hpp"
#include "tests/e2e/own_chain.hpp"

using namespace tally;
using namespace tally::tests;

namespace {

constexpr std::uint64_t kBondMicro = 10'000'000'000;

std::uint64_t micro(const Json& text) {
  return std::stoull(text.get<std::string>());
}

// Evidence counts for a minute after its epoch, however slow the machine is.
void edit_unbonding(Json& spec) {
  spec["consensus"]["unbonding"] = "60 s";
}

// Two Finalize of different blocks in one view of this epoch, signed with //Dave's keys.
void write_offence(const std::string& file, client::ChainClient& chain) {
  const auto keys = *keystore::dev_validator_keys("//Dave");
  const auto epoch = chain.read_item(validators::kEpoch);
  REQUIRE((epoch.ok() && epoch->has_value()));
  const auto stored = chain.read_item(validators::kSets, (*epoch)->epoch);
  REQUIRE((stored.ok() && stored->has_value()));
  const ValidatorSet& set = (*stored)->set;
  std::uint16_t place = 0;
  while (place < set.size() &&
         set.at(ValidatorIndex(place)).consensus_key != keys.consensus_key()) {
    ++place;
  }
  Evidence evidence;
  std::uint8_t block = 1;
  for (Vote* vote : {&evidence.first, &evidence.second}) {
    vote->statement = {(*epoch)->epoch, VoteKind::finalize, View(3), {}};
    vote->statement.hash.bytes[0] = block++;
    vote->signer = ValidatorIndex(place);
    vote->signature =
        ed25519_sign(keys.consensus, statement_bytes(chain.root().genesis_hash, vote->statement));
  }
  const Bytes bytes = encode(evidence);
  std::ofstream(file, std::ios::binary) << as_text(bytes);
}

}  // namespace

TEST_CASE("a stranger convicts a validator of what it signed twice, and only once") {
  OwnChain chain({.downtime_views_min = 1'000, .keys = {}, .edit = edit_unbonding});
  chain.cluster.start_validators();
  REQUIRE(chain.cluster.reaches(1, 1));
  const std::string file = chain.path("offence.scale");
  write_offence(file, *chain.cluster.client(1));

  const std::uint64_t before = micro(chain.done({"account", "//Eve"})["total"]);
  const Json told = chain.done({"validator", "report", "--as", "//Eve", file});
  CHECK(told["offence"]["kind"] == "two_finalize");
  CHECK(told["validator"] == to_ss58(dev_key(KeyScheme::ecdsa, "Dave").account()));
  CHECK(micro(told["reward"]) == kBondMicro / 10);
  CHECK(micro(told["burned"]) == kBondMicro - kBondMicro / 10);
  const std::uint64_t after = micro(chain.done({"account", "//Eve"})["total"]);
  CHECK(after == before + kBondMicro / 10 - micro(told["fee"]));
  CHECK(chain.done({"account", "//Dave"})["reserved"] == "0");
  // It stays in the sets that are named, without a bond, and is in none after them.
  const Json dave = chain.validator("Dave");
  CHECK((dave.is_null() || (dave["standing"] == "convicted" && dave["bonded"] == "0")));

  const Answer again = chain.tally({"validator", "report", "--as", "//Ferdie", file});
  CHECK(again.exit_code == 4);
  CHECK(again.json["error"]["code"] == "Validators.already_reported");
  CHECK(again.json["error"]["message"].get<std::string>().find("proved already") !=
        std::string::npos);
  const Answer nothing =
      chain.tally({"validator", "report", "--as", "//Eve", chain.path("node1.log")});
  CHECK(nothing.exit_code == 2);

  REQUIRE(eventually(2 * kPatience, [&] { return chain.validator("Dave").is_null(); }));
  CHECK(chain.done({"validator", "list"})["members"] == 3);
  CHECK(chain.goes_on(1, 2));
}

TEST_CASE("two nodes with one validator's keys: the others convict it by themselves") {
  const KeyFolder twice;
  OwnChain chain(
      {.downtime_views_min = 1'000, .keys = {{3, twice.keys()}}, .edit = edit_unbonding});
  // The same keys on two data folders, each of which knows only what it signed itself, and neither
  // of which looks for the other.
  std::vector<std::string> careless = twice.options();
  careless.insert(careless.end(), {"--start-up-guard", "false"});
  for (const std::size_t i : {3u, 4u}) chain.cluster.set_identity(i, careless);
  for (std::size_t i = 0; i < 5; ++i) chain.cluster.start(i);
  REQUIRE(chain.cluster.reaches(1, 1));
  REQUIRE(eventually(2 * kPatience, [&] {
    const Json dave = chain.validator("Dave");
    return dave.is_null() || dave["standing"] == "convicted";
  }));
  CHECK(chain.done({"account", "//Dave"})["reserved"] == "0");
  // One of the honest ones got a tenth of the bond for it; a half of the fees is far less.
  std::uint64_t most = 0;
  for (const char* name : {"//Alice", "//Bob", "//Charlie"}) {
    most = std::max(most, micro(chain.done({"account", name})["free"]));
  }
  CHECK(most > 1'000'000'000'000 + kBondMicro / 20);
  REQUIRE(eventually(2 * kPatience, [&] { return chain.validator("Dave").is_null(); }));
  CHECK(chain.goes_on(1, 4));

  // A node keeps what it saw as a file, which is worth nothing a second time.
  std::string file;
  for (std::size_t i = 0; i < 3 && file.empty(); ++i) {
    const std::string folder = chain.path("node" + std::to_string(i) + "/evidence");
    if (!std::filesystem::exists(folder)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) file = entry.path();
  }
  REQUIRE_FALSE(file.empty());
  const Answer again = chain.tally({"validator", "report", "--as", "//Eve", file});
  INFO(again.json.dump(2));
  CHECK(again.exit_code == 4);
}
