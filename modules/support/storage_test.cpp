#include "modules/support/storage.hpp"

#include <catch2/catch.hpp>

#include "modules/support/changes.hpp"
#include "modules/support/context.hpp"
#include "primitives/ids.hpp"

namespace tally {
namespace {

inline constexpr StorageValue<std::uint32_t> kValue{"System", "Number", Modifier::with_default, ""};
inline constexpr StorageMap<Blake2_128Concat, AccountId, Balance> kMap{"System", "Account",
                                                                       Modifier::with_default, ""};
inline constexpr StorageDoubleMap<Blake2_128Concat, AccountId, Twox64Concat, std::uint32_t, Balance>
    kDouble{"Credits", "Holds", Modifier::optional, ""};

TEST_CASE("prefixes at compile time are those at run time, for names of every length") {
  std::string name;
  for (int i = 0; i < 80; ++i) {
    const auto prefix = twox::storage_prefix(name, "Item");
    const auto module = twox_128(as_bytes(name));
    const auto item = twox_128(as_bytes("Item"));
    CHECK(equal(ByteView(prefix).first(16), module));
    CHECK(equal(ByteView(prefix).last(16), item));
    name.push_back(static_cast<char>('A' + i % 26));
  }
}

TEST_CASE("keys are those of Substrate's clients") {
  // System.Account and System.Events, as in tests/vectors/substrate/hashing.json.
  CHECK(to_hex(kMap.prefix) == "26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9");
  AccountId who;
  who.bytes.fill(7);
  Bytes expected = to_bytes(kDouble.prefix);
  append(expected, blake2_128(who));
  append(expected, who);
  const Bytes number{5, 0, 0, 0};
  append(expected, twox_64(number));
  append(expected, number);
  CHECK(to_bytes(kDouble.key(who, 5)) == expected);
  const auto keys = kDouble.keys_of(expected);
  REQUIRE(keys.has_value());
  CHECK(*keys == std::tuple(who, std::uint32_t{5}));
  expected.push_back(0);
  CHECK_FALSE(kDouble.keys_of(expected).has_value());
  CHECK_FALSE(kMap.keys_of(to_bytes(kDouble.key(who, 5))).has_value());
}

TEST_CASE("items are read and written by value and by entry") {
  const MapState below;
  Overlay state(below);
  AccountId who;
  CHECK(kValue.get(state) == 0);
  CHECK_FALSE(kMap.contains(state, who));
  kMap.put(state, who, Balance(9));
  auto entry = kMap.at(state, who);
  CHECK(entry.get() == Balance(9));
  entry.put(Balance(10));
  CHECK(kMap.get(static_cast<const StateReader&>(state), who) == Balance(10));
  entry.erase();
  CHECK_FALSE(entry.exists());
  CHECK(state.changes().empty());
}

TEST_CASE("a change view shows an item's entries before and after") {
  AccountId first;
  AccountId second;
  second.bytes.fill(2);
  MapState below;
  {
    Overlay state(below);
    kMap.put(state, first, Balance(1));
    kValue.put(state, 3);
    const StateChanges changes = state.changes();
    below.apply(changes);
  }
  Overlay state(below);
  kMap.erase(state, first);
  kMap.put(state, second, Balance(5));
  const StateChanges changes = state.changes();
  const ChangeView view(below, changes);
  std::map<AccountId, std::pair<std::optional<Balance>, std::optional<Balance>>> seen;
  view.for_each(kMap, [&](const auto& keys, const auto& before, const auto& after) {
    seen[std::get<0>(keys)] = {before, after};
  });
  CHECK(seen.size() == 2);
  CHECK(seen[first] == std::pair<std::optional<Balance>, std::optional<Balance>>{Balance(1), {}});
  CHECK(seen[second] == std::pair<std::optional<Balance>, std::optional<Balance>>{{}, Balance(5)});
  CHECK(view.after(kValue) == 3);
  CHECK(view.before(kMap, first) == Balance(1));
  CHECK(view.after(kMap, first) == std::nullopt);
}

struct Ping {
  static constexpr std::uint8_t kIndex = 4;
  static constexpr std::string_view kName = "Ping";
  std::uint16_t number{};
};
TALLY_DESCRIBE(Ping, number);

TEST_CASE("events are encoded as clients decode them, and a failed call takes its own back") {
  const MapState below;
  Overlay state(below);
  const BlockContext block;
  EventSink events;
  const ConfigSet configs;
  Context ctx{state, block, events, configs};
  events.set_phase(PhaseApply{2});
  events.emit(ModuleIndex::credits, Ping{0x0102});
  const DispatchResult refused = atomically(ctx, [&]() -> DispatchResult {
    kValue.put(ctx.state, 7);
    ctx.events.emit(ModuleIndex::credits, Ping{9});
    return fail(DispatchError(ErrorCannotLookup{}));
  });
  CHECK_FALSE(refused.ok());
  CHECK(kValue.get(state) == 0);
  // count, ApplyExtrinsic(2), module 1, event 4, fields, no topics
  CHECK(to_hex(events.encoded()) ==
        "04000200000001040201"
        "00");
}

TEST_CASE("dispatch errors have Substrate's bytes") {
  CHECK(to_hex(encode(DispatchError(ErrorCannotLookup{}))) == "01");
  CHECK(to_hex(encode(DispatchError(ErrorBadOrigin{}))) == "02");
  CHECK(to_hex(encode(DispatchError(ErrorModule{1, {3, 0, 0, 0}}))) == "030103000000");
  CHECK(to_hex(encode(DispatchError(ArithmeticError::overflow))) == "0801");
}

}  // namespace
}  // namespace tally
