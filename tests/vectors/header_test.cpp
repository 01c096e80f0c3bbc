#include "primitives/header.hpp"

#include "tests/vectors/vectors.hpp"

namespace tally::vectors {
namespace {

EngineId engine_of(const Json& hex) {
  EngineId out{};
  const Bytes raw = bytes_of(hex);
  REQUIRE(raw.size() == out.size());
  std::copy(raw.begin(), raw.end(), out.begin());
  return out;
}

// A digest item as the clients write it in JSON: {"PreRuntime": [engine, data]}, either case.
DigestItem item_of(const Json& json) {
  const auto entry = json.items().begin();
  std::string name = entry.key();
  name[0] = static_cast<char>(std::toupper(name[0]));
  const Json& value = entry.value();
  if (name == "PreRuntime") return DigestPreRuntime{engine_of(value[0]), bytes_of(value[1])};
  if (name == "Consensus") return DigestConsensus{engine_of(value[0]), bytes_of(value[1])};
  if (name == "Seal") return DigestSeal{engine_of(value[0]), bytes_of(value[1])};
  if (name == "Other") return DigestOther{bytes_of(value)};
  REQUIRE(name == "RuntimeEnvironmentUpdated");
  return DigestRuntimeUpdated{};
}

Header header_of(const Json& json) {
  Header out;
  out.parent_hash = fixed_of<Hash>(json["parentHash"]);
  const Json& number = json["number"];
  out.number.value = BlockNumber(number.is_string() ? static_cast<std::uint32_t>(std::stoul(
                                                          number.get<std::string>(), nullptr, 0))
                                                    : number.get<std::uint32_t>());
  out.state_root = fixed_of<Hash>(json["stateRoot"]);
  out.extrinsics_root = fixed_of<Hash>(json["extrinsicsRoot"]);
  for (const Json& log : json["digest"]["logs"]) out.digest.push_back(item_of(log));
  return out;
}

}  // namespace

TEST_CASE("headers and their hashes are those of the clients") {
  for (const Json& v : cases("substrate/header.json", "headers")) {
    const Header header = header_of(v["json"]);
    CHECK(to_hex_prefixed(encode(header)) == v["scale"]);
    CHECK(to_hex_prefixed(block_hash(header)) == v["hash"]);
    const auto decoded = decode<Header>(bytes_of(v["scale"]));
    REQUIRE(decoded.ok());
    CHECK(*decoded == header);
  }
}

TEST_CASE("digest items are those of the clients") {
  for (const Json& v : cases("substrate/header.json", "digest_items")) {
    CHECK(to_hex_prefixed(encode(item_of(v["value"]))) == v["scale"]);
    CHECK(*decode<DigestItem>(bytes_of(v["scale"])) == item_of(v["value"]));
  }
}

TEST_CASE("headers cut short, with more behind them or with unknown digest items are refused") {
  const Json v = load("substrate/header.json")["headers"].back();
  const Bytes whole = bytes_of(v["scale"]);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK_FALSE(decode<Header>(ByteView(whole).first(size)).ok());
  }
  Bytes longer = whole;
  longer.push_back(0);
  CHECK_FALSE(decode<Header>(longer).ok());
  for (const char* unknown : {"01", "02", "03", "07", "09", "ff"}) {
    CHECK_FALSE(decode<DigestItem>(*from_hex(std::string(unknown) + "0000000000")).ok());
  }
}

TEST_CASE("a header has at most 64 digest items") {
  Header header;
  header.digest.assign(kDigestItemsMax, DigestRuntimeUpdated{});
  CHECK(decode<Header>(encode(header)).ok());
  header.digest.push_back(DigestRuntimeUpdated{});
  CHECK(decode<Header>(encode(header)).error().code == DecodeErrorCode::too_long);
}

TEST_CASE("the consensus digest is the one SMPX item before execution, or none") {
  ConsensusDigest digest{Epoch(3), View(9), TimestampMs(1'700'000'000'000), {}};
  digest.vrf_proof.bytes.fill(0x5a);
  Header header;
  CHECK_FALSE(consensus_digest(header));
  header.digest.push_back(DigestPreRuntime{{'T', 'A', 'L', 'Y'}, {1, 2, 3}});
  header.digest.push_back(make_consensus_digest(digest));
  header.digest.push_back(DigestConsensus{kSimplexEngine, encode(digest)});
  CHECK(consensus_digest(header) == digest);
  Header twice = header;
  twice.digest.push_back(make_consensus_digest(digest));
  CHECK_FALSE(consensus_digest(twice));
  Header malformed = header;
  std::get<DigestPreRuntime>(malformed.digest[1]).data.push_back(0);
  CHECK_FALSE(consensus_digest(malformed));
}

}  // namespace tally::vectors
