// Lives of channels from fixed seeds, and from fresh ones that are printed. A seed that fails goes
// into the test below.
//
// Broken on purpose, one at a time; each was found within the fixed seeds:
//   - modules/channels/rules.cpp, proves_more() true for every proposer (no acked rule): honest
//     payers that ran ahead are named cheaters;
//   - party.cpp, table: Offer and Pay admitted in `ending`: a party that claimed goes on signing
//     and is named a cheater;
//   - party_update.cpp, no own_balance_falls: a malicious peer is given money;
//   - party_end.cpp, refute_or_close() that does nothing: old states stand.
#include <catch2/catch.hpp>
#include <iostream>

#include "tests/channel_sim/sim.hpp"

namespace tally::channel_sim {
namespace {

using channels::Side;

void lives(const SimOptions& shape, std::uint64_t first_seed, std::size_t count) {
  for (std::uint64_t seed = first_seed; seed < first_seed + count; ++seed) {
    SimOptions options = shape;
    options.seed = seed;
    const auto found = Simulation(options).run();
    if (found) FAIL(*found);
  }
  SUCCEED();
}

SimOptions shape(std::optional<Side> malicious, std::optional<Side> restores) {
  SimOptions out;
  out.malicious = malicious;
  out.restores = restores;
  return out;
}

constexpr std::size_t kFixed = 60;
constexpr std::size_t kFresh = 20;

}  // namespace

TEST_CASE("two honest parties") {
  lives(shape({}, {}), 1, kFixed);
}
TEST_CASE("an opener that cheats") {
  lives(shape(Side::a, {}), 1'001, kFixed);
}
TEST_CASE("a counterparty that cheats") {
  lives(shape(Side::b, {}), 2'001, kFixed);
}
TEST_CASE("an opener that comes back from an old backup") {
  lives(shape({}, Side::a), 3'001, kFixed);
}
TEST_CASE("a counterparty that comes back from an old backup") {
  lives(shape({}, Side::b), 4'001, kFixed);
}

// Fails when a party that claims signs a close while a splice that it signed may still be included.
TEST_CASE("seeds that failed once") {
  lives(shape(Side::a, {}), 31'278'982'923'946, 1);
}

TEST_CASE("lives from fresh seeds") {
  const std::uint64_t seed = (std::uint64_t{std::random_device{}()} << 16) + 100'000;
  std::cout << "fresh channel seeds from " << seed << "\n";
  lives(shape({}, {}), seed, kFresh);
  lives(shape(Side::a, {}), seed, kFresh);
  lives(shape(Side::b, {}), seed, kFresh);
  lives(shape({}, Side::a), seed, kFresh);
  lives(shape({}, Side::b), seed, kFresh);
}

}  // namespace tally::channel_sim
