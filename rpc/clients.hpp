// What one client may have done for it. A client is known by its address (an IPv6 one by its /64),
// so that connections do not multiply it. Internal to rpc/.
//
// Work is counted in units of about five microseconds of a core; each client has a level of them
// that refills with time. Bytes that come in are work as well, whatever becomes of them. At zero a
// call waits, in its place, and fails with `too_busy` when the level is no better after a while:
// that slows down who asks again at once. A stream pauses. Of the places for calls one client takes
// three quarters at most, of those for streams half; one too many fails at once.
//
// Who is refused too often, or owes too much, is cut off: its connections are closed, and for a
// while no new one is taken; longer each time, until it has kept quiet.
#pragma once

#include <grpcpp/server_context.h>

#include <condition_variable>
#include <cstdint>
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
constexpr std::int64_t kRow = 1;          // of a scan
constexpr std::int64_t kHeader = 4;       // of a finality proof
constexpr std::int64_t kBytesIn = 1'024;  // for one unit
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
  // Nothing: the client has used up its level, and waiting did not help, or its places.
  std::unique_ptr<Call> begin(const grpc::ServerContext& context) {
    return begin(client_key(context.peer()));
  }
  std::unique_ptr<Call> begin(const ClientKey& key);

  bool open_stream(const ClientKey& key);
  void close_stream(const ClientKey& key);
  void charge(const ClientKey& key, std::int64_t units);
  network::Milliseconds wait(const ClientKey& key);
  // That came over the network.
  void received(const ClientKey& key, std::uint64_t bytes);
  // Whether its connections are to be closed, and none taken.
  bool is_cut_off(const ClientKey& key);
  // Calls that wait are let go, and later ones do not wait.
  void stop();
  std::size_t known() const;

 private:
  struct Client {
    network::Budget work;
    network::Budget patience;  // with it: refusals
    std::uint32_t calls = 0;
    std::uint32_t streams = 0;
    std::uint64_t bytes = 0;  // received, less than one unit
    unsigned cuts = 0;        // since it last kept quiet
    network::SteadyTime cut_until{};
  };
  // Under the lock.
  Client& client(const ClientKey& key);
  void refuse(Client& one);
  void cut_off(Client& one);

  const ServerConfig& config_;
  mutable std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::map<ClientKey, Client> clients_;
};

grpc::Status too_busy(grpc::ServerContext& context);

}  // namespace tally::rpc
