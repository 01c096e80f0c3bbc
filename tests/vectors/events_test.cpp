#include "modules/support/events.hpp"

#include "modules/support/error.hpp"
#include "primitives/ids.hpp"
#include "tests/vectors/vectors.hpp"

namespace tally::vectors {
namespace {

// The events of the chain that the vectors were made with.
struct Transferred {
  static constexpr std::uint8_t kIndex = 0;
  AccountId from;
  AccountId to;
  Balance amount;
};
TALLY_DESCRIBE(Transferred, from, to, amount);
struct Minted {
  static constexpr std::uint8_t kIndex = 1;
  AccountId who;
  Balance amount;
};
TALLY_DESCRIBE(Minted, who, amount);
struct DispatchInfo {
  Compact<std::uint64_t> ref_time;
  Compact<std::uint64_t> proof_size;
  std::uint8_t kind{};
  std::uint8_t pays_fee{};
};
TALLY_DESCRIBE(DispatchInfo, ref_time, proof_size, kind, pays_fee);
struct ExtrinsicSuccess {
  static constexpr std::uint8_t kIndex = 0;
  DispatchInfo info;
};
TALLY_DESCRIBE(ExtrinsicSuccess, info);
struct ExtrinsicFailed {
  static constexpr std::uint8_t kIndex = 1;
  DispatchError error;
  DispatchInfo info;
};
TALLY_DESCRIBE(ExtrinsicFailed, error, info);

const auto kSystem = static_cast<ModuleIndex>(0);
const auto kCredits = static_cast<ModuleIndex>(10);
const DispatchInfo kInfo{{125'000'000}, {1234}, 0, 0};

Transferred transferred() {
  return {*AccountId::from(
              *from_hex("01e552298e47454041ea31273b4b630c64c104e4514aa3643490b8aaca9cf8ed")),
          *AccountId::from(
              *from_hex("d17c2d7823ebf260fd138f2d7e27d114c0145d968b5ff5006125f2414fadae69")),
          Balance(1234)};
}

// One event's record: what the sink holds without the count in front.
std::string record(Phase phase, ModuleIndex module, const auto& event) {
  EventSink sink;
  sink.set_phase(phase);
  sink.emit(module, event);
  return to_hex_prefixed(ByteView(sink.encoded()).subspan(1));
}

}  // namespace

TEST_CASE("event records are those that the clients decode") {
  const Json records = load("substrate/events.json")["records"];
  CHECK(record(PhaseApply{0}, kCredits, transferred()) == records["transferred"]);
  CHECK(record(PhaseApply{0}, kSystem, ExtrinsicSuccess{kInfo}) == records["success"]);
  CHECK(record(PhaseApply{2}, kSystem, ExtrinsicFailed{ErrorBadOrigin{}, kInfo}) ==
        records["failed_badorigin"]);
  CHECK(record(PhaseFinalization{}, kCredits, Minted{transferred().to, Balance(6)}) ==
        records["finalization_phase"]);
}

TEST_CASE("the events of a block are those that the clients decode") {
  const Json lists = load("substrate/events.json")["lists"];
  EventSink sink;
  CHECK(to_hex_prefixed(sink.encoded()) == lists[0]["hex"]);
  sink.set_phase(PhaseApply{0});
  sink.emit(kCredits, transferred());
  sink.emit(kSystem, ExtrinsicSuccess{kInfo});
  CHECK(to_hex_prefixed(sink.encoded()) == lists[1]["hex"]);
}

TEST_CASE("dispatch errors are those that the clients decode") {
  const std::map<std::string, DispatchError> made = {
      {"Other", ErrorOther{}},
      {"CannotLookup", ErrorCannotLookup{}},
      {"Module index 10 error 0", ErrorModule{10, {}}},
      {"Module index 11 error 1", ErrorModule{11, {1}}},
      {"Arithmetic Overflow", ArithmeticError::overflow},
  };
  std::size_t seen = 0;
  for (const Json& v : cases("substrate/events.json", "dispatch_errors")) {
    const auto found = made.find(v["name"].get<std::string>());
    const auto decoded = decode<DispatchError>(bytes_of(v["hex"]));
    CAPTURE(v["name"]);
    CHECK(decoded.ok() == (found != made.end()));  // the rest are errors that no module makes
    if (found == made.end()) continue;
    ++seen;
    CHECK(to_hex_prefixed(encode(found->second)) == v["hex"]);
    CHECK(*decoded == found->second);
  }
  CHECK(seen == made.size());
}

}  // namespace tally::vectors
