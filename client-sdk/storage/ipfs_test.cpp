#include "client-sdk/storage/ipfs.hpp"

#include <catch2/catch.hpp>

#include "tests/gateway/gateway.hpp"

namespace tally::storage {
namespace {

using gateway::FaultKind;
using gateway::Gateway;

IpfsStore open_store(const Gateway& gateway, bool with_api = true) {
  IpfsConfig config;
  config.gateways.urls = {gateway.url()};
  config.gateways.pause = [](std::chrono::milliseconds, const std::stop_token&) { return true; };
  if (with_api) config.api_url = gateway.url();
  auto store = IpfsStore::open(config);
  REQUIRE(store.ok());
  return *store;
}

StoreFault fault_of(const StoreResult<Bytes>& got) {
  REQUIRE_FALSE(got.ok());
  return got.error().fault;
}

TEST_CASE("IPFS gives back a raw block, checked by its CID", "[ipfs]") {
  Gateway gateway;
  IpfsStore store = open_store(gateway);
  for (const std::size_t size : {0ul, 1ul, 262'144ul, static_cast<unsigned long>(kMaxIpfsBlock)}) {
    const Bytes blob(size, 0x0d);
    const auto stored = store.put(blob, {});
    REQUIRE(stored.ok());
    CHECK(stored->id.id == raw_cid(blob).to_text());
    CHECK(*store.get(stored->id, size) == blob);
    CHECK(store.status(stored->id)->presence == Presence::deep);
  }
}

TEST_CASE("IPFS: what is refused, missing or changed", "[ipfs]") {
  Gateway gateway;
  IpfsStore store = open_store(gateway);
  const auto large = store.put(Bytes(kMaxIpfsBlock + 1), {});
  REQUIRE_FALSE(large.ok());
  CHECK(large.error().fault == StoreFault::too_large);
  CHECK_FALSE(open_store(gateway, false).put(Bytes(3), {}).ok());

  const Bytes blob(1000, 1);
  const ContentId id = store.put(blob, {})->id;
  CHECK(fault_of(store.get(id, 999)) == StoreFault::too_large);
  gateway.fail_next({"GET /ipfs/", FaultKind::wrong_bytes});
  CHECK(fault_of(store.get(id, 1000)) == StoreFault::mismatch);
  gateway.fail_next({"GET /ipfs/", FaultKind::shorter});
  CHECK(fault_of(store.get(id, 1000)) == StoreFault::mismatch);
  gateway.fail_next({"GET /ipfs/", FaultKind::status, 502, 2});
  CHECK(*store.get(id, 1000) == blob);
  const ContentId other{StoreKind::ipfs, raw_cid(as_bytes("other")).to_text()};
  CHECK(fault_of(store.get(other, 1000)) == StoreFault::not_found);
  CHECK(store.status(other)->presence == Presence::absent);

  const auto file =
      store.get({StoreKind::ipfs, "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n"}, 1000);
  CHECK(fault_of(file) == StoreFault::unsupported);
  CHECK_THAT(file.error().message, Catch::Contains("dag-pb"));
  CHECK(fault_of(store.get({StoreKind::ipfs, "nonsense"}, 1000)) == StoreFault::unsupported);
}

}  // namespace
}  // namespace tally::storage
