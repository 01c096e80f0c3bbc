#include "node/network/transport.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "node/network/connection.hpp"
#include "node/network/tls.hpp"

namespace tally::network {

namespace asio = boost::asio;
using asio::ip::tcp;
using SystemError = boost::system::error_code;

namespace {

constexpr std::size_t kBansMax = 4096;
constexpr Milliseconds kAcceptPause{100};
constexpr Milliseconds kRefusalPause{1};
constexpr std::uint64_t kFailureLinesPerWindow = 20;
constexpr Milliseconds kFailureWindow{10'000};

std::string to_text(const tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" +
         std::to_string(endpoint.port());
}

// A bootnode and how its dialling goes.
struct Dial {
  PeerAddress address;
  tcp::resolver resolver;
  tcp::socket socket;
  asio::steady_timer timer;
  Milliseconds wait;
  bool busy = false;  // resolving, connecting, or a connection of this dial is alive
  std::string last_failure;
  std::optional<SteadyTime> displaced_since;  // by another link of this node's key

  Dial(asio::io_context& io, PeerAddress to, Milliseconds first_wait)
      : address(std::move(to)), resolver(io), socket(io), timer(io), wait(first_wait) {}
};

}  // namespace

class Transport::Impl final : public ConnectionOwner {
 public:
  Impl(const NodeIdentity& identity, TransportSettings settings, TransportListener& listener,
       Log log)
      : own_(identity.id()),
        settings_(std::move(settings)),
        listener_(listener),
        log_(std::move(log)),
        tls_(make_tls_context(identity)),
        acceptor_(*io_),
        accept_timer_(*io_),
        gate_(settings_.gate) {}
  ~Impl() override { stop(); }

  Result<void, Error> start();
  void stop();
  void send(const ports::PeerId& to, Lane lane, Bytes frame);
  void disconnect(const ports::PeerId& peer, std::string reason);
  void prefer_validators(std::vector<Ed25519Key> keys);
  std::vector<PeerLink> peers() const;
  TransportCounters counters() const;
  bool key_is_in_use() const { return key_is_in_use_; }
  std::uint16_t port() const { return port_; }

  std::optional<HelloRefusal> judge_key(const ports::PeerId& peer) override;
  std::optional<HelloRefusal> admit(const ConnectionPtr& connection) override;
  void on_frame(const ConnectionPtr& connection, Lane lane, Bytes frame) override;
  void on_held(const ConnectionPtr& connection) override;
  void on_misbehaviour(const ConnectionPtr& connection, const std::string& what) override;
  void on_closed(const ConnectionPtr& connection) override;

 private:
  void accept();
  void accept_after(Milliseconds pause);
  void on_accept(const SystemError& error, tcp::socket socket);
  void make_room_for_handshake(const AddressKey& address);
  void leave_gate(const ConnectionPtr& connection);
  ConnectionPtr add(Connection::Setup setup, tcp::socket socket);
  Connection::Setup setup(Role role, std::string address, const AddressKey& key);
  void dial(Dial& dial);
  void on_dialled(Dial& dial, const SystemError& error);
  void redial_later(Dial& dial, const std::string& failure);
  Dial* dial_to(const ports::PeerId& peer);
  bool is_preferred(const ConnectionPtr& connection) const;
  std::ptrdiff_t links_of(const Ed25519Key& validator) const;
  bool inbound_is_full(const AddressKey& address) const;
  bool is_validator(const ConnectionPtr& connection) const;
  bool is_banned(const ports::PeerId& peer);
  void ban(const ports::PeerId& peer);
  void blame_address(const ConnectionPtr& connection);
  const PeerRates& rates_of(const ConnectionPtr& connection) const;
  void take_down(const ConnectionPtr& connection, const std::string& reason);
  void log_failure(const ConnectionPtr& connection);
  void note_end(Dial& dial, const ConnectionPtr& connection);
  void look_for_key_use(SteadyTime now);
  void publish_links();
  void begin_stop();

  const ports::PeerId own_;
  const TransportSettings settings_;
  TransportListener& listener_;
  Log log_;
  // Shared with frames that the core still holds.
  std::shared_ptr<asio::io_context> io_ = std::make_shared<asio::io_context>(1);
  asio::ssl::context tls_;
  tcp::acceptor acceptor_;
  asio::steady_timer accept_timer_;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
  std::thread thread_;
  std::uint16_t port_ = 0;
  Counters counters_;
  std::atomic<bool> key_is_in_use_{false};

  // Of the transport's thread.
  bool stopping_ = false;
  std::vector<ConnectionPtr> connections_;  // in the order of their begin
  std::map<ports::PeerId, ConnectionPtr> links_;
  std::vector<std::unique_ptr<Dial>> dials_;
  std::map<ports::PeerId, SteadyTime> bans_;
  std::set<Ed25519Key> preferred_;
  AddressGate gate_;
  std::mt19937_64 jitter_{std::random_device{}()};
  SteadyTime failure_window_;
  std::uint64_t failures_in_window_ = 0;

  mutable std::mutex published_mutex_;
  std::vector<PeerLink> published_;
};

Result<void, Error> Transport::Impl::start() {
  const std::string where = settings_.listen_host + ":" + std::to_string(settings_.listen_port);
  SystemError error;
  const auto address = asio::ip::make_address(settings_.listen_host, error);
  if (error) {
    return fail_with("peer port: expected an IP address to listen on, came '" +
                     settings_.listen_host + "'");
  }
  const tcp::endpoint endpoint(address, settings_.listen_port);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return fail_with("peer port: cannot listen on " + where + ": " + error.message() +
                     "; choose another with --port, or stop the program that holds it");
  }
  port_ = acceptor_.local_endpoint().port();
  for (const PeerAddress& bootnode : settings_.bootnodes) {
    if (bootnode.peer == own_) continue;
    dials_.push_back(std::make_unique<Dial>(*io_, bootnode, settings_.redial_min));
  }
  work_.emplace(io_->get_executor());
  asio::post(*io_, [this] {
    accept();
    for (const auto& entry : dials_) dial(*entry);
  });
  log_.info("listening for peers",
            {{"address", settings_.listen_host + ":" + std::to_string(port_)},
             {"node_key", to_hex(own_)}});
  thread_ = std::thread([this] { io_->run(); });
  return {};
}

void Transport::Impl::begin_stop() {
  stopping_ = true;
  SystemError ignored;
  acceptor_.close(ignored);
  accept_timer_.cancel(ignored);
  for (const auto& entry : dials_) {
    entry->timer.cancel(ignored);
    entry->resolver.cancel();
    entry->socket.close(ignored);
  }
  for (const ConnectionPtr& connection : std::vector(connections_)) {
    take_down(connection, "this node is shutting down");
    connection->say_goodbye(GoodbyeCode::shutting_down, "this node is shutting down");
  }
  work_.reset();
}

void Transport::Impl::stop() {
  if (!thread_.joinable()) return;
  asio::post(*io_, [this] { begin_stop(); });
  thread_.join();
}

void Transport::Impl::send(const ports::PeerId& to, Lane lane, Bytes frame) {
  TALLY_ASSERT(frame.size() <= ports::kMaxFrameBytes);
  asio::post(*io_, [this, to, lane, bytes = std::move(frame)]() mutable {
    const auto found = links_.find(to);
    if (found != links_.end()) found->second->send(lane, std::move(bytes));
  });
}

void Transport::Impl::disconnect(const ports::PeerId& peer, std::string reason) {
  asio::post(*io_, [this, peer, why = std::move(reason)] {
    ban(peer);
    const auto found = links_.find(peer);
    if (found == links_.end()) return;
    const ConnectionPtr connection = found->second;
    log_.warn("peer dropped for what it sent", {{"peer", to_hex(peer)}, {"reason", why}});
    blame_address(connection);
    take_down(connection, why);
    connection->say_goodbye(GoodbyeCode::misbehaviour, why);
  });
}

void Transport::Impl::prefer_validators(std::vector<Ed25519Key> keys) {
  asio::post(*io_, [this, list = std::move(keys)] {
    preferred_ = std::set<Ed25519Key>(list.begin(), list.end());
    for (const auto& [peer, connection] : links_) connection->set_rates(rates_of(connection));
  });
}

std::vector<PeerLink> Transport::Impl::peers() const {
  const std::lock_guard lock(published_mutex_);
  return published_;
}

TransportCounters Transport::Impl::counters() const {
  return {counters_.bytes_sent,      counters_.bytes_received, counters_.frames_sent,
          counters_.frames_received, counters_.frames_dropped, counters_.handshakes_failed,
          counters_.refused_early,   counters_.reads_paused,   counters_.links_cut};
}

void Transport::Impl::accept() {
  if (stopping_) return;
  acceptor_.async_accept([this](const SystemError& error, tcp::socket socket) {
    on_accept(error, std::move(socket));
  });
}

void Transport::Impl::on_accept(const SystemError& error, tcp::socket socket) {
  if (stopping_) return;
  if (error) {
    log_.warn("cannot accept a connection", {{"reason", error.message()}});
    return accept_after(kAcceptPause);
  }
  SystemError gone;
  const tcp::endpoint remote = socket.remote_endpoint(gone);
  if (!gone) {
    const AddressKey key = address_key(remote.address());
    if (gate_.may_begin(key, std::chrono::steady_clock::now())) {
      make_room_for_handshake(key);
      const auto connection = add(setup(Role::listener, to_text(remote), key), std::move(socket));
      gate_.begun(key);
      connection->at_gate = true;
      connection->begin();
    } else {
      // Links that are up matter more than new ones: a flood of connections waits in the kernel.
      ++counters_.refused_early;
      return accept_after(kRefusalPause);
    }
  }
  accept();
}

void Transport::Impl::accept_after(Milliseconds pause) {
  accept_timer_.expires_after(pause);
  accept_timer_.async_wait([this](const SystemError& cancelled) {
    if (!cancelled) accept();
  });
}

void Transport::Impl::make_room_for_handshake(const AddressKey& address) {
  const auto victim = gate_.must_give_way(address);
  if (!victim) return;
  const auto oldest =
      std::find_if(connections_.begin(), connections_.end(), [&](const auto& connection) {
        return connection->at_gate && connection->address_key() == *victim;
      });
  TALLY_ASSERT(oldest != connections_.end());
  leave_gate(*oldest);
  (*oldest)->close("too many handshakes at a time");
}

void Transport::Impl::leave_gate(const ConnectionPtr& connection) {
  if (!std::exchange(connection->at_gate, false)) return;
  gate_.ended(connection->address_key());
}

Connection::Setup Transport::Impl::setup(Role role, std::string address, const AddressKey& key) {
  return {*this, settings_, counters_, io_, tls_, role, std::nullopt, std::move(address), key};
}

ConnectionPtr Transport::Impl::add(Connection::Setup with, tcp::socket socket) {
  connections_.push_back(std::make_shared<Connection>(std::move(with), std::move(socket)));
  return connections_.back();
}

void Transport::Impl::dial(Dial& dial) {
  if (stopping_ || dial.busy) return;
  // A link of either direction will do; when it ends, on_closed comes back here.
  if (links_.count(dial.address.peer) != 0) return;
  dial.busy = true;
  dial.resolver.async_resolve(
      dial.address.host, std::to_string(dial.address.port),
      [this, &dial](const SystemError& error, tcp::resolver::results_type found) {
        if (error || stopping_) return on_dialled(dial, error);
        dial.socket = tcp::socket(*io_);
        asio::async_connect(dial.socket, found,
                            [this, &dial](const SystemError& failed, const tcp::endpoint&) {
                              on_dialled(dial, failed);
                            });
      });
}

void Transport::Impl::on_dialled(Dial& dial, const SystemError& error) {
  if (stopping_) return;
  if (error) {
    dial.busy = false;
    return redial_later(dial, error.message());
  }
  Connection::Setup with =
      setup(Role::dialer, dial.address.host + ":" + std::to_string(dial.address.port), {});
  with.expected = dial.address.peer;
  add(std::move(with), std::exchange(dial.socket, tcp::socket(*io_)))->begin();
}

void Transport::Impl::redial_later(Dial& dial, const std::string& failure) {
  if (failure != dial.last_failure) {
    log_.info("cannot reach a bootnode yet",
              {{"peer", to_text(dial.address)}, {"reason", failure}});
    dial.last_failure = failure;
  }
  const auto half = dial.wait.count() / 2;
  const Milliseconds wait(half + static_cast<std::int64_t>(jitter_() % (half + 1)));
  dial.wait = std::min(dial.wait * 2, settings_.redial_max);
  dial.timer.expires_after(wait);
  dial.timer.async_wait([this, &dial](const SystemError& cancelled) {
    if (!cancelled) this->dial(dial);
  });
}

Dial* Transport::Impl::dial_to(const ports::PeerId& peer) {
  for (const auto& entry : dials_) {
    if (entry->address.peer == peer) return entry.get();
  }
  return nullptr;
}

bool Transport::Impl::is_validator(const ConnectionPtr& connection) const {
  return connection->validator() && preferred_.count(*connection->validator()) != 0;
}

const PeerRates& Transport::Impl::rates_of(const ConnectionPtr& connection) const {
  return is_validator(connection) ? settings_.validator_rates : settings_.guest_rates;
}

bool Transport::Impl::is_preferred(const ConnectionPtr& connection) const {
  if (connection->role() == Role::dialer || is_validator(connection)) return true;
  return std::any_of(dials_.begin(), dials_.end(),
                     [&](const auto& entry) { return entry->address.peer == *connection->peer(); });
}

std::ptrdiff_t Transport::Impl::links_of(const Ed25519Key& validator) const {
  return std::count_if(links_.begin(), links_.end(),
                       [&](const auto& link) { return link.second->validator() == validator; });
}

bool Transport::Impl::inbound_is_full(const AddressKey& address) const {
  std::size_t taken = 0;
  std::size_t of_address = 0;
  for (const auto& [peer, connection] : links_) {
    if (is_preferred(connection)) continue;
    ++taken;
    if (connection->address_key() == address) ++of_address;
  }
  return taken >= settings_.inbound_max || of_address >= settings_.inbound_per_address_max;
}

bool Transport::Impl::is_banned(const ports::PeerId& peer) {
  const auto found = bans_.find(peer);
  if (found == bans_.end()) return false;
  if (std::chrono::steady_clock::now() < found->second) return true;
  bans_.erase(found);
  return false;
}

void Transport::Impl::ban(const ports::PeerId& peer) {
  const SteadyTime now = std::chrono::steady_clock::now();
  if (bans_.size() >= kBansMax) {
    std::erase_if(bans_, [&](const auto& entry) { return entry.second <= now; });
    if (bans_.size() >= kBansMax) bans_.erase(bans_.begin());
  }
  bans_[peer] = now + settings_.ban;
}

// A new key costs nothing: who breaks the rules waits under any.
void Transport::Impl::blame_address(const ConnectionPtr& connection) {
  if (connection->role() != Role::listener || is_validator(connection)) return;
  gate_.misbehaved(connection->address_key(), std::chrono::steady_clock::now());
}

std::optional<HelloRefusal> Transport::Impl::judge_key(const ports::PeerId& peer) {
  if (is_banned(peer)) return HelloRefusal{GoodbyeCode::banned, "the peer is banned for a while"};
  return std::nullopt;
}

std::optional<HelloRefusal> Transport::Impl::admit(const ConnectionPtr& connection) {
  const ports::PeerId& peer = *connection->peer();
  if (stopping_) return HelloRefusal{GoodbyeCode::shutting_down, "this node is shutting down"};
  if (peer == own_) {
    return HelloRefusal{GoodbyeCode::duplicate,
                        "the peer has this node's own key: two nodes run with one node key file, "
                        "or the node dialled itself"};
  }
  const auto existing = links_.find(peer);
  if (existing != links_.end()) {
    const ConnectionPtr old = existing->second;
    const ports::PeerId& dialer = connection->role() == Role::dialer ? own_ : peer;
    // Who has stolen a node key and no more does not keep the validator out.
    const bool outranks = is_validator(connection) && !is_validator(old);
    if (!outranks && old->is_settled(std::chrono::steady_clock::now())) {
      return HelloRefusal{GoodbyeCode::duplicate, "there is a link to this peer, from " +
                                                      old->address() +
                                                      ": do two nodes run with one node key?"};
    }
    const bool newer_wins =
        outranks || old->role() == connection->role() || dialer == std::min(own_, peer);
    if (!newer_wins) return HelloRefusal{GoodbyeCode::duplicate, "there is a link to this peer"};
    take_down(old, "replaced by another link to the same peer");
    old->say_goodbye(GoodbyeCode::duplicate, "replaced by another link to the same peer");
  } else if (is_validator(connection) &&
             links_of(*connection->validator()) >= ports::kLinksOfValidator) {
    return HelloRefusal{GoodbyeCode::full, "there are enough links of this validator's key"};
  } else if (!is_preferred(connection) && inbound_is_full(connection->address_key())) {
    return HelloRefusal{GoodbyeCode::full, "all places for inbound peers are taken"};
  }
  links_[peer] = connection;
  leave_gate(connection);
  connection->set_rates(rates_of(connection));
  publish_links();
  if (Dial* dial = dial_to(peer)) {
    if (!dial->displaced_since) dial->wait = settings_.redial_min;
    dial->last_failure.clear();
    look_for_key_use(std::chrono::steady_clock::now());
  }
  const auto& validator = connection->validator();
  log_.info("peer up", {{"peer", to_hex(peer)},
                        {"address", connection->address()},
                        {"validator", validator ? to_hex(*validator) : "none"},
                        {"direction", connection->role() == Role::dialer ? "out" : "in"}});
  listener_.on_peer_up(
      {peer, validator, connection->address(), connection->role() == Role::listener});
  return std::nullopt;
}

void Transport::Impl::take_down(const ConnectionPtr& connection, const std::string& reason) {
  if (!connection->peer()) return;
  const auto found = links_.find(*connection->peer());
  if (found == links_.end() || found->second != connection) return;
  links_.erase(found);
  publish_links();
  log_.info("peer down", {{"peer", to_hex(*connection->peer())}, {"reason", reason}});
  listener_.on_peer_down(*connection->peer(), reason);
}

void Transport::Impl::publish_links() {
  std::vector<PeerLink> list;
  for (const auto& [peer, connection] : links_) {
    list.push_back({peer, connection->validator(), connection->address(),
                    connection->role() == Role::listener});
  }
  const std::lock_guard lock(published_mutex_);
  published_ = std::move(list);
}

void Transport::Impl::on_frame(const ConnectionPtr& connection, Lane lane, Bytes frame) {
  const std::size_t size = frame.size();
  const auto channel = static_cast<ports::Channel>(lane);
  const bool urgent = channel == ports::Channel::consensus && is_validator(connection);
  listener_.on_frame(
      {*connection->peer(), channel, std::move(frame), urgent, connection->count_unread(size)});
}

void Transport::Impl::on_held(const ConnectionPtr&) {
  std::size_t held = 0;
  ConnectionPtr most;
  for (const auto& [peer, connection] : links_) {
    if (is_validator(connection)) continue;
    held += connection->held_bytes();
    if (!most || connection->held_bytes() > most->held_bytes()) most = connection;
  }
  if (held <= settings_.guests_bytes_max) return;
  ++counters_.links_cut;
  const std::string why =
      "held the most of " + std::to_string(held) + " bytes that wait for or came from peers";
  log_.warn("peer cut off", {{"peer", to_hex(*most->peer())}, {"reason", why}});
  take_down(most, why);
  most->close(why);
}

void Transport::Impl::on_misbehaviour(const ConnectionPtr& connection, const std::string& what) {
  ban(*connection->peer());
  blame_address(connection);
  log_.warn("peer misbehaved", {{"peer", to_hex(*connection->peer())},
                                {"address", connection->address()},
                                {"reason", what}});
  take_down(connection, what);
}

// An attacker must not be able to fill the disk with our log.
void Transport::Impl::log_failure(const ConnectionPtr& connection) {
  ++counters_.handshakes_failed;
  const SteadyTime now = std::chrono::steady_clock::now();
  if (now - failure_window_ >= kFailureWindow) {
    failure_window_ = now;
    failures_in_window_ = 0;
  }
  if (++failures_in_window_ > kFailureLinesPerWindow) return;
  log_.warn("connection refused",
            {{"address", connection->address()},
             {"peer", connection->peer() ? to_hex(*connection->peer()) : std::string("unknown")},
             {"reason", connection->close_reason()}});
}

void Transport::Impl::on_closed(const ConnectionPtr& connection) {
  std::erase(connections_, connection);
  leave_gate(connection);
  take_down(connection, connection->close_reason());
  if (stopping_) return;
  const bool harmless =
      connection->goodbye() == GoodbyeCode::duplicate && connection->peer() != own_;
  if (!connection->was_up() && !harmless) log_failure(connection);
  Dial* dial = nullptr;
  if (connection->expected()) dial = dial_to(*connection->expected());
  if (dial) {
    dial->busy = false;
    if (connection->goodbye() && !harmless) dial->wait = settings_.redial_max;
  } else if (connection->peer()) {
    dial = dial_to(*connection->peer());
  }
  if (dial && !dial->busy && links_.count(dial->address.peer) == 0) {
    note_end(*dial, connection);
    redial_later(*dial, connection->close_reason());
  }
}

// The peer may hold on to a link of this node that is dead, until it is silent for too long.
void Transport::Impl::note_end(Dial& dial, const ConnectionPtr& connection) {
  const SteadyTime now = std::chrono::steady_clock::now();
  const bool displaced = connection->goodbye() == GoodbyeCode::duplicate &&
                         connection->peer() != own_ && !connection->is_settled(now);
  if (!displaced) {
    if (dial.displaced_since) dial.wait = settings_.redial_min;
    dial.displaced_since.reset();
  } else if (!dial.displaced_since) {
    dial.displaced_since = now;
  } else {
    // One of two nodes waits long enough for the other's link to settle.
    const auto lasts = std::chrono::duration_cast<Milliseconds>(now - *dial.displaced_since);
    dial.wait = std::clamp(lasts, settings_.redial_min, settings_.redial_max);
  }
  look_for_key_use(now);
}

void Transport::Impl::look_for_key_use(SteadyTime now) {
  const auto taken = std::find_if(dials_.begin(), dials_.end(), [&](const auto& dial) {
    return dial->displaced_since && now - *dial->displaced_since > settings_.idle_timeout &&
           links_.count(dial->address.peer) == 0;
  });
  const bool in_use = taken != dials_.end();
  if (key_is_in_use_.exchange(in_use) || !in_use) return;
  log_.warn("another node has this node's key, and peers are linked to that one",
            {{"node_key", to_hex(own_)}, {"peer", to_text((*taken)->address)}});
}

Transport::Transport(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Transport::~Transport() {
  impl_->stop();
}

Result<std::unique_ptr<Transport>, Error> Transport::start(const NodeIdentity& identity,
                                                           TransportSettings settings,
                                                           TransportListener& listener, Log log) {
  auto impl = std::make_unique<Impl>(identity, std::move(settings), listener, std::move(log));
  TALLY_TRY(impl->start());
  return std::unique_ptr<Transport>(new Transport(std::move(impl)));
}

void Transport::send(const ports::PeerId& to, ports::Channel channel, Bytes frame) {
  impl_->send(to, static_cast<Lane>(channel), std::move(frame));
}
void Transport::disconnect(const ports::PeerId& peer, std::string_view reason) {
  impl_->disconnect(peer, std::string(reason));
}
void Transport::prefer_validators(std::vector<Ed25519Key> keys) {
  impl_->prefer_validators(std::move(keys));
}
std::vector<PeerLink> Transport::peers() const {
  return impl_->peers();
}
bool Transport::key_is_in_use() const {
  return impl_->key_is_in_use();
}

TransportCounters Transport::counters() const {
  return impl_->counters();
}
std::uint16_t Transport::port() const {
  return impl_->port();
}
void Transport::stop() {
  impl_->stop();
}

}  // namespace tally::network
