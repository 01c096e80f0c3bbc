#include "client-sdk/storage/gateways.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>

namespace tally::storage {

namespace {

constexpr std::size_t kQuoteMax = 200;

// The beginning of a stranger's text, fit to be shown.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kQuoteMax)) out += c >= ' ' && c < 0x7f ? c : ' ';
  return out;
}

// What is told when gateways disagree: the fault that says most.
int weight_of(StoreFault fault) {
  switch (fault) {
    case StoreFault::not_found:
      return 0;
    case StoreFault::unreachable:
      return 1;
    case StoreFault::mismatch:
      return 2;
    case StoreFault::unsupported:
      return 3;
    case StoreFault::too_large:
      return 4;
    case StoreFault::refused:
      return 5;
    case StoreFault::local:
      return 6;
    case StoreFault::interrupted:
      return 7;
  }
  return {};
}

// The errors of several gateways as one.
class Gathered {
 public:
  void add(const StoreError& error) {
    if (!message_.empty()) message_ += "; ";
    message_ += error.message;
    if (!fault_ || weight_of(error.fault) > weight_of(*fault_)) fault_ = error.fault;
  }
  Failure<StoreError> failure() const {
    return store_failure(fault_.value_or(StoreFault::unreachable), message_);
  }

 private:
  std::string message_;
  std::optional<StoreFault> fault_;
};

StoreFault fault_of(http::Trouble trouble) {
  switch (trouble) {
    case http::Trouble::unreachable:
      return StoreFault::unreachable;
    case http::Trouble::too_large:
      return StoreFault::too_large;
    case http::Trouble::interrupted:
      return StoreFault::interrupted;
  }
  return {};
}

}  // namespace

bool pause_for(std::chrono::milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

StoreError error_of(const http::Response& response) {
  StoreFault fault = StoreFault::refused;
  const unsigned status = response.status;
  if (status == 404 || status == 410 || status == 202) fault = StoreFault::not_found;
  if (status == 408 || status == 429 || status >= 500) fault = StoreFault::unreachable;
  return {{"status " + std::to_string(status) +
           (response.body.empty() ? "" : " (" + shown(response.body) + ")")},
          fault};
}

Result<Gateways, Error> Gateways::open(const GatewayConfig& config) {
  if (config.urls.empty()) {
    return fail_with("no gateway is set: give the URL of at least one");
  }
  std::vector<http::Endpoint> endpoints;
  for (const std::string& url : config.urls) {
    endpoints.push_back(TALLY_TRY(http::Endpoint::parse(url)));
  }
  return Gateways(config, std::move(endpoints));
}

StoreResult<void> Gateways::ask_one(const http::Endpoint& endpoint, const Question& question,
                                    const Judge& judge, const std::stop_token& stop) const {
  const auto told = [&](const StoreError& error) {
    return store_failure(error.fault,
                         endpoint.to_text() + ": cannot " + question.doing + ": " + error.message);
  };
  const auto response =
      http::send(endpoint, question.request, {question.max_body, config_.patience}, stop);
  if (!response.ok()) {
    return told({{response.error().message}, fault_of(response.error().trouble)});
  }
  const auto judged = judge(*response);
  if (!judged.ok()) return told(judged.error());
  return {};
}

StoreResult<void> Gateways::in_rounds(const OfEndpoint& one, const std::stop_token& stop) const {
  auto pause = config_.first_pause;
  for (unsigned round = 1;; ++round) {
    Gathered errors;
    bool worth_another = false;
    for (const http::Endpoint& endpoint : endpoints_) {
      const auto asked = one(endpoint);
      if (asked.ok()) return {};
      if (asked.error().fault == StoreFault::interrupted) return asked;
      worth_another = worth_another || asked.error().fault == StoreFault::unreachable;
      errors.add(asked.error());
    }
    if (!worth_another || round >= config_.rounds) return errors.failure();
    if (!config_.pause(pause, stop)) {
      return store_failure(StoreFault::interrupted, "stopped between two rounds of questions");
    }
    pause = std::min(pause * 2, config_.longest_pause);
  }
}

StoreResult<void> Gateways::ask_any(const Question& question, const Judge& judge,
                                    const std::stop_token& stop) const {
  return in_rounds(
      [&](const http::Endpoint& endpoint) { return ask_one(endpoint, question, judge, stop); },
      stop);
}

StoreResult<void> Gateways::ask(const Question& question, const Accept& accept,
                                const std::stop_token& stop) const {
  return ask_any(
      question,
      [&](const http::Response& response) -> StoreResult<void> {
        if (response.status != 200) return fail(error_of(response));
        return accept(response);
      },
      stop);
}

StoreResult<void> Gateways::each(const OfGateway& one, const std::stop_token& stop) const {
  GatewayConfig single = config_;
  single.rounds = 1;
  return in_rounds(
      [&](const http::Endpoint& endpoint) { return one(Gateways(single, {endpoint})); }, stop);
}

}  // namespace tally::storage
