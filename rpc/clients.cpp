#include "rpc/clients.hpp"

#include <algorithm>

#include "rpc/service.hpp"

namespace tally::rpc {
namespace {

constexpr std::size_t kClientsMax = 4'096;  // that are remembered
constexpr unsigned kCutDoublingsMax = 6;    // of the time that one is cut off

network::SteadyTime now() {
  return std::chrono::steady_clock::now();
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what)) {
    text.replace(at, what.size(), with);
  }
  return text;
}

}  // namespace

ClientKey client_key(const std::string& peer) {
  const std::size_t begin = peer.find(':');
  const std::size_t end = peer.rfind(':');
  if (begin == std::string::npos || end <= begin) return {};
  std::string host = peer.substr(begin + 1, end - begin - 1);
  for (const auto what : {"%5B", "%5D", "[", "]"}) host = replaced(host, what, "");
  host = host.substr(0, host.find('%'));  // the zone of a link-local address
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  return error ? ClientKey{} : network::address_key(address);
}

Clients::Client& Clients::client(const ClientKey& key) {
  const auto found = clients_.find(key);
  if (found != clients_.end()) return found->second;
  const auto idle = [](const Client& client) { return client.calls == 0 && client.streams == 0; };
  if (clients_.size() >= kClientsMax) {
    // Those that would be the same when they come again; then any that has nothing under way.
    const auto at = now();
    std::erase_if(clients_, [&](const auto& one) {
      return idle(one.second) && one.second.work.full(at) && one.second.patience.full(at);
    });
    for (auto it = clients_.begin(); it != clients_.end() && clients_.size() >= kClientsMax;) {
      it = idle(it->second) ? clients_.erase(it) : std::next(it);
    }
  }
  const auto at = now();
  Client fresh{network::Budget(config_.client_work, at),
               network::Budget(config_.client_refusals, at)};
  return clients_.emplace(key, fresh).first->second;
}

void Clients::refuse(Client& one) {
  const auto at = now();
  if (one.patience.full(at)) one.cuts = 0;
  if (!one.patience.admit(at, 1)) cut_off(one);
}

void Clients::cut_off(Client& one) {
  const auto at = now();
  if (at < one.cut_until) return;
  one.cut_until = at + std::chrono::milliseconds(config_.cut_off_ms) *
                           (1u << std::min(one.cuts, kCutDoublingsMax));
  ++one.cuts;
}

std::unique_ptr<Clients::Call> Clients::begin(const ClientKey& key) {
  std::unique_lock lock(mutex_);
  Client& one = client(key);
  if (one.calls >= std::max(config_.calls_max * 3 / 4, 1u)) {
    refuse(one);
    return nullptr;
  }
  ++one.calls;  // so that it is not forgotten
  const auto until = now() + std::chrono::milliseconds(config_.refusal_delay_ms);
  while (!one.work.admit(now(), cost::kCall)) {
    const auto at = now();
    if (at >= until || stopping_) {
      --one.calls;
      refuse(one);
      return nullptr;
    }
    stop_.wait_until(lock, std::min(until, at + one.work.wait(at)));
  }
  return std::make_unique<Call>(*this, key);
}

Clients::Call::~Call() {
  const std::lock_guard lock(clients_.mutex_);
  --clients_.client(key_).calls;
}

bool Clients::open_stream(const ClientKey& key) {
  const std::lock_guard lock(mutex_);
  Client& one = client(key);
  if (one.streams >= (config_.streams_max + 1) / 2) {
    refuse(one);
    return false;
  }
  ++one.streams;
  return true;
}

void Clients::close_stream(const ClientKey& key) {
  const std::lock_guard lock(mutex_);
  --client(key).streams;
}

void Clients::charge(const ClientKey& key, std::int64_t units) {
  const std::lock_guard lock(mutex_);
  client(key).work.charge(now(), units);
}

network::Milliseconds Clients::wait(const ClientKey& key) {
  const std::lock_guard lock(mutex_);
  return client(key).work.wait(now());
}

void Clients::received(const ClientKey& key, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  Client& one = client(key);
  one.bytes += bytes;
  const std::uint64_t units = one.bytes / cost::kBytesIn;
  one.bytes %= cost::kBytesIn;
  const auto at = now();
  one.work.charge(at, static_cast<std::int64_t>(units));
  const auto owed = std::chrono::milliseconds(config_.debt_ms_max);
  if (one.work.wait(at) > owed) cut_off(one);
}

bool Clients::is_cut_off(const ClientKey& key) {
  const std::lock_guard lock(mutex_);
  const auto found = clients_.find(key);
  return found != clients_.end() && now() < found->second.cut_until;
}

void Clients::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
}

std::size_t Clients::known() const {
  const std::lock_guard lock(mutex_);
  return clients_.size();
}

grpc::Status too_busy(grpc::ServerContext& context) {
  return make_status(context, grpc::StatusCode::RESOURCE_EXHAUSTED, "too_busy",
                     "this address has asked for more than its share of the node: ask again in a "
                     "moment, ask for less, or ask a node of your own");
}

}  // namespace tally::rpc
