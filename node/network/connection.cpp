#include "node/network/connection.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include "node/network/tls.hpp"

namespace tally::network {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::size_t kReadBytes = 32 * 1024;
constexpr std::size_t kWriteBytes = 128 * 1024;
constexpr Milliseconds kLinger{500};
constexpr std::size_t kHeldWorthALook = 256 * 1024;

std::string describe_tls_failure(const boost::system::error_code& error) {
  return "expected the TLS 1.3 handshake of a Tallystick node, came: " + error.message();
}

}  // namespace

struct Connection::Unread {
  std::atomic<std::size_t> bytes{0};
  std::atomic<std::size_t> frames{0};
  std::size_t bytes_max = 0;
  std::size_t frames_max = 0;
  std::shared_ptr<asio::io_context> io;
  std::weak_ptr<Connection> connection;

  bool too_much() const { return bytes > bytes_max || frames > frames_max; }
  void release(std::size_t n) {
    const bool before = too_much();
    bytes -= n;
    --frames;
    if (!before || too_much()) return;
    asio::post(*io, [weak = connection] {
      if (const ConnectionPtr self = weak.lock()) self->read();
    });
  }
};

Connection::Connection(Setup setup, tcp::socket socket)
    : setup_(std::move(setup)),
      stream_(std::move(socket), setup_.tls),
      timer_(*setup_.io),
      in_(kReadBytes),
      pause_(*setup_.io),
      frames_(setup_.settings.guest_rates.frames, std::chrono::steady_clock::now()),
      bytes_(setup_.settings.guest_rates.bytes, std::chrono::steady_clock::now()),
      queue_(setup_.settings.send_queue_bytes_max),
      unread_(std::make_shared<Unread>()),
      last_received_(std::chrono::steady_clock::now()) {
  unread_->bytes_max = setup_.settings.unread_bytes_max;
  unread_->frames_max = setup_.settings.unread_frames_max;
  unread_->io = setup_.io;
}

void Connection::begin() {
  unread_->connection = weak_from_this();
  Error ignored;
  stream_.next_layer().set_option(tcp::no_delay(true), ignored);
  arm(setup_.settings.handshake_timeout);
  const auto side =
      setup_.role == Role::dialer ? asio::ssl::stream_base::client : asio::ssl::stream_base::server;
  stream_.async_handshake(
      side, [self = shared_from_this()](const Error& error) { self->on_handshake(error); });
}

void Connection::on_handshake(const Error& error) {
  if (state_ != LinkState::handshaking) return;
  if (error) return close(describe_tls_failure(error));
  SSL* ssl = stream_.native_handle();
  peer_ = peer_key(ssl);
  exporter_ = tls_exporter(ssl);
  if (!peer_ || !exporter_) return close("expected an Ed25519 certificate, came another");
  if (setup_.expected && *setup_.expected != *peer_) {
    return close("expected node key " + to_hex(*setup_.expected) + " at " + setup_.address +
                 ", came " + to_hex(*peer_) + "; correct the bootnode entry");
  }
  state_ = LinkState::greeting;
  if (auto refusal = setup_.owner.judge_key(*peer_)) {
    say_goodbye(refusal->code, std::move(refusal->reason));
    return read();
  }
  if (setup_.role == Role::dialer) send_hello();
  read();
}

void Connection::send_hello() {
  send_control(
      make_hello(setup_.settings.prover, {setup_.settings.genesis, *exporter_, setup_.role}));
}

void Connection::read() {
  if (reading_ || state_ == LinkState::handshaking || state_ == LinkState::closed) return;
  if (paused_ || (state_ == LinkState::up && unread_->too_much())) return;
  reading_ = true;
  stream_.async_read_some(asio::buffer(in_),
                          [self = shared_from_this()](const Error& error, std::size_t bytes) {
                            self->reading_ = false;
                            self->on_read(error, bytes);
                          });
}

void Connection::set_rates(const PeerRates& rates) {
  const SteadyTime now = std::chrono::steady_clock::now();
  frames_.set_rate(rates.frames, now);
  bytes_.set_rate(rates.bytes, now);
}

// What it has sent is handled; more is read when its budget has filled up again.
bool Connection::pause_reading(std::size_t bytes, std::size_t frames) {
  const SteadyTime now = std::chrono::steady_clock::now();
  bytes_.charge(now, static_cast<std::int64_t>(bytes));
  frames_.charge(now, static_cast<std::int64_t>(frames));
  const Milliseconds wait = std::max(bytes_.wait(now), frames_.wait(now));
  if (wait.count() == 0 || state_ == LinkState::closed) return false;
  ++setup_.counters.reads_paused;
  paused_ = true;
  pause_.expires_after(wait);
  pause_.async_wait([self = shared_from_this()](const Error& cancelled) {
    if (cancelled) return;
    self->paused_ = false;
    self->read();
  });
  return true;
}

std::size_t Connection::held_bytes() const {
  return assembler_.bytes() + unread_->bytes + queue_.bytes();
}

void Connection::watch_memory() {
  const std::size_t held = held_bytes();
  const bool grew = held > held_seen_ + kReadBytes;
  if (grew || held + kHeldWorthALook < held_seen_) held_seen_ = held;
  if (grew && held > kHeldWorthALook) setup_.owner.on_held(shared_from_this());
}

void Connection::on_read(const Error& error, std::size_t bytes) {
  if (state_ == LinkState::closed) return;
  if (error) {
    return close(error == asio::error::eof || error == asio::ssl::error::stream_truncated
                     ? std::string("the peer closed the connection")
                     : error.message());
  }
  last_received_ = std::chrono::steady_clock::now();
  setup_.counters.bytes_received += bytes;
  std::size_t frames = 0;
  const auto wrong = assembler_.consume(ByteView(in_).first(bytes), [&](Lane lane, Bytes frame) {
    ++frames;
    // What still comes behind a refusal counts for nothing, above all not as misbehaviour.
    if (state_ != LinkState::greeting && state_ != LinkState::up) return false;
    if (lane == kControlLane) {
      on_control(frame);
    } else if (state_ == LinkState::up) {
      ++setup_.counters.frames_received;
      setup_.owner.on_frame(shared_from_this(), lane, std::move(frame));
    }
    return state_ == LinkState::greeting || state_ == LinkState::up;
  });
  if (state_ == LinkState::greeting || state_ == LinkState::up) {
    if (wrong) return misbehaved("sent " + std::string(to_text(*wrong)));
  }
  watch_memory();
  if (!pause_reading(bytes, frames)) read();
}

void Connection::misbehaved(const std::string& what) {
  setup_.owner.on_misbehaviour(shared_from_this(), what);
  say_goodbye(GoodbyeCode::misbehaviour, what);
}

void Connection::on_control(ByteView frame) {
  const auto message = decode<ControlMessage>(frame);
  if (!message) return misbehaved("sent a control message that does not decode");
  if (const auto* hello = std::get_if<Hello>(&*message)) {
    if (state_ != LinkState::greeting) return misbehaved("sent a second Hello");
    return on_hello(*hello);
  }
  if (const auto* goodbye = std::get_if<Goodbye>(&*message)) {
    goodbye_ = goodbye->code;
    return close("the peer said goodbye: " + std::string(enumerator_name(goodbye->code)));
  }
  if (state_ != LinkState::up) return misbehaved("sent a control message before its Hello");
  if (const auto* ping = std::get_if<Ping>(&*message)) send_control(Pong{ping->number});
}

bool Connection::is_settled(SteadyTime now) const {
  // A live peer answers a ping, and is pinged after an interval without a byte.
  const auto silence_max = 2 * setup_.settings.ping_interval;
  return was_up_ && now - up_since_ >= setup_.settings.settled_after &&
         now - last_received_ < silence_max;
}

void Connection::on_hello(const Hello& hello) {
  const ProofContext context{setup_.settings.genesis, *exporter_, opposite(setup_.role)};
  if (auto refusal = judge_hello(hello, context)) {
    if (refusal->code == GoodbyeCode::bad_validator_proof) {
      setup_.owner.on_misbehaviour(shared_from_this(), refusal->reason);
    }
    if (setup_.role == Role::listener) send_hello();  // it may see for itself what does not fit
    return say_goodbye(refusal->code, std::move(refusal->reason));
  }
  if (hello.validator) validator_ = hello.validator->key;
  if (auto refusal = setup_.owner.admit(shared_from_this())) {
    return say_goodbye(refusal->code, std::move(refusal->reason));
  }
  // Who is not admitted hears no Hello, so that no link seems to be up that is not.
  if (setup_.role == Role::listener) send_hello();
  state_ = LinkState::up;
  was_up_ = true;
  up_since_ = std::chrono::steady_clock::now();
  assembler_.open_channels();
  arm(setup_.settings.ping_interval);
}

void Connection::send_control(const ControlMessage& message) {
  if (queue_.push(kControlLane, encode(message))) write();
}

void Connection::send(Lane lane, Bytes frame) {
  if (state_ != LinkState::greeting && state_ != LinkState::up) return;
  const std::uint64_t before = queue_.dropped();
  queue_.push(lane, std::move(frame));
  setup_.counters.frames_dropped += queue_.dropped() - before;
  write();
  watch_memory();
}

void Connection::write() {
  if (writing_ || queue_.empty()) return;
  if (state_ == LinkState::handshaking || state_ == LinkState::closed) return;
  out_.clear();
  setup_.counters.frames_sent += queue_.take(out_, kWriteBytes);
  writing_ = true;
  write_began_ = std::chrono::steady_clock::now();
  asio::async_write(stream_, asio::buffer(out_),
                    [self = shared_from_this()](const Error& error, std::size_t bytes) {
                      self->writing_ = false;
                      self->setup_.counters.bytes_sent += bytes;
                      if (self->state_ == LinkState::closed) return;
                      if (error) return self->close(error.message());
                      if (self->state_ == LinkState::closing && self->queue_.empty()) {
                        Error ignored;
                        self->stream_.next_layer().shutdown(tcp::socket::shutdown_send, ignored);
                      }
                      self->write();
                    });
}

void Connection::say_goodbye(GoodbyeCode code, std::string reason) {
  if (state_ == LinkState::closing || state_ == LinkState::closed) return;
  if (state_ == LinkState::handshaking) return close(std::move(reason));
  goodbye_ = code;
  close_reason_ = std::move(reason);
  queue_ = SendQueue(setup_.settings.send_queue_bytes_max);
  state_ = LinkState::closing;
  send_control(Goodbye{code});
  arm(kLinger);
}

void Connection::close(std::string reason) {
  if (state_ == LinkState::closed) return;
  if (close_reason_.empty()) close_reason_ = std::move(reason);
  state_ = LinkState::closed;
  Error ignored;
  timer_.cancel(ignored);
  pause_.cancel(ignored);
  stream_.next_layer().close(ignored);
  // Later, so that the owner may forget this connection while one of its own calls runs in it.
  asio::post(*setup_.io, [self = shared_from_this()] { self->setup_.owner.on_closed(self); });
}

std::shared_ptr<void> Connection::count_unread(std::size_t bytes) {
  unread_->bytes += bytes;
  ++unread_->frames;
  return {nullptr, [unread = unread_, bytes](void*) { unread->release(bytes); }};
}

void Connection::arm(Milliseconds after) {
  timer_.expires_after(after);
  timer_.async_wait([self = shared_from_this()](const Error& error) {
    if (!error) self->on_timer();
  });
}

void Connection::on_timer() {
  switch (state_) {
    case LinkState::handshaking:
    case LinkState::greeting:
      return close("expected the handshake within " +
                   std::to_string(setup_.settings.handshake_timeout.count()) +
                   " ms, came nothing more");
    case LinkState::closing:
      return close("");
    case LinkState::closed:
      return;
    case LinkState::up:
      break;
  }
  const SteadyTime now = std::chrono::steady_clock::now();
  if (writing_ && now - write_began_ >= setup_.settings.write_timeout) {
    ++setup_.counters.links_cut;
    return close("took nothing for " + std::to_string(setup_.settings.write_timeout.count()) +
                 " ms of what waits for it");
  }
  const auto silent = now - last_received_;
  // A peer that we do not read from cannot be heard.
  if (reading_ && silent >= setup_.settings.idle_timeout) {
    return close("nothing came for " + std::to_string(setup_.settings.idle_timeout.count()) +
                 " ms");
  }
  if (silent >= setup_.settings.ping_interval || !reading_) send_control(Ping{});
  arm(setup_.settings.ping_interval);
}

}  // namespace tally::network
