// One TLS connection to a peer, from the TCP socket to the last byte. Internal to this folder.
//
//   handshaking  TLS            -> greeting
//   greeting     Hello both ways -> up, when the owner admits it
//   up           frames
//   closing      a Goodbye is on its way; what arrives is ignored
//   closed       the owner has been told, once
//
// Everything happens on the transport's thread.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "node/network/framing.hpp"
#include "node/network/handshake.hpp"
#include "node/network/transport.hpp"

namespace tally::network {

enum class LinkState : std::uint8_t { handshaking, greeting, up, closing, closed };

class Connection;
using ConnectionPtr = std::shared_ptr<Connection>;  // shared with the handlers under way

class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  // TLS has proved the key; a ban is answered before any more work is done.
  virtual std::optional<HelloRefusal> judge_key(const ports::PeerId& peer) = 0;
  // TLS and Hello are good; the answer lets the peer in or says why not.
  virtual std::optional<HelloRefusal> admit(const ConnectionPtr& connection) = 0;
  virtual void on_frame(const ConnectionPtr& connection, Lane lane, Bytes frame) = 0;
  // It holds a good deal of memory, and more than the last time.
  virtual void on_held(const ConnectionPtr& connection) = 0;
  virtual void on_misbehaviour(const ConnectionPtr& connection, const std::string& what) = 0;
  virtual void on_closed(const ConnectionPtr& connection) = 0;
};

struct Counters {
  std::atomic<std::uint64_t> bytes_sent{0};
  std::atomic<std::uint64_t> bytes_received{0};
  std::atomic<std::uint64_t> frames_sent{0};
  std::atomic<std::uint64_t> frames_received{0};
  std::atomic<std::uint64_t> frames_dropped{0};
  std::atomic<std::uint64_t> handshakes_failed{0};
  std::atomic<std::uint64_t> refused_early{0};
  std::atomic<std::uint64_t> reads_paused{0};
  std::atomic<std::uint64_t> links_cut{0};
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  struct Setup {
    ConnectionOwner& owner;
    const TransportSettings& settings;
    Counters& counters;
    std::shared_ptr<boost::asio::io_context> io;  // shared with frames that the core still holds
    boost::asio::ssl::context& tls;
    Role role{};
    std::optional<ports::PeerId> expected;  // of a bootnode that was dialled
    std::string address;
    AddressKey address_key;
  };
  Connection(Setup setup, boost::asio::ip::tcp::socket socket);

  void begin();
  void send(Lane lane, Bytes frame);
  // Tells the peer why and ends the connection; the reason is for our own log.
  void say_goodbye(GoodbyeCode code, std::string reason);
  // Ends it without a word.
  void close(std::string reason);
  // What the core holds of a received frame until it lets go.
  std::shared_ptr<void> count_unread(std::size_t bytes);

  void set_rates(const PeerRates& rates);
  // Of half frames, unread ones and what waits to be sent.
  std::size_t held_bytes() const;
  // Until the gate has been told that the handshake is over.
  bool at_gate = false;

  LinkState state() const { return state_; }
  Role role() const { return setup_.role; }
  const std::optional<ports::PeerId>& peer() const { return peer_; }
  const std::optional<ports::PeerId>& expected() const { return setup_.expected; }
  const std::optional<Ed25519Key>& validator() const { return validator_; }
  const std::string& address() const { return setup_.address; }
  const AddressKey& address_key() const { return setup_.address_key; }
  const std::string& close_reason() const { return close_reason_; }
  const std::optional<GoodbyeCode>& goodbye() const { return goodbye_; }
  bool was_up() const { return was_up_; }
  // Up for a good while, and the peer was heard not long ago.
  bool is_settled(SteadyTime now) const;

 private:
  using Error = boost::system::error_code;
  struct Unread;

  void on_handshake(const Error& error);
  void read();
  bool pause_reading(std::size_t bytes, std::size_t frames);
  void watch_memory();
  void on_read(const Error& error, std::size_t bytes);
  void write();
  void on_control(ByteView frame);
  void send_hello();
  void on_hello(const Hello& hello);
  void misbehaved(const std::string& what);
  void send_control(const ControlMessage& message);
  void arm(Milliseconds after);
  void on_timer();

  Setup setup_;
  boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream_;
  boost::asio::steady_timer timer_;
  LinkState state_ = LinkState::handshaking;
  bool was_up_ = false;
  SteadyTime up_since_;
  std::optional<ports::PeerId> peer_;
  std::optional<Ed25519Key> validator_;
  std::optional<TlsExporter> exporter_;
  std::optional<GoodbyeCode> goodbye_;  // that either side said
  std::string close_reason_;

  FrameAssembler assembler_;
  Bytes in_;
  bool reading_ = false;
  bool paused_ = false;  // its budget is used up
  boost::asio::steady_timer pause_;
  Budget frames_;
  Budget bytes_;
  std::size_t held_seen_ = 0;
  SendQueue queue_;
  Bytes out_;
  bool writing_ = false;
  SteadyTime write_began_;
  std::shared_ptr<Unread> unread_;  // shared with the frames that count in it
  SteadyTime last_received_;
};

}  // namespace tally::network
