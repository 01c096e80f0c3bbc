#include <catch2/catch.hpp>

#include "modules/system/api.hpp"
#include "modules/system/genesis.hpp"

namespace tally::system {
namespace {

Config test_config() {
  Config config;
  config.min_block_interval = DurationMs(100);
  config.idle_interval = DurationMs(2'000);
  config.block_weight = Weight(1'000);
  config.operational_percent = 25;
  config.block_bytes_max = 1'000;
  config.extrinsic_bytes_max = 500;
  return config;
}

Hash hash_of(std::uint32_t number) {
  Hash hash;
  std::memcpy(hash.bytes.data(), &number, sizeof(number));
  hash.bytes[31] = 1;
  return hash;
}

class Chain {
 public:
  Chain() {
    Overlay overlay(state_);
    write_genesis(overlay, config_, TimestampMs(1'000'000));
    state_.apply(overlay.changes());
  }
  void block(TimestampMs header_time, LaneUse use = {}) {
    Overlay overlay(state_);
    BlockContext block;
    const BlockNumber parent = block_number(state_);
    block.number = parent.next();
    block.parent_hash = hash_of(parent.value);
    block.header_time = header_time;
    block.time = next_chain_time(state_, config_, header_time);
    EventSink events;
    ConfigSet configs;
    configs.set(config_);
    Context ctx{overlay, block, events, configs};
    on_block_start(ctx);
    on_block_end(ctx, use);
    state_.apply(overlay.changes());
  }
  const MapState& state() const { return state_; }
  Parent parent() const { return {state_, hash_of(block_number(state_).value)}; }

 private:
  Config config_ = test_config();
  MapState state_;
};

TEST_CASE("chain time follows the headers, but never by more than two idle intervals") {
  Chain chain;
  CHECK(kChainTime.get(chain.state()) == TimestampMs(1'000'000));
  chain.block(TimestampMs(1'000'500));
  CHECK(kChainTime.get(chain.state()) == TimestampMs(1'000'500));
  chain.block(TimestampMs(1'004'500));
  CHECK(kChainTime.get(chain.state()) == TimestampMs(1'004'500));
  chain.block(TimestampMs(9'000'000));
  CHECK(kChainTime.get(chain.state()) == TimestampMs(1'008'500));
  CHECK(kHeaderTime.get(chain.state()) == TimestampMs(9'000'000));
  chain.block(TimestampMs(9'000'001));
  CHECK(kChainTime.get(chain.state()) == TimestampMs(1'008'501));
}

TEST_CASE("the newest block hashes are known, older ones are not, genesis always is") {
  Chain chain;
  CHECK(genesis_hash(chain.parent()) == hash_of(0));
  for (std::uint32_t i = 1; i <= kBlockHashCount + 3; ++i) {
    chain.block(TimestampMs(1'000'000 + i * 100));
  }
  const std::uint32_t newest = kBlockHashCount + 3;
  const Parent parent = chain.parent();
  CHECK(block_hash(parent, BlockNumber(newest)) == hash_of(newest));
  CHECK(block_hash(parent, BlockNumber(newest - 1)) == hash_of(newest - 1));
  CHECK(block_hash(parent, BlockNumber(newest - kBlockHashCount)) ==
        hash_of(newest - kBlockHashCount));
  CHECK_FALSE(block_hash(parent, BlockNumber(newest - kBlockHashCount - 1)).has_value());
  CHECK_FALSE(block_hash(parent, BlockNumber(newest + 1)).has_value());
  CHECK(genesis_hash(parent) == hash_of(0));
}

LaneUsage usage_of(std::uint64_t used, std::uint64_t capacity) {
  return *LaneUsage::from({{0, Weight(used), Weight(capacity)}});
}

TEST_CASE("periods stretch when the lane was over half used, at most four times") {
  CHECK(period_stretch(LaneUsage{}) == PeriodStretch(1'000));
  CHECK(period_stretch(usage_of(0, 100)) == PeriodStretch(1'000));
  CHECK(period_stretch(usage_of(50, 100)) == PeriodStretch(1'000));
  CHECK(period_stretch(usage_of(51, 100)) == PeriodStretch(1'060));
  CHECK(period_stretch(usage_of(75, 100)) == PeriodStretch(2'500));
  CHECK(period_stretch(usage_of(100, 100)) == PeriodStretch(4'000));
}

TEST_CASE("the lane's use counts for an hour") {
  Chain chain;
  std::uint64_t now = 1'000'000;
  const auto minute = [&](LaneUse use) {
    for (int i = 0; i < 20; ++i) chain.block(TimestampMs(now += 3'000), use);
  };
  minute({Weight(500), Weight(250)});  // more than the lane counts as all of it
  CHECK(period_stretch(kLaneUsage.get(chain.state())) == PeriodStretch(4'000));
  for (int i = 0; i < 59; ++i) minute({Weight(0), Weight(250)});
  CHECK(kLaneUsage.get(chain.state()).begin()->used.value > 0);
  for (int i = 0; i < 3; ++i) minute({Weight(0), Weight(250)});
  const LaneUsage usage = kLaneUsage.get(chain.state());
  CHECK(usage.size() <= kLaneBuckets);
  for (const LaneBucket& bucket : usage) CHECK(bucket.used.value == 0);
}

TEST_CASE("accounts have Substrate's bytes") {
  AccountInfo info;
  info.nonce = Nonce(1);
  info.providers = 1;
  info.data.free = Balance(0x0A0B);
  CHECK(encode(info).size() == 80);
  CHECK(to_hex(encode(info)).substr(0, 48) ==
        "01000000000000000100000000000000"
        "0b0a000000000000");
}

}  // namespace
}  // namespace tally::system
