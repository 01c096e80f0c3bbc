#include <catch2/catch.hpp>

#include "modules/validators/genesis.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::validators {
namespace {

ValidatorSet one_validator() {
  Validator validator;
  validator.consensus_key.bytes.fill(1);
  validator.vrf_key.bytes.fill(2);
  validator.weight = 5;
  ValidatorSet set;
  REQUIRE(set.members.push_back(validator));
  return set;
}

TEST_CASE("epochs follow each other, and their last block names the set") {
  Config config;
  config.epoch_length = 3;
  MapState state;
  {
    Overlay overlay(state);
    write_genesis(overlay, config, one_validator(), "test");
    const StateChanges changes = overlay.changes();
    state.apply(changes);
  }
  ConfigSet configs;
  configs.set(config);
  Hash beacon_now = genesis_beacon("test");
  CHECK(epoch_info(state) == EpochInfo{Epoch(1), BlockNumber(1), beacon_now});
  for (std::uint32_t number = 1; number <= 7; ++number) {
    VrfOutput output;
    output.bytes.fill(static_cast<std::uint8_t>(number));
    BlockContext block;
    block.number = BlockNumber(number);
    block.beacon = fold_beacon(beacon(state), output);
    CHECK(block.beacon != beacon_now);
    beacon_now = block.beacon;
    Overlay overlay(state);
    EventSink events;
    Context ctx{overlay, block, events, configs};
    on_block_start(ctx);
    const auto named = on_block_end(ctx);
    const bool last = number % 3 == 0;
    CHECK(named.has_value() == last);
    if (named) CHECK(*named == one_validator());
    CHECK(events.count() == (last ? 1u : 0u));
    const StateChanges changes = overlay.changes();
    state.apply(changes);
    CHECK(beacon(state) == beacon_now);
    CHECK(epoch_info(state).epoch == Epoch(1 + number / 3));
    if (last)
      CHECK(epoch_info(state) ==
            EpochInfo{Epoch(1 + number / 3), BlockNumber(number + 1), beacon_now});
  }
}

TEST_CASE("the beacon is the hash of tag, beacon and output") {
  Hash before;
  before.bytes.fill(9);
  VrfOutput output;
  output.bytes.fill(8);
  Bytes all = domain_tag("beacon");
  append(all, before);
  append(all, output);
  CHECK(fold_beacon(before, output) == blake2_256(all));
  CHECK(genesis_beacon("a") != genesis_beacon("b"));
}

}  // namespace
}  // namespace tally::validators
