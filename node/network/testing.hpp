// What the tests of the transport share: nodes that record what they see, and peers that speak TLS
// but keep no rule. Tests only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>
#include <sstream>
#include <thread>

#include "node/network/framing.hpp"
#include "node/network/tls.hpp"
#include "node/network/transport.hpp"

namespace tally::network::testing {

namespace asio = boost::asio;
using asio::ip::tcp;

inline constexpr std::chrono::seconds kDeadline{20};

// A stream buffer that several threads may write and read.
class SharedText : public std::stringbuf {
 public:
  std::string text() {
    const std::lock_guard lock(mutex_);
    return str();
  }

 protected:
  std::streamsize xsputn(const char* data, std::streamsize size) override {
    const std::lock_guard lock(mutex_);
    return std::stringbuf::xsputn(data, size);
  }

 private:
  std::mutex mutex_;
};

class Recorder : public TransportListener {
 public:
  void on_peer_up(const PeerLink& link) override {
    change([&] { ups.push_back(link); });
  }
  void on_peer_down(const ports::PeerId& peer, const std::string& reason) override {
    change([&] { downs.emplace_back(peer, reason); });
  }
  void on_frame(ReceivedFrame frame) override {
    change([&] { frames.push_back(std::move(frame)); });
  }
  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, kDeadline, condition);
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<PeerLink> ups;
  std::vector<std::pair<ports::PeerId, std::string>> downs;
  std::vector<ReceivedFrame> frames;

 private:
  template <class Change>
  void change(Change apply) {
    const std::lock_guard lock(mutex);
    apply();
    changed.notify_all();
  }
};

inline Secret secret(std::uint8_t seed) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(seed);
  return Secret(bytes);
}

inline ValidatorProver prover(std::uint8_t claimed, std::uint8_t signs) {
  return {ed25519_public(secret(claimed)),
          [signs](ByteView bytes) { return ed25519_sign(secret(signs), bytes); }};
}

inline TransportSettings quick() {
  TransportSettings out;
  out.listen_port = 0;
  out.genesis.bytes.fill(1);
  out.redial_min = Milliseconds(10);
  out.redial_max = Milliseconds(50);
  return out;
}

struct Node {
  NodeIdentity identity;
  SharedText text;
  std::ostream stream{&text};
  Recorder seen;
  std::unique_ptr<Transport> transport;

  explicit Node(std::uint8_t seed, TransportSettings settings = quick())
      : identity(NodeIdentity::from_secret(secret(seed))) {
    start(std::move(settings));
  }
  void start(TransportSettings settings) {
    auto started = Transport::start(identity, std::move(settings), seen,
                                    Log::to_stream(stream, {LogLevel::debug, LogFormat::text}));
    REQUIRE(started.ok());
    transport = std::move(*started);
  }
  PeerAddress address() const { return {identity.id(), "127.0.0.1", transport->port()}; }
};

template <class Condition>
bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + kDeadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

inline bool logs(Node& node, const std::string& words) {
  return eventually([&] { return node.text.text().find(words) != std::string::npos; });
}

inline TransportSettings dialling(std::initializer_list<PeerAddress> peers) {
  TransportSettings out = quick();
  out.bootnodes = peers;
  return out;
}

// From any loopback address, as if another machine connected.
inline tcp::socket raw_socket(asio::io_context& io, std::uint16_t port,
                              const char* from = "127.0.0.1") {
  tcp::socket out(io);
  out.open(tcp::v4());
  out.bind({asio::ip::make_address(from), 0});
  out.connect({asio::ip::address_v4::loopback(), port});
  return out;
}

// A peer that speaks TLS but not our rules.
class RawPeer {
 public:
  RawPeer(std::uint8_t seed, std::uint16_t port, const char* from = "127.0.0.1")
      : context_(make_tls_context(NodeIdentity::from_secret(secret(seed)))),
        stream_(io_, context_) {
    stream_.next_layer() = raw_socket(io_, port, from);
    stream_.handshake(asio::ssl::stream_base::client);
  }
  void frame(Lane lane, const Bytes& bytes) {
    SendQueue queue(1 << 24);
    queue.push(lane, bytes);
    Bytes out;
    queue.take(out, ~std::size_t{0});
    raw(out);
  }
  void raw(const Bytes& bytes) {
    boost::system::error_code ignored;
    asio::write(stream_, asio::buffer(bytes), ignored);
  }
  void hello() {
    Hello hello;
    hello.genesis.bytes.fill(1);
    frame(kControlLane, encode(ControlMessage{hello}));
  }
  // Everything until the other side ends the connection.
  void drain() {
    Bytes buffer(4096);
    boost::system::error_code error;
    while (!error) stream_.read_some(asio::buffer(buffer), error);
  }

 private:
  asio::io_context io_;
  asio::ssl::context context_;
  asio::ssl::stream<tcp::socket> stream_;
};

}  // namespace tally::network::testing
