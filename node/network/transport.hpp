// The peer-to-peer transport: the Network port over TLS 1.3 and TCP.
//
// Peers are known by their node key: both sides show a self-signed certificate, its Ed25519 key is
// the peer's id, and nothing else is trusted. Peers of another chain and validators that cannot
// prove their key are refused (handshake.hpp). Frames are opaque, of at most 4 MiB, in lanes of
// urgency (framing.hpp).
//
// Links. Bootnodes are dialled until they answer, with a wait that doubles up to `redial_max`, and
// again whenever a link to them ends. Two links to one peer: the newer wins if the same side
// dialled both, else the one that the lower node key dialled. But a link that is `settled_after`
// old and still answers keeps its place: a second node with a copied node key does not displace the
// first, unless it alone proves a validator's key, and learns that its key is in use; the listener
// says Hello only to whom it admits. Inbound links are limited; bootnodes and the keys given to
// prefer_validators() do not count, of which each may have four. A peer that misbehaves is refused
// for `ban`.
//
// Pressure. Sending never blocks: what does not fit into a peer's queue is dropped by the rule of
// SendQueue, and a peer that takes nothing of it for `write_timeout` is cut off. Receiving pushes
// back: a peer is not read from, and TCP slows it down, while its frames that the core has not let
// go of (see ReceivedFrame) exceed `unread_bytes_max` or `unread_frames_max`, or when it has used
// up its budget of bytes or frames a second. What all peers but the preferred validators hold of
// this node's memory (half frames, unread ones, what waits for them) is at most
// `guests_bytes_max`; above it, whoever holds most is cut off.
//
// Silence. After `ping_interval` without a byte a ping is sent, after `idle_timeout` the link ends.
// A TLS and Hello exchange must end within `handshake_timeout`; how many may begin and be under way
// is the gate's rule (address_gate.hpp). Of one address at most `inbound_per_address_max` links
// take an inbound place.
//
// Threads: one thread of its own does all I/O and calls the listener; public functions may be
// called from any thread. After stop() returns the listener is not called again.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "node/log/log.hpp"
#include "node/network/address.hpp"
#include "node/network/address_gate.hpp"
#include "node/network/handshake.hpp"
#include "node/network/identity.hpp"
#include "node/ports/network.hpp"

namespace tally::network {

// What is read from one peer: frames, bytes.
struct PeerRates {
  Rate frames;
  Rate bytes;
};

struct TransportSettings {
  std::string listen_host = "127.0.0.1";
  std::uint16_t listen_port = 30333;  // 0: one that is free
  std::vector<PeerAddress> bootnodes;
  Hash genesis;
  std::optional<ValidatorProver> prover;  // of a validator

  std::size_t inbound_max = 64;
  std::size_t inbound_per_address_max = 32;
  GateLimits gate;
  std::size_t send_queue_bytes_max = 32 * 1024 * 1024;
  std::size_t unread_bytes_max = 8 * 1024 * 1024;
  std::size_t unread_frames_max = 1'024;
  std::size_t guests_bytes_max = 256 * 1024 * 1024;
  PeerRates guest_rates{{2'000, 4'000}, {16 << 20, 32 << 20}};
  PeerRates validator_rates{{8'000, 16'000}, {128 << 20, 256 << 20}};
  Milliseconds handshake_timeout{5'000};
  Milliseconds write_timeout{15'000};
  Milliseconds ping_interval{5'000};
  Milliseconds idle_timeout{15'000};
  Milliseconds settled_after{5'000};  // at most half of redial_max
  Milliseconds redial_min{200};
  Milliseconds redial_max{10'000};
  Milliseconds ban{60'000};
};

// A peer whose link is up.
struct PeerLink {
  ports::PeerId peer;
  std::optional<Ed25519Key> validator;  // the consensus key that it proved
  std::string address;                  // host:port at the other end
  bool inbound = false;
};

struct ReceivedFrame {
  ports::PeerId peer;
  ports::Channel channel{};
  Bytes bytes;
  // Of the consensus channel, from a validator that prefer_validators() names.
  bool urgent = false;
  // The frame counts as unread until this is destroyed. Shared with the link, which may end first.
  std::shared_ptr<void> unread;
};

// Called on the transport's thread; must return at once.
class TransportListener {
 public:
  virtual ~TransportListener() = default;
  virtual void on_peer_up(const PeerLink& link) = 0;
  virtual void on_peer_down(const ports::PeerId& peer, const std::string& reason) = 0;
  virtual void on_frame(ReceivedFrame frame) = 0;
};

struct TransportCounters {
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t frames_sent = 0;
  std::uint64_t frames_received = 0;
  std::uint64_t frames_dropped = 0;     // queues that were full
  std::uint64_t handshakes_failed = 0;  // garbage, other chains, impostors, timeouts
  std::uint64_t refused_early = 0;      // connections above their address's rate
  std::uint64_t reads_paused = 0;       // a peer had used up its budget
  std::uint64_t links_cut = 0;          // took nothing, or held too much
};

class Transport final : public ports::Network {
 public:
  // Listens and begins to dial; an address that cannot be bound is an error. The listener must
  // outlive the transport.
  static Result<std::unique_ptr<Transport>, Error> start(const NodeIdentity& identity,
                                                         TransportSettings settings,
                                                         TransportListener& listener, Log log);
  ~Transport() override;  // stops

  void send(const ports::PeerId& to, ports::Channel channel, Bytes frame) override;
  void disconnect(const ports::PeerId& peer, std::string_view reason) override;

  // These validators are let in even when all inbound places are taken.
  void prefer_validators(std::vector<Ed25519Key> keys);
  std::vector<PeerLink> peers() const;
  // A bootnode has held on to another link of this node's key for so long that it cannot be an old
  // one of this node: another node has the same key.
  bool key_is_in_use() const;
  TransportCounters counters() const;
  std::uint16_t port() const;  // that it listens on
  void stop();

 private:
  class Impl;
  explicit Transport(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tally::network
