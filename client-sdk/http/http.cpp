#include "client-sdk/http/http.hpp"

#include <functional>
#include <optional>
#include <utility>

// Asio 1.74 uses std::exchange without including <utility>, so it stands above.
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/version.hpp>

namespace tally::http {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using Tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;

constexpr unsigned kMaxRedirects = 3;
constexpr std::uint32_t kMaxHeader = 16 << 10;

std::string host_header(const Endpoint& endpoint) {
  Endpoint plain = endpoint;
  plain.path.clear();
  const std::string text = plain.to_text();
  return text.substr(text.find("//") + 2);
}

// One exchange: a chain of asynchronous steps on a context of its own, each of which starts the
// next; whatever fails first is kept, and ends it. The deadline and the stop close the socket.
class Exchange {
 public:
  Exchange(const Endpoint& endpoint, const Request& request, const Limits& limits)
      : endpoint_(endpoint), limits_(limits), tls_(asio::ssl::context::tls_client) {
    const auto verb = beast::http::string_to_verb(request.method);
    TALLY_ASSERT(verb != beast::http::verb::unknown);
    request_.method(verb);
    request_.target(endpoint.path + request.target);
    request_.version(11);
    request_.set(beast::http::field::host, host_header(endpoint));
    request_.set(beast::http::field::user_agent, "tally");
    request_.set(beast::http::field::connection, "close");
    if (!request.content_type.empty()) {
      request_.set(beast::http::field::content_type, request.content_type);
    }
    request_.body() = request.body;
    request_.prepare_payload();
    parser_.header_limit(kMaxHeader);
    parser_.body_limit(limits.max_body);
  }

  Result<Response, HttpError> run(const std::stop_token& stop) {
    if (!open_stream()) return fail(error_);
    deadline_.expires_after(limits_.patience);
    deadline_.async_wait([this](ErrorCode code) {
      if (!code)
        abort({{"it did not answer within " + std::to_string(limits_.patience.count()) + " ms"},
               Trouble::unreachable});
    });
    const std::stop_callback on_stop(stop, [this] {
      asio::post(context_, [this] {
        abort({{"stopped while it was asked"}, Trouble::interrupted});
      });
    });
    resolve();
    context_.run();
    if (!done_) return fail(error_);
    auto& message = parser_.get();
    location_ = message[beast::http::field::location].to_string();
    return Response{message.result_int(), message[beast::http::field::content_type].to_string(),
                    std::move(message.body())};
  }
  const std::string& location() const { return location_; }

 private:
  beast::tcp_stream& lowest() { return plain_ ? *plain_ : beast::get_lowest_layer(*secure_); }

  bool open_stream() {
    if (!endpoint_.tls) {
      plain_.emplace(context_);
      return true;
    }
    ErrorCode code;
    tls_.set_default_verify_paths(code);
    secure_.emplace(context_, tls_);
    secure_->set_verify_mode(asio::ssl::verify_peer);
    secure_->set_verify_callback(asio::ssl::host_name_verification(endpoint_.host));
    if (!code && SSL_set_tlsext_host_name(secure_->native_handle(), endpoint_.host.c_str()) == 1) {
      return true;
    }
    keep({{"cannot prepare TLS: " + code.message()}, Trouble::unreachable});
    return false;
  }

  void keep(HttpError error) {
    if (!done_ && error_.message.empty()) error_ = std::move(error);
  }
  void abort(HttpError error) {
    keep(std::move(error));
    finish();
  }
  void finish() {
    deadline_.cancel();
    resolver_.cancel();
    ErrorCode ignored;
    lowest().socket().close(ignored);
  }
  bool failed(ErrorCode code, std::string_view doing) {
    // A step that was done before it could be called back must not begin the next one.
    if (!error_.message.empty()) return true;
    if (!code) return false;
    const bool large = code == beast::http::error::body_limit;
    abort({{large ? "its answer is longer than " + std::to_string(limits_.max_body) + " bytes"
                  : std::string(doing) + ": " + code.message()},
           large ? Trouble::too_large : Trouble::unreachable});
    return true;
  }

  void resolve() {
    resolver_.async_resolve(endpoint_.host, std::to_string(endpoint_.port),
                            [this](ErrorCode code, const Tcp::resolver::results_type& found) {
                              if (failed(code, "cannot find the host")) return;
                              connect(found);
                            });
  }
  void connect(const Tcp::resolver::results_type& found) {
    lowest().async_connect(found, [this](ErrorCode code, const Tcp::endpoint&) {
      if (failed(code, "cannot connect")) return;
      if (plain_) return write(*plain_);
      secure_->async_handshake(asio::ssl::stream_base::client, [this](ErrorCode shaken) {
        if (!failed(shaken, "no TLS connection")) write(*secure_);
      });
    });
  }
  template <class Stream>
  void write(Stream& stream) {
    beast::http::async_write(stream, request_, [this, &stream](ErrorCode code, std::size_t) {
      // A server may answer, and close, before it has read everything: its answer counts.
      if (code == asio::error::operation_aborted && failed(code, "cannot send")) return;
      read(stream);
    });
  }
  // The header by itself: Beast 1.74 forgets the limit when the body came along with the header.
  template <class Stream>
  void read(Stream& stream) {
    beast::http::async_read_header(
        stream, buffer_, parser_, [this, &stream](ErrorCode code, std::size_t) {
          if (failed(code, "no whole answer")) return;
          beast::http::async_read(stream, buffer_, parser_, [this](ErrorCode ended, std::size_t) {
            if (failed(ended, "no whole answer")) return;
            done_ = true;
            finish();
          });
        });
  }

  Endpoint endpoint_;
  Limits limits_;
  asio::io_context context_{1};
  asio::ssl::context tls_;
  asio::steady_timer deadline_{context_};
  Tcp::resolver resolver_{context_};
  std::optional<beast::tcp_stream> plain_;
  std::optional<TlsStream> secure_;
  beast::flat_buffer buffer_;
  beast::http::request<beast::http::string_body> request_;
  beast::http::response_parser<beast::http::string_body> parser_;
  std::string location_;
  HttpError error_;
  bool done_ = false;
};

bool is_redirect(unsigned status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// Where a redirect leads; nothing if it may not be followed.
std::optional<Endpoint> follow(const Endpoint& from, const std::string& location,
                               std::string& target) {
  if (location.starts_with('/') && !location.starts_with("//")) {
    Endpoint out = from;
    out.path.clear();
    target = location;
    return out;
  }
  auto to = Endpoint::parse(location);
  if (!to.ok() || (from.tls && !to->tls)) return std::nullopt;
  target = to->path.empty() ? "/" : to->path;
  to->path.clear();
  return *to;
}

}  // namespace

Result<Response, HttpError> send(const Endpoint& endpoint, const Request& request,
                                 const Limits& limits, const std::stop_token& stop) {
  Endpoint place = endpoint;
  Request asked = request;
  for (unsigned redirects = 0;; ++redirects) {
    Exchange exchange(place, asked, limits);
    auto response = exchange.run(stop);
    if (!response.ok()) return response;
    if (request.method != "GET" || !is_redirect(response->status) || redirects == kMaxRedirects) {
      return response;
    }
    const auto next = follow(place, exchange.location(), asked.target);
    if (!next) return response;
    place = *next;
  }
}

}  // namespace tally::http
