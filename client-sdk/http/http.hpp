// One HTTP/1.1 request and its answer, over TCP or TLS, with a limit on time and size.
//
//   const Endpoint gateway = TALLY_TRY(Endpoint::parse("https://arweave.net"));
//   auto answer = send(gateway, {.method = "GET", .target = "/info"}, {.max_body = 4096}, stop);
//
// A connection a request. TLS checks the certificate for the host's name against the system's
// authorities, or those of $SSL_CERT_FILE. An error says what failed on the way; an answer with any
// status is no error. Redirects of a GET are followed, at most three, never from https to http.
//
// Source: RFC 9110, RFC 9112.
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

#include "primitives/result.hpp"

namespace tally::http {

struct Endpoint {
  bool tls = false;
  std::string host;  // a name or an address; IPv6 without brackets
  std::uint16_t port = 0;
  std::string path{};  // in front of every target: empty, or "/…" without a slash at its end
  friend bool operator==(const Endpoint&, const Endpoint&) = default;

  // "http://host[:port][/path]" or https.
  static Result<Endpoint, Error> parse(std::string_view url);
  std::string to_text() const;
};

struct Request {
  std::string method = "GET";
  std::string target;  // "/…"
  std::string content_type{};
  std::string body{};
};

struct Response {
  unsigned status = 0;
  std::string content_type;
  std::string body;
};

struct Limits {
  std::uint64_t max_body = 1 << 20;
  std::chrono::milliseconds patience{30'000};  // for the whole exchange
};

enum class Trouble : std::uint8_t {
  unreachable,  // no connection, no answer in time, or one that is cut off or no HTTP
  too_large,    // the body is longer than the limit
  interrupted,  // asked to stop
};

struct HttpError : Error {
  Trouble trouble{};
};

Result<Response, HttpError> send(const Endpoint& endpoint, const Request& request,
                                 const Limits& limits, const std::stop_token& stop = {});

}  // namespace tally::http
