#include "rpc/clients.hpp"

#include <algorithm>

#include "rpc/service.hpp"

namespace tally::rpc {
namespace {

constexpr std::size_t kClientsMax = 4'096;  // that are remembered

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
    std::erase_if(clients_,
                  [&](const auto& one) { return idle(one.second) && one.second.work.full(at); });
    for (auto it = clients_.begin(); it != clients_.end() && clients_.size() >= kClientsMax;) {
      it = idle(it->second) ? clients_.erase(it) : std::next(it);
    }
  }
  return clients_.emplace(key, Client{network::Budget(config_.client_work, now())}).first->second;
}

std::unique_ptr<Clients::Call> Clients::begin(const ClientKey& key) {
  const std::lock_guard lock(mutex_);
  Client& one = client(key);
  if (one.calls >= std::max(config_.calls_max * 3 / 4, 1u)) return nullptr;
  if (!one.work.admit(now(), cost::kCall)) return nullptr;
  ++one.calls;
  return std::make_unique<Call>(*this, key);
}

Clients::Call::~Call() {
  const std::lock_guard lock(clients_.mutex_);
  --clients_.client(key_).calls;
}

bool Clients::open_stream(const ClientKey& key) {
  const std::lock_guard lock(mutex_);
  Client& one = client(key);
  if (one.streams >= (config_.streams_max + 1) / 2) return false;
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
