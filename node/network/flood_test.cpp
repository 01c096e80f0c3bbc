// What hostile connections can use of a node, on real sockets: each limit of TransportSettings.
// Waits poll a condition until a deadline.
#include <catch2/catch.hpp>

#include "node/network/testing.hpp"

using namespace tally;
using namespace tally::network;
using namespace tally::network::testing;

TEST_CASE("an address that begins too many handshakes is refused before TLS, others are not") {
  TransportSettings settings = quick();
  settings.gate.starts = {1, 5};
  Node a(1, settings);
  asio::io_context io;
  std::vector<tcp::socket> hostile;
  for (int i = 0; i < 20; ++i) hostile.push_back(raw_socket(io, a.transport->port(), "127.0.0.9"));
  CHECK(eventually([&] { return a.transport->counters().refused_early >= 14; }));
  Node b(2, dialling({a.address()}));
  CHECK(a.seen.wait([&] { return a.seen.ups.size() == 1; }));
}

TEST_CASE("handshakes of one address that never finish do not displace another's") {
  TransportSettings settings = quick();
  settings.gate.pending_max = 4;
  settings.gate.pending_per_address_max = 2;
  Node a(1, settings);
  asio::io_context io;
  tcp::socket honest = raw_socket(io, a.transport->port(), "127.0.0.2");
  std::vector<tcp::socket> hostile;
  for (int i = 0; i < 30; ++i) hostile.push_back(raw_socket(io, a.transport->port(), "127.0.0.9"));
  CHECK(eventually([&] { return a.transport->counters().handshakes_failed >= 28; }));
  honest.non_blocking(true);
  std::uint8_t byte = 0;
  boost::system::error_code error;
  honest.read_some(asio::buffer(&byte, 1), error);
  CHECK(error == asio::error::would_block);  // it still has its time
}

TEST_CASE("one address cannot take all inbound places") {
  TransportSettings settings = quick();
  settings.inbound_max = 3;
  settings.inbound_per_address_max = 2;
  Node a(1, settings);
  std::vector<std::unique_ptr<RawPeer>> hostile;
  for (std::uint8_t seed = 10; seed < 13; ++seed) {
    hostile.push_back(std::make_unique<RawPeer>(seed, a.transport->port(), "127.0.0.9"));
    hostile.back()->hello();
  }
  CHECK(logs(a, "all places for inbound peers are taken"));
  Node b(2, dialling({a.address()}));
  CHECK(a.seen.wait([&] {
    return std::any_of(a.seen.ups.begin(), a.seen.ups.end(),
                       [&](const PeerLink& link) { return link.peer == b.identity.id(); });
  }));
}

TEST_CASE("a peer is read at its budget of frames, and a validator at a higher one") {
  TransportSettings settings = quick();
  settings.guest_rates.frames = {1, 100};
  Node a(1, settings);
  const auto flood = [](RawPeer& peer) {
    for (int i = 0; i < 50; ++i) {
      Bytes frames;
      for (int j = 0; j < 40; ++j) append(frames, Bytes{0, 1, 1, 0, 0, 0, 7});
      peer.raw(frames);
    }
  };
  RawPeer guest(3, a.transport->port());
  guest.hello();
  flood(guest);
  REQUIRE(eventually([&] { return a.transport->counters().reads_paused > 0; }));
  {
    // Whole reads are handled: at most the burst, one read's frames, and the Hello.
    const std::lock_guard lock(a.seen.mutex);
    CHECK(a.seen.frames.size() < 2'000);
    a.seen.frames.clear();
  }
  a.transport->prefer_validators({ed25519_public(secret(20))});
  TransportSettings validator = dialling({a.address()});
  validator.prover = prover(20, 20);
  Node b(2, validator);
  REQUIRE(b.seen.wait([&] { return b.seen.ups.size() == 1; }));
  for (int i = 0; i < 500; ++i) {
    b.transport->send(a.identity.id(), ports::Channel::consensus, {7});
  }
  CHECK(a.seen.wait([&] {
    return std::count_if(a.seen.frames.begin(), a.seen.frames.end(),
                         [](const ReceivedFrame& frame) { return frame.urgent; }) == 500;
  }));
}

TEST_CASE("small frames that the core has not let go of stop the reading too") {
  TransportSettings settings = quick();
  settings.unread_frames_max = 10;
  Node a(1, settings);
  RawPeer peer(3, a.transport->port());
  peer.hello();
  REQUIRE(a.seen.wait([&] { return a.seen.ups.size() == 1; }));
  for (int i = 0; i < 100; ++i) peer.frame(0, Bytes(20'000));
  REQUIRE(a.seen.wait([&] { return a.seen.frames.size() > 10; }));
  std::size_t released = 0;
  CHECK(eventually([&] {
    std::vector<ReceivedFrame> taken;
    {
      const std::lock_guard lock(a.seen.mutex);
      CHECK(a.seen.frames.size() <= 13);  // one read more than the limit
      taken.swap(a.seen.frames);
    }
    released += taken.size();
    return released == 100;
  }));
}

TEST_CASE("when peers hold too much memory, whoever holds the most is cut off") {
  TransportSettings settings = quick();
  settings.guests_bytes_max = 4 * 1024 * 1024;
  Node a(1, settings);
  Node honest(2, dialling({a.address()}));
  REQUIRE(a.seen.wait([&] { return a.seen.ups.size() == 1; }));
  RawPeer peer(3, a.transport->port());
  peer.hello();
  // Frames on every lane that never end.
  const Bytes most(ports::kMaxFrameBytes - 1);
  for (Lane lane = 0; lane < kLanes; ++lane) {
    SendQueue queue(1 << 24);
    queue.push(lane, most);
    Bytes out;
    queue.take(out, ~std::size_t{0});
    out.resize(out.size() - kFragmentBytesMax - kFragmentHeaderBytes + 1);  // all but the last
    peer.raw(out);
  }
  CHECK(logs(a, "peer cut off"));
  REQUIRE(a.seen.wait([&] { return a.seen.downs.size() == 1; }));
  CHECK(a.seen.downs[0].first == NodeIdentity::from_secret(secret(3)).id());
  CHECK(a.transport->counters().links_cut == 1);
}

TEST_CASE("a peer that takes nothing of what waits for it is cut off, though it still sends") {
  TransportSettings settings = quick();
  settings.ping_interval = Milliseconds(20);
  settings.write_timeout = Milliseconds(200);
  settings.guests_bytes_max = 1 << 30;
  Node a(1, settings);
  RawPeer peer(3, a.transport->port());
  peer.hello();
  REQUIRE(a.seen.wait([&] { return a.seen.ups.size() == 1; }));
  for (int i = 0; i < 16; ++i) {
    a.transport->send(a.seen.ups[0].peer, ports::Channel::sync, Bytes(1 << 20));
  }
  CHECK(eventually([&] {
    peer.frame(kControlLane, encode(ControlMessage{Ping{}}));
    const std::lock_guard lock(a.seen.mutex);
    return a.seen.downs.size() == 1;
  }));
  CHECK(a.seen.downs[0].second == "took nothing for 200 ms of what waits for it");
}
