#include "primitives/content_id.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "primitives/base64url.hpp"

namespace tally {
namespace {

TEST_CASE("base64url of known bytes", "[content_id]") {
  CHECK(to_base64url(as_bytes("")).empty());
  CHECK(to_base64url(as_bytes("f")) == "Zg");
  CHECK(to_base64url(as_bytes("fo")) == "Zm8");
  CHECK(to_base64url(as_bytes("foobar")) == "Zm9vYmFy");
  CHECK(to_base64url(Bytes{0xfb, 0xff}) == "-_8");
}

TEST_CASE("base64url has one text for each byte string", "[content_id]") {
  for (const std::string_view text :
       {"Zg==", "Zh", "Zm9", "Z", "+/8", "Zg ", "Zm8\n", "Zm9vYmFyZ"}) {
    INFO(text);
    CHECK_FALSE(from_base64url(text).has_value());
  }
  CHECK(rc::check("round trip, and back from any text that decodes", [](const Bytes& bytes) {
    RC_ASSERT(from_base64url(to_base64url(bytes)) == bytes);
    const std::string text(as_text(bytes));
    if (const auto decoded = from_base64url(text)) RC_ASSERT(to_base64url(*decoded) == text);
  }));
}

TEST_CASE("The CID of known bytes", "[content_id]") {
  CHECK(raw_cid(as_bytes("")).to_text() ==
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku");
  CHECK(raw_cid(as_bytes("hello world")).to_text() ==
        "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e");
}

TEST_CASE("CIDs are read strictly", "[content_id]") {
  const auto old = Cid::parse("QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n");
  REQUIRE(old.has_value());
  CHECK(old->version == 0);
  CHECK(old->codec == kCodecDagPb);
  const std::string good = raw_cid(as_bytes("hello world")).to_text();
  CHECK(Cid::parse(good).has_value());
  CHECK_FALSE(Cid::parse("").has_value());
  CHECK_FALSE(Cid::parse("b").has_value());
  CHECK_FALSE(Cid::parse(good + "a").has_value());
  CHECK_FALSE(Cid::parse(good.substr(0, good.size() - 1)).has_value());
  CHECK_FALSE(Cid::parse("B" + good.substr(1)).has_value());
  CHECK_FALSE(Cid::parse("QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1").has_value());
  CHECK_FALSE(Cid::parse(std::string(5000, 'b')).has_value());
}

TEST_CASE("Which texts name content, store by store", "[content_id]") {
  const std::string cid = raw_cid(as_bytes("x")).to_text();
  const std::string transaction(43, 'A');
  CHECK(content_id_is_valid(StoreKind::arweave, transaction));
  CHECK_FALSE(content_id_is_valid(StoreKind::arweave, transaction.substr(1)));
  CHECK_FALSE(content_id_is_valid(StoreKind::arweave, transaction.substr(1) + "B"));
  CHECK_FALSE(content_id_is_valid(StoreKind::arweave, cid));
  CHECK(content_id_is_valid(StoreKind::ipfs, cid));
  CHECK(content_id_is_valid(StoreKind::directory, cid));
  const std::string_view dag = "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n";
  CHECK(content_id_is_valid(StoreKind::filecoin, dag));
  CHECK_FALSE(content_id_is_valid(StoreKind::directory, dag));
}

}  // namespace
}  // namespace tally
