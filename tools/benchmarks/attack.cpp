#include "tools/benchmarks/attack.hpp"

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <iostream>
#include <thread>

#include "node/core/wire.hpp"
#include "node/network/framing.hpp"
#include "node/network/tls.hpp"
#include "rpc/proto/chain.grpc.pb.h"
#include "rpc/proto/state.grpc.pb.h"
#include "tests/support/relay.hpp"
#include "tools/benchmarks/transfers.hpp"

namespace tally::bench {
namespace {

namespace asio = boost::asio;
namespace proto = tallystick::v1;
using asio::ip::tcp;
using Error = boost::system::error_code;

constexpr const char* kFrom = "127.0.0.9";
constexpr int kReconnectMs = 20;
constexpr std::size_t kHeld = 300;  // connections that stay open at a target
constexpr std::size_t kVotes = 200;
constexpr std::size_t kTransactions = 2'000;
constexpr std::uint32_t kFirstSpender = 1'000;
constexpr std::uint32_t kSpenders = 1'000;  // of each target
constexpr std::uint32_t kNonces = 8;

const Transfers& transfers() {
  static const Transfers all;
  return all;
}

bool connect(tcp::socket& socket, std::uint16_t port) {
  Error error;
  socket.open(tcp::v4(), error);
  if (!error) socket.bind({asio::ip::make_address(kFrom), 0}, error);
  if (!error) socket.connect({asio::ip::address_v4::loopback(), port}, error);
  return !error;
}

// Everything is signed; floods.cpp waits for this line.
void begin() {
  static const bool once = (std::cout << "attacking" << std::endl, true);
  static_cast<void>(once);
}

// Opens connections as fast as it can and keeps the newest; each sends `first`.
void hold_connections(std::uint16_t port, const Bytes& first) {
  begin();
  asio::io_context io;
  std::deque<tcp::socket> held;
  for (;;) {
    tcp::socket socket(io);
    if (connect(socket, port)) {
      Error ignored;
      socket.write_some(asio::buffer(first), ignored);
      held.push_back(std::move(socket));
    }
    if (held.size() > kHeld) held.pop_front();
  }
}

network::NodeIdentity new_identity() {
  return network::NodeIdentity::from_secret(Secret::generate());
}

// The first message of a TLS handshake that is never finished.
Bytes client_hello() {
  asio::ssl::context context = network::make_tls_context(new_identity());
  SSL* ssl = SSL_new(context.native_handle());
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
  SSL_set_connect_state(ssl);
  SSL_do_handshake(ssl);
  Bytes hello(4'096);
  hello.resize(static_cast<std::size_t>(std::max(0, BIO_read(out, hello.data(), 4'096))));
  SSL_free(ssl);
  return hello;
}

Bytes framed(network::Lane lane, const Bytes& frame) {
  network::SendQueue queue(1 << 24);
  queue.push(lane, frame);
  Bytes out;
  queue.take(out, ~std::size_t{0});
  return out;
}

// A link with a new key: sends `batches` again and again, reads and drops what comes, and begins
// anew when it is thrown out.
void flood_link(std::uint16_t port, const std::vector<Bytes>& batches) {
  begin();
  for (;;) {
    asio::io_context io;
    asio::ssl::context tls = network::make_tls_context(new_identity());
    asio::ssl::stream<tcp::socket> stream(io, tls);
    Error error;
    if (!connect(stream.next_layer(), port)) continue;
    stream.handshake(asio::ssl::stream_base::client, error);
    if (error) continue;
    network::Hello hello;
    hello.genesis = transfers().genesis_hash();
    asio::write(stream,
                asio::buffer(framed(network::kControlLane,
                                    encode(network::ControlMessage(network::Hello(hello))))),
                error);
    Bytes sink(64 * 1024);
    std::function<void(const Error&, std::size_t)> drain = [&](const Error& failed, std::size_t) {
      if (!failed) stream.async_read_some(asio::buffer(sink), drain);
    };
    stream.async_read_some(asio::buffer(sink), drain);
    std::size_t next = 0;
    std::function<void(const Error&, std::size_t)> send = [&](const Error& failed, std::size_t) {
      if (failed) {
        stream.next_layer().close(error);
      } else {
        asio::async_write(stream, asio::buffer(batches[next++ % batches.size()]), send);
      }
    };
    send({}, 0);
    io.run();
  }
}

Bytes wire(ports::Channel channel, const core::WireMessage& message) {
  return framed(static_cast<network::Lane>(channel), encode(message));
}

// Votes that nobody has asked for, of validators that this peer is not, batched.
std::vector<Bytes> votes() {
  Bytes batch;
  for (std::size_t i = 0; i < kVotes; ++i) {
    Vote vote;  // a validator drops who sends one in its own name
    vote.statement = {Epoch(1), VoteKind::notarize, View(i + 1), transfers().genesis_hash()};
    vote.signer = ValidatorIndex(i % 4);
    const consensus::Envelope envelope{{Epoch(1), View(i + 1), View(0)},
                                       consensus::VoteMessage{vote}};
    append(batch, wire(ports::Channel::consensus, core::ConsensusFrame{envelope}));
  }
  return {batch};
}

std::vector<Bytes> gossip(const std::vector<std::string>& extrinsics) {
  std::vector<Bytes> out;
  core::Transactions message;
  for (const std::string& extrinsic : extrinsics) {
    if (message.extrinsics.push_back(to_bytes(as_bytes(extrinsic)))) continue;
    out.push_back(wire(ports::Channel::transactions, message));
    message = {};
  }
  out.push_back(wire(ports::Channel::transactions, message));
  return out;
}

std::vector<Bytes> unpaid() {
  std::vector<std::string> extrinsics;
  for (std::size_t i = 0; i < kTransactions; ++i) extrinsics.push_back(transfers().sign_unpaid());
  return gossip(extrinsics);
}

std::vector<Bytes> range_requests() {
  Bytes batch;
  for (std::uint32_t i = 0; i < 50; ++i) {
    append(batch, wire(ports::Channel::sync, core::RangeRequest{BlockNumber(1)}));
  }
  return {batch};
}

// Scans, reads with proofs, requests that are too large, and subscriptions that nobody reads.
void flood_rpc(const Target& target) {
  begin();
  const tests::Relay relay(target.rpc_port, {.from = kFrom});
  const std::string at = "127.0.0.1:" + std::to_string(relay.port());
  std::vector<std::jthread> threads;
  for (int i = 0; i < 24; ++i) {
    threads.emplace_back([at, i] {
      grpc::ChannelArguments own;
      own.SetInt("tally.connection", i);  // none is shared
      own.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectMs);
      own.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMs);
      const auto channel = grpc::CreateCustomChannel(at, grpc::InsecureChannelCredentials(), own);
      const auto state = proto::State::NewStub(channel);
      const auto chain = proto::Chain::NewStub(channel);
      std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
      std::vector<std::unique_ptr<grpc::ClientReader<proto::BlockEvents>>> unread;
      for (int j = 0; j < 8; ++j) {
        contexts.push_back(std::make_unique<grpc::ClientContext>());
        proto::SubscribeEventsRequest request;
        request.set_from_number(1);
        unread.push_back(chain->SubscribeEvents(contexts.back().get(), request));
      }
      for (;;) {
        grpc::ClientContext scan;
        scan.set_wait_for_ready(true);  // not burning the processor where nobody listens
        proto::ScanStateRequest rows;
        rows.set_prefix(std::string(32, '\x26'));
        rows.set_limit(1'000);
        proto::ScanStateResponse page;
        state->Scan(&scan, rows, &page);
        grpc::ClientContext read;
        read.set_wait_for_ready(true);
        proto::ReadStateRequest keys;
        keys.set_with_proof(true);
        for (int j = 0; j < 256; ++j) keys.add_keys(std::string(48, static_cast<char>(j)));
        proto::ReadStateResponse values;
        state->Read(&read, keys, &values);
        grpc::ClientContext oversize;
        oversize.set_wait_for_ready(true);
        keys.add_keys(std::string(4 << 20, 'x'));
        state->Read(&oversize, keys, &values);
      }
    });
  }
}

// Transfers that pay, as fast as one link takes them.
void spam(const Target& target) {
  static std::atomic<std::uint32_t> next{0};
  const std::uint32_t first = kFirstSpender + kSpenders * next++;
  std::vector<std::string> extrinsics;
  for (std::uint32_t nonce = 0; nonce < kNonces; ++nonce) {
    for (std::uint32_t i = 0; i < kSpenders; ++i) {
      extrinsics.push_back(transfers().sign({first + i, nonce}));
    }
  }
  flood_link(target.peer_port, gossip(extrinsics));
}

}  // namespace

const std::map<std::string, Attack>& attacks() {
  static const std::map<std::string, Attack> all{
      {"connections",
       [](const Target& target) {
         const std::jthread rpc([&] { hold_connections(target.rpc_port, {}); });
         hold_connections(target.peer_port, {});
       }},
      {"handshakes",
       [](const Target& target) { hold_connections(target.peer_port, client_hello()); }},
      {"garbage",
       [](const Target& target) { flood_link(target.peer_port, {framed(0, Bytes(1'000, 0xff))}); }},
      {"votes", [](const Target& target) { flood_link(target.peer_port, votes()); }},
      {"unpaid", [](const Target& target) { flood_link(target.peer_port, unpaid()); }},
      {"ranges", [](const Target& target) { flood_link(target.peer_port, range_requests()); }},
      {"rpc", flood_rpc},
      {"spam", spam},
      {"spin",
       [](const Target&) {
         begin();
         for (std::atomic<std::uint64_t> turns{0};;) ++turns;
       }},
  };
  return all;
}

int run_attack(const std::vector<std::string>& arguments) {
  const auto found = arguments.empty() ? attacks().end() : attacks().find(arguments[0]);
  if (found == attacks().end() || arguments.size() < 3 || arguments.size() % 2 == 0) {
    std::cerr << "usage: tally-bench --attack KIND PEER_PORT RPC_PORT..., where KIND is one of:";
    for (const auto& [name, attack] : attacks()) std::cerr << ' ' << name;
    std::cerr << '\n';
    return 2;
  }
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < arguments.size(); i += 2) {
    const Target target{static_cast<std::uint16_t>(std::stoul(arguments[i])),
                        static_cast<std::uint16_t>(std::stoul(arguments[i + 1]))};
    threads.emplace_back([attack = found->second, target] { attack(target); });
  }
  return 0;
}

}  // namespace tally::bench
