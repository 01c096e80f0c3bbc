#include "client-sdk/http/http.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "tests/gateway/gateway.hpp"

namespace tally::http {
namespace {

using gateway::FaultKind;
using gateway::Gateway;

TEST_CASE("URLs of gateways", "[http]") {
  const auto plain = Endpoint::parse("http://localhost:1984");
  REQUIRE(plain.ok());
  CHECK(*plain == Endpoint{false, "localhost", 1984, ""});
  CHECK(*Endpoint::parse("https://arweave.net/") == Endpoint{true, "arweave.net", 443, ""});
  CHECK(*Endpoint::parse("http://[::1]:80/a/b/") == Endpoint{false, "::1", 80, "/a/b"});
  for (const std::string_view url :
       {"https://arweave.net", "http://localhost:1984/x", "http://[::1]:81"}) {
    CHECK(Endpoint::parse(url)->to_text() == url);
  }
  for (const std::string_view url :
       {"", "arweave.net", "ftp://x", "http://", "http://:80", "http://a:0", "http://a:65536",
        "http://a:b", "http://a b", "http://a\r\nX: y", "http://u@h", "http://a/?q", "http://::1",
        "http://[::1"}) {
    INFO(url);
    CHECK_FALSE(Endpoint::parse(url).ok());
  }
}

TEST_CASE("An exchange, and what can go wrong in it", "[http]") {
  Gateway gateway;
  const Endpoint endpoint = *Endpoint::parse(gateway.url());
  const Request ask{"GET", "/info"};
  const auto answer = send(endpoint, ask, {});
  REQUIRE(answer.ok());
  CHECK(answer->status == 200);
  CHECK(answer->content_type == "application/json");
  const std::size_t size = answer->body.size();
  CHECK(send(endpoint, {"GET", "/nothing"}, {})->status == 404);
  CHECK(send(endpoint, ask, {.max_body = size}).ok());

  const auto long_answer = send(endpoint, ask, {.max_body = size - 1});
  REQUIRE_FALSE(long_answer.ok());
  CHECK(long_answer.error().trouble == Trouble::too_large);
  gateway.fail_next({"/info", FaultKind::truncated});
  const auto cut = send(endpoint, ask, {});
  REQUIRE_FALSE(cut.ok());
  CHECK(cut.error().trouble == Trouble::unreachable);
  gateway.fail_next({"/info", FaultKind::drop});
  CHECK_FALSE(send(endpoint, ask, {}).ok());
  gateway.fail_next({"/info", FaultKind::silent});
  const auto late = send(endpoint, ask, {.patience = std::chrono::milliseconds(20)});
  REQUIRE_FALSE(late.ok());
  CHECK_THAT(late.error().message, Catch::Contains("within 20 ms"));
}

TEST_CASE("TLS with whoever does not speak it, or nobody at all", "[http]") {
  Gateway gateway;
  Endpoint endpoint = *Endpoint::parse(gateway.url());
  endpoint.tls = true;
  const auto answer = send(endpoint, {"GET", "/info"}, {});
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().trouble == Trouble::unreachable);
}

// With the bug that a step which is done already begins the next one after the stop, nothing ends
// the exchange any more: the test hangs.
TEST_CASE("A stop ends an exchange at whatever step it is", "[http]") {
  Gateway gateway;
  gateway.fail_next({"", FaultKind::silent, 0, 1'000});
  const Endpoint endpoint = *Endpoint::parse(gateway.url());
  for (int i = 0; i < 400; ++i) {
    std::stop_source source;
    std::jthread stopper([&source, i] {
      const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(i);
      while (std::chrono::steady_clock::now() < until) {
      }
      source.request_stop();
    });
    const auto answer = send(endpoint, {"GET", "/info"}, {}, source.get_token());
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().trouble == Trouble::interrupted);
  }
}

TEST_CASE("A stop ends an exchange", "[http]") {
  Gateway gateway;
  std::stop_source source;
  source.request_stop();
  const auto answer =
      send(*Endpoint::parse(gateway.url()), {"GET", "/info"}, {}, source.get_token());
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().trouble == Trouble::interrupted);
}

}  // namespace
}  // namespace tally::http
