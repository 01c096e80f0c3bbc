// What one client may have done for it. A client is known by its address (an IPv6 one by its /64),
// so that connections do not multiply it. Internal to rpc/.
//
// Work is counted in units of about five microseconds of a core; each client has a level of them
// that refills with time. At zero a call fails with `too_busy` at once, and a stream pauses. Of the
// places for calls one client takes three quarters at most, of those for streams half.
#pragma once

#include <grpcpp/server_context.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "node/network/address_gate.hpp"
#include "rpc/server.hpp"

namespace tally::rpc {

namespace cost {
constexpr std::int64_t kCall = 4;  // of any kind
constexpr std::int64_t kKey = 1;   // read from the state
constexpr std::int64_t kProof = 8;
constexpr std::int64_t kRow = 1;     // of a scan
constexpr std::int64_t kHeader = 4;  // of a finality proof
inline std::int64_t of_bytes(std::size_t bytes) {
  return static_cast<std::int64_t>(bytes / 4'096);
}
}  // namespace cost

using ClientKey = network::AddressKey;
// From what gRPC calls a peer: ipv4:1.2.3.4:5, ipv6:%5B::1%5D:5. Everything else is one client.
ClientKey client_key(const std::string& peer);

class Clients {
 public:
  explicit Clients(const ServerConfig& config) : config_(config) {}

  // A call under way.
  class Call {
   public:
    Call(Clients& clients, const ClientKey& key) : clients_(clients), key_(key) {}
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    void charge(std::int64_t units) { clients_.charge(key_, units); }

   private:
    Clients& clients_;
    ClientKey key_;
  };
  // Nothing: the client has used up its level or its places.
  std::unique_ptr<Call> begin(const grpc::ServerContext& context) {
    return begin(client_key(context.peer()));
  }
  std::unique_ptr<Call> begin(const ClientKey& key);

  bool open_stream(const ClientKey& key);
  void close_stream(const ClientKey& key);
  void charge(const ClientKey& key, std::int64_t units);
  network::Milliseconds wait(const ClientKey& key);
  std::size_t known() const;

 private:
  struct Client {
    network::Budget work;
    std::uint32_t calls = 0;
    std::uint32_t streams = 0;
  };
  Client& client(const ClientKey& key);  // under the lock

  const ServerConfig& config_;
  mutable std::mutex mutex_;
  std::map<ClientKey, Client> clients_;
};

grpc::Status too_busy(grpc::ServerContext& context);

}  // namespace tally::rpc
