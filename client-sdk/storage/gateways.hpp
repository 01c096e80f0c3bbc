// Several gateways, none of them trusted, asked the same until one gives an answer that holds.
//
// A round asks each gateway once, in order. Who cannot be reached, times out or answers 408, 429 or
// 5xx is worth asking again: after a pause, which doubles, another round begins. Any other answer
// is final for its gateway, and when no gateway is worth asking again the rounds end.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "client-sdk/http/http.hpp"
#include "client-sdk/storage/store.hpp"

namespace tally::storage {

// Waits, and says false if it was stopped; tests put in one that does not wait.
using Pause = std::function<bool(std::chrono::milliseconds, const std::stop_token&)>;
bool pause_for(std::chrono::milliseconds time, const std::stop_token& stop);

struct GatewayConfig {
  std::vector<std::string> urls;  // at least one; the first is asked first
  unsigned rounds = 5;
  std::chrono::milliseconds first_pause{500};
  std::chrono::milliseconds longest_pause{30'000};
  std::chrono::milliseconds patience{60'000};  // for one answer
  Pause pause = pause_for;
};

class Gateways {
 public:
  static Result<Gateways, Error> open(const GatewayConfig& config);

  struct Question {
    http::Request request;
    std::uint64_t max_body = 64 << 10;
    std::string doing;  // "read its price", for errors
  };
  // Looks at an answer of 200: an error says why it does not hold.
  using Accept = std::function<StoreResult<void>(const http::Response&)>;
  // The same for an answer with any status.
  using Judge = std::function<StoreResult<void>(const http::Response&)>;

  StoreResult<void> ask(const Question& question, const Accept& accept,
                        const std::stop_token& stop) const;
  StoreResult<void> ask_any(const Question& question, const Judge& judge,
                            const std::stop_token& stop) const;
  // In rounds too: calls `one` with each gateway alone, until it succeeds; for what takes several
  // questions to the same place.
  using OfGateway = std::function<StoreResult<void>(const Gateways&)>;
  StoreResult<void> each(const OfGateway& one, const std::stop_token& stop) const;

 private:
  Gateways(GatewayConfig config, std::vector<http::Endpoint> endpoints)
      : config_(std::move(config)), endpoints_(std::move(endpoints)) {}
  using OfEndpoint = std::function<StoreResult<void>(const http::Endpoint&)>;
  StoreResult<void> in_rounds(const OfEndpoint& one, const std::stop_token& stop) const;
  StoreResult<void> ask_one(const http::Endpoint& endpoint, const Question& question,
                            const Judge& judge, const std::stop_token& stop) const;
  GatewayConfig config_;
  std::vector<http::Endpoint> endpoints_;
};

// What a status says that is not the one hoped for, with the beginning of the body.
StoreError error_of(const http::Response& response);

}  // namespace tally::storage
