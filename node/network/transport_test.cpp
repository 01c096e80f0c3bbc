// Real sockets on loopback, ports chosen by the system. Waits poll a condition until a deadline.
#include "node/network/transport.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "node/network/testing.hpp"

using namespace tally;
using namespace tally::network;
using namespace tally::network::testing;

TEST_CASE("two nodes link, know each other by key, and frames cross whole") {
  TransportSettings settings = quick();
  settings.prover = prover(20, 20);
  Node a(1, settings);
  Node b(2, dialling({a.address()}));
  REQUIRE(a.seen.wait([&] { return a.seen.ups.size() == 1; }));
  REQUIRE(b.seen.wait([&] { return b.seen.ups.size() == 1; }));
  CHECK(a.seen.ups[0].peer == b.identity.id());
  CHECK(a.seen.ups[0].inbound);
  CHECK_FALSE(a.seen.ups[0].validator);
  CHECK(b.seen.ups[0].peer == a.identity.id());
  CHECK(b.seen.ups[0].validator == ed25519_public(secret(20)));
  CHECK_FALSE(b.seen.ups[0].inbound);
  CHECK(a.transport->peers().size() == 1);

  Bytes large(ports::kMaxFrameBytes);
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<std::uint8_t>(i % 251);
  a.transport->send(b.identity.id(), ports::Channel::sync, large);
  a.transport->send(b.identity.id(), ports::Channel::consensus, {});
  a.transport->send(ports::PeerId{}, ports::Channel::sync, {1});  // to nobody: dropped
  REQUIRE(b.seen.wait([&] { return b.seen.frames.size() == 2; }));
  for (const ReceivedFrame& frame : b.seen.frames) {
    CHECK(frame.peer == a.identity.id());
    CHECK(frame.bytes == (frame.channel == ports::Channel::sync ? large : Bytes{}));
  }
}

TEST_CASE("when both dial, one link is left, and it works both ways") {
  Node a(1);
  Node b(2, dialling({a.address()}));
  const PeerAddress to_b = b.address();
  a.transport->stop();
  TransportSettings again = dialling({to_b});
  a.start(again);
  // b dials a's old port in vain; a third start puts both addresses right.
  REQUIRE(a.seen.wait([&] { return !a.seen.ups.empty(); }));
  const PeerAddress to_a = a.address();
  b.transport->stop();
  TransportSettings settings = dialling({to_a});
  settings.listen_port = to_b.port;
  b.start(settings);
  REQUIRE(eventually([&] {
    return a.transport->peers().size() == 1 && b.transport->peers().size() == 1 &&
           a.transport->peers()[0].inbound != b.transport->peers()[0].inbound;
  }));
  // Both choose by the same rule, so the answer comes over the link that stays.
  REQUIRE(eventually([&] {
    b.transport->send(a.identity.id(), ports::Channel::consensus, {1});
    const std::lock_guard lock(a.seen.mutex);
    return !a.seen.frames.empty();
  }));
  REQUIRE(eventually([&] {
    a.transport->send(b.identity.id(), ports::Channel::consensus, {2});
    const std::lock_guard lock(b.seen.mutex);
    return !b.seen.frames.empty();
  }));
}

// Shown to fail where the newer link wins whatever the older one's age.
TEST_CASE("a second node with a copied key displaces nobody, and says that its key is in use") {
  TransportSettings settings = quick();
  settings.settled_after = Milliseconds(0);
  Node a(1, settings);
  Node first(2, dialling({a.address()}));
  REQUIRE(a.seen.wait([&] { return a.seen.ups.size() == 1; }));
  settings = dialling({a.address()});
  settings.idle_timeout = Milliseconds(100);
  Node copy(2, settings);
  CHECK(eventually([&] { return copy.transport->key_is_in_use(); }));
  CHECK(logs(copy, "another node has this node's key"));
  CHECK(copy.seen.ups.empty());
  CHECK(a.seen.ups.size() == 1);
  CHECK(first.seen.downs.empty());
  first.transport->stop();
  CHECK(copy.seen.wait([&] { return copy.seen.ups.size() == 1; }));
  CHECK_FALSE(copy.transport->key_is_in_use());
}

// Shown to fail where a settled link keeps its place against everybody.
TEST_CASE("who has a validator's node key and no more does not keep the validator out") {
  TransportSettings settings = quick();
  settings.settled_after = Milliseconds(0);
  Node a(1, settings);
  a.transport->prefer_validators({ed25519_public(secret(20))});
  Node thief(2, dialling({a.address()}));
  REQUIRE(a.seen.wait([&] { return a.seen.ups.size() == 1; }));
  settings = dialling({a.address()});
  settings.prover = prover(20, 20);
  Node validator(2, settings);
  REQUIRE(a.seen.wait([&] { return a.seen.ups.size() == 2; }));
  CHECK(a.seen.ups[1].validator == ed25519_public(secret(20)));
  CHECK(logs(thief, "the peer said goodbye: duplicate"));
  CHECK(validator.seen.downs.empty());
}

// Shown to fail without the limit.
TEST_CASE("a validator has four links at most, whatever node keys it shows") {
  Node a(1);
  a.transport->prefer_validators({ed25519_public(secret(20))});
  TransportSettings settings = dialling({a.address()});
  settings.prover = prover(20, 20);
  std::vector<std::unique_ptr<Node>> nodes;
  for (std::uint8_t seed = 2; seed < 7; ++seed) {
    nodes.push_back(std::make_unique<Node>(seed, settings));
  }
  REQUIRE(a.seen.wait([&] { return a.seen.ups.size() == 4; }));
  CHECK(logs(a, "there are enough links of this validator's key"));
  nodes.erase(nodes.begin());
  CHECK(a.seen.wait([&] { return a.seen.ups.size() >= 4 + a.seen.downs.size(); }));
}

TEST_CASE("a node of another chain is refused, and both logs say which chains") {
  Node a(1);
  TransportSettings settings = dialling({a.address()});
  settings.genesis.bytes.fill(2);
  Node b(2, settings);
  CHECK(logs(a, "expected genesis " + to_hex(quick().genesis)));
  CHECK(logs(b, "another chain"));
  CHECK(a.seen.ups.empty());
  CHECK(b.seen.ups.empty());
}

TEST_CASE("a node that claims another validator's key is refused and banned") {
  Node a(1);
  TransportSettings settings = dialling({a.address()});
  settings.prover = prover(20, 21);
  Node b(2, settings);
  CHECK(logs(a, "claims to be validator " + to_hex(ed25519_public(secret(20)))));
  CHECK(logs(a, "the peer is banned for a while"));
  CHECK(a.seen.ups.empty());
}

TEST_CASE("a bootnode with another key than the configured one is not spoken to") {
  Node a(1);
  PeerAddress wrong = a.address();
  wrong.peer.bytes[0] ^= 1;
  Node b(2, dialling({wrong}));
  CHECK(logs(b, "expected node key " + to_hex(wrong.peer)));
  CHECK(b.seen.ups.empty());
}

TEST_CASE("a lost peer is dialled again until it is back") {
  Node b(2);
  const PeerAddress address = b.address();
  Node a(1, dialling({address}));
  REQUIRE(a.seen.wait([&] { return a.seen.ups.size() == 1; }));
  b.transport->stop();
  REQUIRE(a.seen.wait([&] { return a.seen.downs.size() == 1; }));
  TransportSettings settings = quick();
  settings.listen_port = address.port;
  b.start(settings);
  CHECK(a.seen.wait([&] { return a.seen.ups.size() == 2; }));
}

TEST_CASE("garbage on the port is survived and logged") {
  Node a(1);
  asio::io_context io;
  for (const std::string& garbage :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(100'000, '\xff'),
        std::string("\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03", 11)}) {
    tcp::socket socket = raw_socket(io, a.transport->port());
    boost::system::error_code ignored;
    asio::write(socket, asio::buffer(garbage), ignored);
    socket.close();
  }
  CHECK(eventually([&] { return a.transport->counters().handshakes_failed == 3; }));
  CHECK(logs(a, "expected the TLS 1.3 handshake"));
  Node b(2, dialling({a.address()}));
  CHECK(a.seen.wait([&] { return a.seen.ups.size() == 1; }));
}

TEST_CASE("a connection that says nothing ends after the handshake time") {
  TransportSettings settings = quick();
  settings.handshake_timeout = Milliseconds(50);
  Node a(1, settings);
  asio::io_context io;
  tcp::socket silent = raw_socket(io, a.transport->port());
  CHECK(logs(a, "expected the handshake within 50 ms"));
}

TEST_CASE("many silent connections do not keep others out") {
  TransportSettings settings = quick();
  settings.gate.pending_max = 3;
  Node a(1, settings);
  asio::io_context io;
  std::vector<tcp::socket> silent;
  for (int i = 0; i < 20; ++i) silent.push_back(raw_socket(io, a.transport->port()));
  CHECK(logs(a, "too many handshakes"));
  Node b(2, dialling({a.address()}));
  CHECK(a.seen.wait([&] { return a.seen.ups.size() == 1; }));
}

TEST_CASE("a silent peer behind a good handshake is let go") {
  TransportSettings settings = quick();
  settings.ping_interval = Milliseconds(20);
  settings.idle_timeout = Milliseconds(100);
  Node a(1, settings);
  RawPeer peer(3, a.transport->port());
  peer.hello();
  REQUIRE(a.seen.wait([&] { return a.seen.downs.size() == 1; }));
  CHECK(a.seen.downs[0].second == "nothing came for 100 ms");
}

TEST_CASE("pings keep an idle link alive") {
  TransportSettings settings = quick();
  settings.ping_interval = Milliseconds(10);
  settings.idle_timeout = Milliseconds(2000);
  Node a(1, settings);
  settings.bootnodes = {a.address()};
  Node b(2, settings);
  REQUIRE(a.seen.wait([&] { return a.seen.ups.size() == 1; }));
  const auto before = a.transport->counters().bytes_received;
  CHECK(eventually([&] { return a.transport->counters().bytes_received > before + 100; }));
  CHECK(a.seen.downs.empty());
}

TEST_CASE("what breaks the frame rules ends the link and bans the peer") {
  TransportSettings settings = quick();
  settings.gate.misbehaviour_costs = 0;  // one address does all of it
  Node a(1, settings);
  const auto attack = [&](std::uint8_t seed, bool greet, auto send, const std::string& words) {
    RawPeer peer(seed, a.transport->port());
    if (greet) peer.hello();
    send(peer);
    peer.drain();
    CHECK(logs(a, words));
  };
  attack(
      3, true, [](RawPeer& p) { p.frame(0, Bytes(ports::kMaxFrameBytes + 1)); },
      "a frame of more than 4 MiB");
  attack(
      4, true,
      [](RawPeer& p) {
        p.raw({0, 1, 0xff, 0xff, 0xff, 0xff});
      },
      "a fragment of more than 32 KiB");
  attack(
      8, true,
      [](RawPeer& p) {
        p.raw({0, 0, 0, 0, 0, 0});
      },
      "a fragment of less than 32 KiB that is not its frame's last");
  attack(
      5, false, [](RawPeer& p) { p.frame(0, {1}); }, "a channel that does not exist");
  attack(
      6, true, [](RawPeer& p) { p.hello(); }, "sent a second Hello");
  attack(
      7, false,
      [](RawPeer& p) {
        p.frame(kControlLane, {9, 9});
      },
      "does not decode");
  attack(
      7, true, [](RawPeer&) {}, "the peer is banned for a while");
  CHECK(a.seen.frames.empty());
}

TEST_CASE("disconnect ends the link and keeps the peer out for a while") {
  TransportSettings settings = quick();
  settings.ban = Milliseconds(200);
  Node a(1, settings);
  Node b(2, dialling({a.address()}));
  REQUIRE(a.seen.wait([&] { return a.seen.ups.size() == 1; }));
  a.transport->disconnect(b.identity.id(), "sent a bad signature");
  REQUIRE(b.seen.wait([&] { return b.seen.downs.size() == 1; }));
  CHECK(b.seen.downs[0].second == "the peer said goodbye: misbehaviour");
  CHECK(logs(a, "the peer is banned for a while"));
  CHECK(a.seen.wait([&] { return a.seen.ups.size() == 2; }));
}

TEST_CASE("inbound places are limited, and a preferred validator gets in all the same") {
  TransportSettings settings = quick();
  settings.inbound_max = 1;
  Node a(1, settings);
  a.transport->prefer_validators({ed25519_public(secret(20))});
  Node b(2, dialling({a.address()}));
  REQUIRE(a.seen.wait([&] { return a.seen.ups.size() == 1; }));
  Node c(3, dialling({a.address()}));
  CHECK(logs(a, "all places for inbound peers are taken"));
  TransportSettings validator = dialling({a.address()});
  validator.prover = prover(20, 20);
  Node d(4, validator);
  CHECK(a.seen.wait([&] { return a.seen.ups.size() == 2; }));
  CHECK(a.seen.ups[1].peer == d.identity.id());
}

TEST_CASE("frames that the core has not let go of stop the reading, and letting go resumes it") {
  TransportSettings settings = quick();
  settings.unread_bytes_max = 100'000;
  Node a(1, settings);
  Node b(2, dialling({a.address()}));
  REQUIRE(b.seen.wait([&] { return b.seen.ups.size() == 1; }));
  constexpr std::size_t kCount = 400;
  for (std::size_t i = 0; i < kCount; ++i) {
    b.transport->send(a.identity.id(), ports::Channel::sync, Bytes(50'000));
  }
  REQUIRE(a.seen.wait([&] { return a.seen.frames.size() >= 2; }));
  // Taken whole reads at a time, so a little more than the limit may come; never the rest.
  b.transport->send(a.identity.id(), ports::Channel::consensus, {1});
  REQUIRE(eventually([&] { return b.transport->counters().bytes_sent > 300'000; }));
  std::size_t released = 0;
  REQUIRE(eventually([&] {
    std::vector<ReceivedFrame> taken;
    {
      const std::lock_guard lock(a.seen.mutex);
      CHECK(a.seen.frames.size() <= 5);
      taken.swap(a.seen.frames);
    }
    released += taken.size();
    return released == kCount + 1;
  }));
}

TEST_CASE("a port that is taken is an error that names it") {
  Node a(1);
  Recorder seen;
  TransportSettings settings = quick();
  settings.listen_port = a.transport->port();
  auto second = Transport::start(NodeIdentity::from_secret(secret(2)), settings, seen, Log());
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().message.find(std::to_string(a.transport->port())) != std::string::npos);
  settings.listen_host = "nowhere";
  auto third = Transport::start(NodeIdentity::from_secret(secret(2)), settings, seen, Log());
  CHECK(third.error().message.find("'nowhere'") != std::string::npos);
}

TEST_CASE("the node key is made once, kept, and refused when damaged") {
  const auto folder = std::filesystem::temp_directory_path() /
                      ("tally-identity-" + to_hex(Secret::generate().view()).substr(0, 16));
  std::filesystem::create_directory(folder);
  const auto file = folder / "node.pem";
  const auto first = NodeIdentity::load_or_create(file);
  REQUIRE(first.ok());
  const auto second = NodeIdentity::load_or_create(file);
  REQUIRE(second.ok());
  CHECK(first->id() == second->id());
  const auto mode = std::filesystem::status(file).permissions();
  CHECK(mode == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  std::ofstream(file, std::ios::trunc) << "not a key";
  const auto third = NodeIdentity::load_or_create(file);
  REQUIRE_FALSE(third.ok());
  CHECK(third.error().message.find(file.string()) != std::string::npos);
  std::filesystem::remove_all(folder);
}
