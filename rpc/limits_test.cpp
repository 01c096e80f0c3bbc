// What one client can use of a node's gRPC server: work, places, connections, time to say hello,
// and the size of what it sends.
#include <arpa/inet.h>
#include <grpcpp/grpcpp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>

#include "rpc/clients.hpp"
#include "rpc/proto/author.grpc.pb.h"
#include "rpc/proto/chain.grpc.pb.h"
#include "rpc/proto/state.grpc.pb.h"
#include "rpc/testing/fake_chain.hpp"

namespace tally::rpc {
namespace {

namespace proto = tallystick::v1;
using testing::FakeChain;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kDeadline{20};

struct Served {
  FakeChain chain;
  std::unique_ptr<Server> server;
  std::shared_ptr<grpc::Channel> channel;

  explicit Served(ServerConfig config = {}) {
    config.listen = "127.0.0.1:0";
    server = *Server::start(config, chain);
    channel = grpc::CreateChannel("127.0.0.1:" + std::to_string(server->port()),
                                  grpc::InsecureChannelCredentials());
  }
};

// A connection from any loopback address, as if from another machine.
class Raw {
 public:
  Raw(std::uint16_t port, const char* from) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    REQUIRE(fd_ >= 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    REQUIRE(inet_pton(AF_INET, from, &address.sin_addr) == 1);
    REQUIRE(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  ~Raw() { close(fd_); }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;

  void send(const Bytes& bytes) const {
    // What cannot be sent any more has been cut off already.
    for (std::size_t sent = 0; sent < bytes.size();) {
      const ssize_t n = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return;
      sent += static_cast<std::size_t>(n);
    }
  }

  // Whether the other side ends it within the time.
  bool ended(std::chrono::milliseconds within) const {
    timeval wait{within.count() / 1'000, within.count() % 1'000 * 1'000};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    std::uint8_t sink[4096];
    ssize_t got = 0;
    while ((got = recv(fd_, sink, sizeof sink, 0)) > 0) {
    }
    return got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  }

 private:
  int fd_;
};

TEST_CASE("clients are told apart by address, not by connection") {
  CHECK(client_key("ipv4:10.0.0.1:1234") == client_key("ipv4:10.0.0.1:4321"));
  CHECK(client_key("ipv4:10.0.0.1:1234") != client_key("ipv4:10.0.0.2:1234"));
  CHECK(client_key("ipv6:%5B2001:db8::1%5D:1") == client_key("ipv6:[2001:db8::2]:9"));
  CHECK(client_key("ipv6:%5B2001:db8::1%5D:1") != client_key("ipv6:%5B2001:db8:1::1%5D:1"));
  CHECK(client_key("ipv6:%5Bfe80::1%25eth0%5D:1") == client_key("ipv6:%5Bfe80::2%5D:1"));
  CHECK(client_key("unix:/tmp/socket") == client_key("nonsense"));
}

TEST_CASE("a client that used up its level is refused, another is not") {
  ServerConfig config;
  config.client_work = {1, 100};
  config.refusal_delay_ms = 0;
  Clients clients(config);
  const ClientKey greedy = client_key("ipv4:10.0.0.1:1");
  const ClientKey other = client_key("ipv4:10.0.0.2:1");
  int served = 0;
  for (int i = 0; i < 100; ++i) served += clients.begin(greedy) ? 1 : 0;
  CHECK(served >= 25);  // bursts of one call's cost each
  CHECK(served <= 27);
  CHECK(clients.begin(other));
  const auto heavy = clients.begin(other);
  REQUIRE(heavy);
  heavy->charge(1'000);
  CHECK_FALSE(clients.begin(other));
}

TEST_CASE("one client leaves places for calls and streams to others") {
  ServerConfig config;
  config.calls_max = 8;
  config.streams_max = 8;
  Clients clients(config);
  const ClientKey greedy = client_key("ipv4:10.0.0.1:1");
  const ClientKey other = client_key("ipv4:10.0.0.2:1");
  std::vector<std::unique_ptr<Clients::Call>> calls;
  for (int i = 0; i < 6; ++i) {
    calls.push_back(clients.begin(greedy));
    REQUIRE(calls.back());
  }
  CHECK_FALSE(clients.begin(greedy));
  CHECK(clients.begin(other));
  calls.pop_back();
  CHECK(clients.begin(greedy));
  for (int i = 0; i < 4; ++i) REQUIRE(clients.open_stream(greedy));
  CHECK_FALSE(clients.open_stream(greedy));
  CHECK(clients.open_stream(other));
  clients.close_stream(greedy);
  CHECK(clients.open_stream(greedy));
}

TEST_CASE("no number of addresses is remembered without bound") {
  ServerConfig config;
  Clients clients(config);
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    clients.begin(
        client_key("ipv4:10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ":1"));
  }
  CHECK(clients.known() <= 4'096);
}

// Shown to fail: without the wait in begin().
TEST_CASE("a call waits for its client's level in its place, and is served") {
  ServerConfig config;
  config.client_work = {4'000, 4};
  config.refusal_delay_ms = 20'000;
  config.calls_max = 4;
  Clients clients(config);
  const ClientKey eager = client_key("ipv4:10.0.0.1:1");
  for (int i = 0; i < 20; ++i) CHECK(clients.begin(eager));
}

TEST_CASE("a call that waits is told when the server stops") {
  ServerConfig config;
  config.client_work = {1, 4};
  config.refusal_delay_ms = 3'600'000;
  Clients clients(config);
  const ClientKey eager = client_key("ipv4:10.0.0.1:1");
  clients.charge(eager, 1'000'000);
  std::thread waiting([&] { CHECK_FALSE(clients.begin(eager)); });
  clients.stop();
  waiting.join();
}

// Shown to fail: without refuse() in begin() and in open_stream().
TEST_CASE("who is refused again and again is cut off, others are not") {
  ServerConfig config;
  config.calls_max = 1;
  config.streams_max = 1;
  config.client_refusals = {1, 50};
  config.cut_off_ms = 3'600'000;
  Clients clients(config);
  const ClientKey calls = client_key("ipv4:10.0.0.1:1");
  const ClientKey streams = client_key("ipv4:10.0.0.2:1");
  const ClientKey other = client_key("ipv4:10.0.0.3:1");
  const auto held = clients.begin(calls);
  REQUIRE(held);
  REQUIRE(clients.open_stream(streams));
  for (int i = 0; i < 40; ++i) {
    CHECK_FALSE(clients.begin(calls));
    CHECK_FALSE(clients.open_stream(streams));
  }
  CHECK_FALSE(clients.is_cut_off(calls));
  CHECK_FALSE(clients.is_cut_off(streams));
  for (int i = 0; i < 40; ++i) {
    clients.begin(calls);
    clients.open_stream(streams);
  }
  CHECK(clients.is_cut_off(calls));
  CHECK(clients.is_cut_off(streams));
  CHECK_FALSE(clients.is_cut_off(other));
}

// Shown to fail: without received().
TEST_CASE("what comes in is work, and who owes too much is cut off") {
  ServerConfig config;
  config.client_work = {1'000, 1'000};
  config.cut_off_ms = 3'600'000;
  config.refusal_delay_ms = 0;
  Clients clients(config);
  const ClientKey sender = client_key("ipv4:10.0.0.1:1");
  clients.received(sender, 4 << 20);
  CHECK_FALSE(clients.begin(sender));
  CHECK_FALSE(clients.is_cut_off(sender));
  clients.received(sender, 4 << 20);
  CHECK(clients.is_cut_off(sender));
}

// Shown to fail: without the charge for bytes in the listener, and without its shutdown().
TEST_CASE("the connections of who sends too much are closed, and none is taken for a while") {
  ServerConfig config;
  config.client_work = {1, 64};
  config.debt_ms_max = 1;
  config.cut_off_ms = 3'600'000;
  Served s(config);
  auto chain = proto::Chain::NewStub(s.channel);
  const Raw held(s.server->port(), "127.0.0.9");
  held.send(to_bytes(as_bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")));
  // Frames of a kind that HTTP/2 does not know are read and dropped.
  const Bytes frame{0, 0, 0, 0xee, 0, 0, 0, 0, 0};
  Bytes settings_and_noise{0, 0, 0, 4, 0, 0, 0, 0, 0};
  for (int i = 0; i < 20'000; ++i) append(settings_and_noise, frame);
  held.send(settings_and_noise);
  CHECK(held.ended(kDeadline));
  CHECK(s.server->connections_cut_off() >= 1);
  CHECK(Raw(s.server->port(), "127.0.0.9").ended(kDeadline));
  CHECK(s.server->connections_refused() == 1);
  grpc::ClientContext context;
  proto::Heads heads;
  CHECK(chain->GetHeads(&context, {}, &heads).ok());
}

TEST_CASE("too many calls fail with a code at once, and work again after a while") {
  ServerConfig config;
  config.client_work = {100, 40};
  config.refusal_delay_ms = 0;
  config.client_refusals = {1'000'000, 1'000'000};
  Served s(config);
  auto chain = proto::Chain::NewStub(s.channel);
  const auto ask = [&] {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kDeadline);
    proto::Heads heads;
    const grpc::Status status = chain->GetHeads(&context, {}, &heads);
    if (status.ok()) return std::string("ok");
    const auto& trailers = context.GetServerTrailingMetadata();
    const auto code = trailers.find("tally-code");
    return code == trailers.end() ? status.error_message()
                                  : std::string(code->second.data(), code->second.size());
  };
  const auto end = Clock::now() + kDeadline;
  std::string answer = "ok";
  while (answer == "ok" && Clock::now() < end) answer = ask();
  CHECK(answer == "too_busy");
  while (answer == "too_busy" && Clock::now() < end) answer = ask();
  CHECK(answer == "ok");
}

TEST_CASE("a stream goes on at its client's pace") {
  ServerConfig config;
  config.client_work = {400, 8};
  Served s(config);
  for (int i = 0; i < 25; ++i) s.chain.add_block();
  auto chain = proto::Chain::NewStub(s.channel);
  grpc::ClientContext context;
  proto::SubscribeFinalizedRequest request;
  request.set_from_number(1);
  const auto began = Clock::now();
  const auto reader = chain->SubscribeFinalized(&context, request);
  proto::FinalizedHeader message;
  for (int i = 0; i < 25; ++i) REQUIRE(reader->Read(&message));
  CHECK(Clock::now() - began >= std::chrono::milliseconds(200));  // 25 x 4 units, less the burst
  context.TryCancel();
}

TEST_CASE("one address has so many connections, and gets more when some have ended") {
  ServerConfig config;
  config.connections_per_client_max = 3;
  Served s(config);
  std::vector<std::unique_ptr<Raw>> held;
  for (int i = 0; i < 3; ++i) held.push_back(std::make_unique<Raw>(s.server->port(), "127.0.0.9"));
  CHECK(Raw(s.server->port(), "127.0.0.9").ended(kDeadline));
  CHECK(s.server->connections_refused() == 1);
  // From another address the server is there as ever.
  auto chain = proto::Chain::NewStub(s.channel);
  grpc::ClientContext context;
  proto::Heads heads;
  CHECK(chain->GetHeads(&context, {}, &heads).ok());
  held.clear();
  const auto end = Clock::now() + kDeadline;
  bool in = false;
  while (!in && Clock::now() < end) {
    const auto refused = s.server->connections_refused();
    Raw again(s.server->port(), "127.0.0.9");
    in = !again.ended(std::chrono::milliseconds(50)) && s.server->connections_refused() == refused;
  }
  CHECK(in);
}

TEST_CASE("all connections together have their limit") {
  ServerConfig config;
  config.connections_max = 4;
  Served s(config);
  std::vector<std::unique_ptr<Raw>> held;
  for (const char* from : {"127.0.0.5", "127.0.0.6", "127.0.0.7", "127.0.0.8"}) {
    held.push_back(std::make_unique<Raw>(s.server->port(), from));
  }
  CHECK(Raw(s.server->port(), "127.0.0.9").ended(kDeadline));
  CHECK(s.server->connections_refused() == 1);
}

TEST_CASE("who connects and says nothing is cut off") {
  ServerConfig config;
  config.handshake_timeout_ms = 100;
  Served s(config);
  CHECK(Raw(s.server->port(), "127.0.0.9").ended(kDeadline));
}

TEST_CASE("oversize messages and metadata are refused, and the server goes on") {
  Served s;
  auto author = proto::Author::NewStub(s.channel);
  {
    grpc::ClientContext context;
    proto::SubmitRequest request;
    request.set_extrinsic(std::string(8 << 20, 'x'));
    proto::SubmitResponse reply;
    CHECK(author->Submit(&context, request, &reply).error_code() ==
          grpc::StatusCode::RESOURCE_EXHAUSTED);
  }
  {
    grpc::ClientContext context;
    context.AddMetadata("x", std::string(200'000, 'x'));
    proto::SubmitResponse reply;
    CHECK_FALSE(author->Submit(&context, {}, &reply).ok());
  }
  // Metadata above the limit costs the connection; the next one works.
  auto chain = proto::Chain::NewStub(s.channel);
  const auto works = [&] {
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    proto::Heads heads;
    return chain->GetHeads(&context, {}, &heads).ok();
  };
  const auto end = Clock::now() + kDeadline;
  bool worked = false;
  while (!worked && Clock::now() < end) worked = works();
  CHECK(worked);
}

}  // namespace
}  // namespace tally::rpc
