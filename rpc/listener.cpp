#include "rpc/listener.hpp"

#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>
#include <utility>

#include "rpc/socket_bytes.hpp"

namespace tally::rpc {
namespace {

constexpr int kBacklog = 128;
constexpr int kNoDescriptorsMs = 50;  // how long to wait for one
constexpr int kRefusalMs = 1;         // a flood of connections waits in the kernel
constexpr int kPoliceMs = 100;        // between two looks at what came in

ino_t inode_of(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 ? status.st_ino : 0;
}

ClientKey key_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return network::address_key(boost::asio::ip::address_v4(ntohl(v4.sin_addr.s_addr)));
  }
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  boost::asio::ip::address_v6::bytes_type bytes;
  std::memcpy(bytes.data(), v6.sin6_addr.s6_addr, bytes.size());
  return network::address_key(boost::asio::ip::address_v6(bytes));
}

int open_socket(const addrinfo& at) {
  const int fd = ::socket(at.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd, at.ai_addr, at.ai_addrlen) == 0 && ::listen(fd, kBacklog) == 0) return fd;
  const int error = errno;
  ::close(fd);
  errno = error;
  return -1;
}

std::uint16_t port_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET ? reinterpret_cast<sockaddr_in&>(address).sin_port
                                            : reinterpret_cast<sockaddr_in6&>(address).sin6_port);
}

}  // namespace

Result<std::unique_ptr<Listener>, Error> Listener::bind(const std::string& host_and_port) {
  const std::size_t colon = host_and_port.rfind(':');
  std::string host = host_and_port.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  int fd = -1;
  std::string why = "expected an IP address and a port";
  if (colon != std::string::npos &&
      ::getaddrinfo(host.c_str(), host_and_port.c_str() + colon + 1, &hints, &found) == 0) {
    for (const addrinfo* at = found; at != nullptr && fd < 0; at = at->ai_next) {
      fd = open_socket(*at);
    }
    why = std::generic_category().message(errno);
    ::freeaddrinfo(found);
  }
  if (fd < 0) {
    return fail_with("cannot serve gRPC on " + host_and_port + ": " + why +
                     "; choose others with --rpc-port and --rpc-listen");
  }
  return std::unique_ptr<Listener>(new Listener(fd, port_of(fd)));
}

Listener::~Listener() {
  stop();
  ::close(fd_);
  if (wake_ >= 0) ::close(wake_);
}

void Listener::run(const ServerConfig& config, Clients& clients, Handler handler) {
  handler_ = std::move(handler);
  wake_ = ::eventfd(0, EFD_CLOEXEC);
  TALLY_ASSERT(wake_ >= 0);
  thread_ = std::thread([this, &config, &clients] {
    pollfd events[]{{fd_, POLLIN, 0}, {wake_, POLLIN, 0}};
    auto looked = std::chrono::steady_clock::now();
    while (!stopping_) {
      ::poll(events, 2, open_.empty() ? -1 : kPoliceMs);
      accept_all(config, clients);
      const auto now = std::chrono::steady_clock::now();
      if (now - looked < std::chrono::milliseconds(kPoliceMs)) continue;
      looked = now;
      police(clients);
    }
  });
}

void Listener::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  const std::uint64_t one = 1;
  TALLY_ASSERT(::write(wake_, &one, sizeof one) == sizeof one);
  thread_.join();
}

void Listener::pause(int milliseconds) const {
  pollfd wake{wake_, POLLIN, 0};
  ::poll(&wake, 1, milliseconds);
}

void Listener::accept_all(const ServerConfig& config, Clients& clients) {
  while (!stopping_) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const int fd =
        ::accept4(fd_, reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
        pause(kNoDescriptorsMs);
      }
      return;
    }
    const ClientKey client = key_of(from);
    if (clients.is_cut_off(client) || !has_room(config, client)) {
      ++refused_;
      ::close(fd);
      pause(kRefusalMs);
      continue;
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    open_[client].push_back({fd, inode_of(fd)});
    ++count_;
    handler_(fd);
  }
}

void Listener::police(Clients& clients) {
  for (auto& [client, sockets] : open_) {
    forget_closed(sockets);
    std::uint64_t bytes = 0;
    for (Socket& one : sockets) {
      const std::uint64_t received = std::max(bytes_received(one.fd), one.received);
      bytes += received - std::exchange(one.received, received);
    }
    if (bytes > 0) clients.received(client, bytes);
    if (!clients.is_cut_off(client)) continue;
    for (const Socket& one : sockets) {
      if (inode_of(one.fd) != one.inode) continue;
      ++cut_off_;
      ::shutdown(one.fd, SHUT_RDWR);
    }
  }
  std::erase_if(open_, [](const auto& one) { return one.second.empty(); });
}

void Listener::forget_closed(std::vector<Socket>& sockets) {
  const std::size_t before = sockets.size();
  std::erase_if(sockets, [](const Socket& one) { return inode_of(one.fd) != one.inode; });
  count_ -= before - sockets.size();
}

bool Listener::has_room(const ServerConfig& config, const ClientKey& client) {
  const auto own = open_.find(client);
  if (own != open_.end() && own->second.size() >= config.connections_per_client_max) {
    forget_closed(own->second);
    if (own->second.size() >= config.connections_per_client_max) return false;
  }
  if (count_ < config.connections_max) return true;
  for (auto& [key, sockets] : open_) forget_closed(sockets);
  std::erase_if(open_, [](const auto& one) { return one.second.empty(); });
  return count_ < config.connections_max;
}

}  // namespace tally::rpc
