#include "node/signer/protocol.hpp"

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tally::signer {
namespace {

constexpr std::chrono::milliseconds kConnectPatience{1'000};

Result<sockaddr_un, Error> address_of(const std::string& path) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof out.sun_path) {
    return fail_with("the signer's socket: expected a path of 1 to " +
                     std::to_string(sizeof out.sun_path - 1) + " bytes, came '" + path + "'");
  }
  std::memcpy(out.sun_path, path.data(), path.size());
  return out;
}

// 0, or the error: EAGAIN where somebody listens and accepts nobody in time.
int connect_to(const Socket& from, const sockaddr_un& to) {
  from.limit(kConnectPatience);
  const auto* address = reinterpret_cast<const sockaddr*>(&to);
  return ::connect(from.file(), address, sizeof to) == 0 ? 0 : errno;
}

bool send_all(int file, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(file, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return true;
}

bool receive_all(int file, std::uint8_t* to, std::size_t size) {
  while (size > 0) {
    const ssize_t got = ::recv(file, to, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

Socket::~Socket() {
  if (file_ >= 0) ::close(file_);
}
Socket::Socket(Socket&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

bool Socket::send(ByteView content) const {
  if (file_ < 0 || content.size() > kMaxFrame) return false;
  Encoder frame;
  encode_to(frame, static_cast<std::uint32_t>(content.size()));
  frame.raw(content);
  return send_all(file_, frame.bytes());
}

std::optional<Bytes> Socket::receive() const {
  std::uint8_t head[4];
  if (file_ < 0 || !receive_all(file_, head, sizeof head)) return std::nullopt;
  const auto length = decode<std::uint32_t>(ByteView(head, sizeof head));
  if (!length.ok() || *length > kMaxFrame) return std::nullopt;
  Bytes out(*length);
  if (!receive_all(file_, out.data(), out.size())) return std::nullopt;
  return out;
}

void Socket::limit(std::chrono::milliseconds patience) const {
  timeval time{};
  time.tv_sec = patience.count() / 1'000;
  time.tv_usec = static_cast<suseconds_t>(patience.count() % 1'000 * 1'000);
  (void)::setsockopt(file_, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  (void)::setsockopt(file_, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

Result<Socket, Error> connect_unix(const std::string& path) {
  const sockaddr_un address = TALLY_TRY(address_of(path));
  Socket out(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!out.open()) return fail_with(std::string("cannot make a socket: ") + std::strerror(errno));
  const int why = connect_to(out, address);
  if (why != 0) return fail_with("nobody answers at unix:" + path + ": " + std::strerror(why));
  return out;
}

// A socket file that nobody listens on is what a signer that was killed left behind.
Result<Socket, Error> listen_unix(const std::string& path, std::optional<gid_t> group) {
  const sockaddr_un address = TALLY_TRY(address_of(path));
  const Socket probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int heard = connect_to(probe, address);
  if (heard == 0 || heard == EAGAIN) {  // it hangs, and its queue is full
    return fail_with("another signer listens at unix:" + path + "; stop it, or name another path");
  }
  struct stat there {};
  if (::lstat(path.c_str(), &there) == 0) {
    if (!S_ISSOCK(there.st_mode)) {
      return fail_with(path + " is there and is no socket; name another path");
    }
    (void)::unlink(path.c_str());
  }
  Socket out(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!out.open()) return fail_with(std::string("cannot make a socket: ") + std::strerror(errno));
  // The file is made with this mask: nobody else may connect at any moment.
  const mode_t before = ::umask(0177);
  const int bound = ::bind(out.file(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int why = errno;
  ::umask(before);
  if (bound != 0) return fail_with("cannot listen at unix:" + path + ": " + std::strerror(why));
  if (group && (::chown(path.c_str(), static_cast<uid_t>(-1), *group) != 0 ||
                ::chmod(path.c_str(), 0660) != 0)) {
    return fail_with("cannot give unix:" + path + " to the group: " + std::strerror(errno) +
                     "; the signer's user must be a member of it");
  }
  if (::listen(out.file(), 4) != 0) {
    return fail_with("cannot listen at unix:" + path + ": " + std::strerror(errno));
  }
  return out;
}

Result<gid_t, Error> group_of(const std::string& name) {
  std::array<char, 65'536> members{};
  group entry{};
  group* found = nullptr;
  if (::getgrnam_r(name.c_str(), &entry, members.data(), members.size(), &found) != 0 ||
      found == nullptr) {
    return fail_with("--socket-group: there is no group '" + name + "' on this machine");
  }
  return entry.gr_gid;
}

}  // namespace tally::signer
