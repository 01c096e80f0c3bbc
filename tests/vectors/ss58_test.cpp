#include "primitives/ss58.hpp"

#include "primitives/crypto/hash.hpp"
#include "tests/vectors/vectors.hpp"

namespace tally::vectors {

TEST_CASE("addresses are those of the clients, both ways") {
  for (const Json& v : cases("substrate/ss58.json", "vectors")) {
    const auto account = fixed_of<AccountId>(v["account_id"]);
    const auto prefix = v["prefix"].get<std::uint16_t>();
    const auto address = v["address"].get<std::string>();
    CAPTURE(address);
    CHECK(to_ss58(account, prefix) == address);
    const auto parsed = parse_ss58(address);
    REQUIRE(parsed.ok());
    CHECK(*parsed == Ss58Address{account, prefix});
    CHECK(*parse_account(address, prefix) == account);
  }
}

TEST_CASE("addresses that the clients refuse are refused") {
  for (const Json& v : cases("substrate/ss58.json", "reject")) {
    const auto address = v["address"].get<std::string>();
    CAPTURE(address, v["why"]);
    CHECK_FALSE(parse_account(address).ok());
    // Another network's address is well-formed, the others are not.
    CHECK(parse_ss58(address).ok() == v.contains("expected_prefix"));
  }
}

TEST_CASE("an address has one text") {
  AccountId account;
  account.bytes.fill(7);
  const auto raw_address = [&](Bytes prefix, std::size_t account_size) {
    Bytes raw = prefix;
    append(raw, account.view().first(account_size));
    Bytes input = to_bytes(as_bytes("SS58PRE"));
    append(input, raw);
    append(raw, ByteView(blake2_512(input)).first(2));
    return to_base58(raw);
  };
  CHECK(parse_ss58(raw_address({42}, 32)).ok());
  CHECK(parse_ss58(raw_address({0x7f, 0xc0}, 32)).ok());        // 255
  CHECK_FALSE(parse_ss58(raw_address({0x4a, 0x80}, 32)).ok());  // 42, which fits one byte
  CHECK_FALSE(parse_ss58(raw_address({46}, 32)).ok());
  CHECK_FALSE(parse_ss58(raw_address({0x80}, 32)).ok());
  CHECK_FALSE(parse_ss58(raw_address({42}, 20)).ok());
  CHECK_FALSE(parse_ss58("").ok());
  CHECK_FALSE(parse_ss58(to_ss58(account) + "1").ok());
  CHECK_FALSE(parse_ss58("1" + to_ss58(account)).ok());
  CHECK_FALSE(parse_ss58(" " + to_ss58(account)).ok());
  CHECK_FALSE(parse_ss58(std::string(100'000, 'z')).ok());
}

TEST_CASE("an account may be given in hexadecimal, whole and with 0x") {
  AccountId account;
  account.bytes.fill(0xab);
  CHECK(*parse_account(to_hex_prefixed(account)) == account);
  CHECK_FALSE(parse_account("0xabab").ok());
  CHECK_FALSE(parse_account(to_hex(account)).ok());
  CHECK_FALSE(parse_account("0x" + std::string(64, 'g')).ok());
}

TEST_CASE("every network prefix comes back from its text") {
  AccountId account;
  account.bytes.fill(0xff);
  for (unsigned prefix = 0; prefix < 16'384; ++prefix) {
    if (!ss58_prefix_is_valid(static_cast<std::uint16_t>(prefix))) continue;
    const auto parsed = parse_ss58(to_ss58(account, static_cast<std::uint16_t>(prefix)));
    REQUIRE(parsed.ok());
    REQUIRE(*parsed == Ss58Address{account, static_cast<std::uint16_t>(prefix)});
  }
  CHECK_FALSE(ss58_prefix_is_valid(46));
  CHECK_FALSE(ss58_prefix_is_valid(16'384));
}

TEST_CASE("base58 keeps leading zeros and its bound") {
  CHECK(to_base58(*from_hex("0000287fb4cd")) == "11233QC4");
  CHECK(*from_base58("11233QC4", 6) == *from_hex("0000287fb4cd"));
  CHECK_FALSE(from_base58("11233QC4", 5));
  CHECK_FALSE(from_base58("0", 5));
  CHECK(from_base58("", 0)->empty());
}

}  // namespace tally::vectors
