// The gRPC server's port: accepts connections and hands them over, within limits that gRPC does not
// have: so many connections in all, and so many of one address. One too many is closed before a
// byte is read. It also counts what comes in over each, and ends those of a client that is cut off.
// Internal to rpc/.
//
// How many there are is known without being told when one ends: a socket that gRPC has closed no
// longer has its inode under its number. Only sockets that have theirs are looked at and shut down;
// the descriptor stays gRPC's.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "primitives/result.hpp"
#include "rpc/clients.hpp"

namespace tally::rpc {

class Listener {
 public:
  using Handler = std::function<void(int fd)>;  // owns the descriptor from then on

  // Binds; nothing is accepted before run().
  static Result<std::unique_ptr<Listener>, Error> bind(const std::string& host_and_port);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  std::uint16_t port() const { return port_; }
  void run(const ServerConfig& config, Clients& clients, Handler handler);
  void stop();
  std::uint64_t refused() const { return refused_; }
  std::uint64_t cut_off() const { return cut_off_; }

 private:
  struct Socket {
    int fd;
    ino_t inode;
    std::uint64_t received = 0;  // bytes that were counted
  };
  Listener(int fd, std::uint16_t port) : fd_(fd), port_(port) {}
  void accept_all(const ServerConfig& config, Clients& clients);
  void police(Clients& clients);
  void pause(int milliseconds) const;
  bool has_room(const ServerConfig& config, const ClientKey& client);
  void forget_closed(std::vector<Socket>& sockets);

  int fd_;
  int wake_ = -1;
  std::uint16_t port_;
  Handler handler_;
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> cut_off_{0};
  std::map<ClientKey, std::vector<Socket>> open_;
  std::size_t count_ = 0;
};

}  // namespace tally::rpc
