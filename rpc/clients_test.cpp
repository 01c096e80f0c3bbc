// What is remembered of clients when there are more than can be remembered.
#include "rpc/clients.hpp"

#include <catch2/catch.hpp>

namespace tally::rpc {
namespace {

// Shown to fail where who has a call or a stream open is forgotten: its places would be counted
// below none.
TEST_CASE("who has something under way is remembered, however many others come") {
  ServerConfig config;
  config.calls_max = 4;
  config.streams_max = 4;
  config.client_work = {1'000'000'000, 1'000'000};
  Clients clients(config);
  const ClientKey busy = client_key("ipv4:10.0.0.1:1");
  const ClientKey reading = client_key("ipv4:10.0.0.2:1");
  auto call = clients.begin(busy);
  REQUIRE(call);
  REQUIRE(clients.open_stream(reading));
  for (std::uint32_t i = 0; i < 9'000; ++i) {
    clients.begin(
        client_key("ipv4:10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ":1"));
  }
  call.reset();
  clients.close_stream(reading);
  CHECK(clients.begin(busy));
  CHECK(clients.open_stream(reading));
}

// Shown to fail where every idle client is forgotten alike.
TEST_CASE("coming back behind many others is no way to a new level") {
  ServerConfig config;
  config.client_work = {1'000'000, 100};
  Clients clients(config);
  const ClientKey greedy = client_key("ipv4:10.0.0.1:1");
  {
    const auto call = clients.begin(greedy);
    REQUIRE(call);
    call->charge(4'000'000'000);  // an hour's worth
  }
  for (std::uint32_t i = 0; i < 5'000; ++i) {
    clients.begin(
        client_key("ipv4:10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ":1"));
  }
  CHECK_FALSE(clients.begin(greedy));
}

}  // namespace
}  // namespace tally::rpc
