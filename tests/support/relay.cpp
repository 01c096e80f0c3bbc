#include "tests/support/relay.hpp"

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <deque>
#include <random>
#include <set>
#include <thread>
#include <vector>

namespace tally::tests {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using SteadyTime = std::chrono::steady_clock::time_point;

namespace {

// Both directions of one connection; lives as long as a handler of its own is under way.
class Pair : public std::enable_shared_from_this<Pair> {
 public:
  Pair(asio::io_context& io, tcp::socket client, const RelayQuality& quality, std::mt19937& random)
      : quality_(quality),
        random_(random),
        sides_{Side{std::move(client), asio::steady_timer(io)},
               Side{tcp::socket(io), asio::steady_timer(io)}} {}

  void begin(std::uint16_t target) {
    const auto self = shared_from_this();
    ErrorCode ignored;
    sides_[1].socket.open(tcp::v4(), ignored);
    sides_[1].socket.bind({asio::ip::make_address(quality_.from), 0}, ignored);
    sides_[1].socket.set_option(tcp::no_delay(true), ignored);
    sides_[1].socket.async_connect({asio::ip::address_v4::loopback(), target},
                                   [self](const ErrorCode& error) {
                                     if (error) return self->close();
                                     self->read(0);
                                     self->read(1);
                                   });
  }
  void close() {
    for (Side& side : sides_) {
      ErrorCode ignored;
      side.socket.close(ignored);
      side.timer.cancel(ignored);
    }
  }

 private:
  struct Piece {
    std::vector<std::uint8_t> bytes;
    SteadyTime due;
  };
  struct Side {
    tcp::socket socket;
    asio::steady_timer timer;   // of what was read here
    std::deque<Piece> waiting;  // read here, to be written on the other side
    std::array<std::uint8_t, 16384> buffer{};
    bool writing = false;
  };

  void read(std::size_t i) {
    Side& side = sides_[i];
    side.socket.async_read_some(
        asio::buffer(side.buffer),
        [self = shared_from_this(), i](const ErrorCode& error, std::size_t size) {
          if (error) return self->close();
          Side& from = self->sides_[i];
          SteadyTime due =
              std::chrono::steady_clock::now() + std::chrono::milliseconds(self->quality_.delay_ms);
          if (self->random_() % 1000 < self->quality_.loss_per_mille) {
            due += std::chrono::milliseconds(self->quality_.retransmission_ms);
          }
          if (!from.waiting.empty()) due = std::max(due, from.waiting.back().due);
          from.waiting.push_back({{from.buffer.begin(), from.buffer.begin() + size}, due});
          self->write(i);
          self->read(i);
        });
  }

  void write(std::size_t i) {
    Side& from = sides_[i];
    if (from.writing || from.waiting.empty()) return;
    from.writing = true;
    from.timer.expires_at(from.waiting.front().due);
    from.timer.async_wait([self = shared_from_this(), i](const ErrorCode& cancelled) {
      if (cancelled) return;
      asio::async_write(self->sides_[1 - i].socket,
                        asio::buffer(self->sides_[i].waiting.front().bytes),
                        [self, i](const ErrorCode& error, std::size_t) {
                          if (error) return self->close();
                          self->sides_[i].waiting.pop_front();
                          self->sides_[i].writing = false;
                          self->write(i);
                        });
    });
  }

  RelayQuality quality_;
  std::mt19937& random_;
  std::array<Side, 2> sides_;
};

}  // namespace

class Relay::Impl {
 public:
  Impl(std::uint16_t target, const RelayQuality& quality)
      : target_(target), quality_(quality), acceptor_(io_, {asio::ip::address_v4::loopback(), 0}) {
    port_ = acceptor_.local_endpoint().port();
    accept();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~Impl() {
    asio::post(io_, [this] {
      ErrorCode ignored;
      acceptor_.close(ignored);
      close_all();
    });
    thread_.join();
  }
  std::uint16_t port() const { return port_; }
  void set_cut(bool cut) {
    asio::post(io_, [this, cut] {
      cut_ = cut;
      if (cut) close_all();
    });
  }

 private:
  void accept() {
    acceptor_.async_accept([this](const ErrorCode& error, tcp::socket socket) {
      if (error) return;
      if (!cut_) {
        ErrorCode ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        const auto pair = std::make_shared<Pair>(io_, std::move(socket), quality_, random_);
        pairs_.push_back(pair);
        pair->begin(target_);
      }
      accept();
    });
  }
  void close_all() {
    for (const auto& weak : pairs_) {
      if (const auto pair = weak.lock()) pair->close();
    }
    pairs_.clear();
  }

  const std::uint16_t target_;
  const RelayQuality quality_;
  std::mt19937 random_{12345};
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
  bool cut_ = false;
  std::vector<std::weak_ptr<Pair>> pairs_;
  std::thread thread_;
};

Relay::Relay(std::uint16_t target_port, const RelayQuality& quality)
    : impl_(std::make_unique<Impl>(target_port, quality)) {}
Relay::~Relay() = default;
std::uint16_t Relay::port() const {
  return impl_->port();
}
void Relay::cut() {
  impl_->set_cut(true);
}
void Relay::heal() {
  impl_->set_cut(false);
}

}  // namespace tally::tests
