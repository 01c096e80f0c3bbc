// HTTPS: whom the client talks to.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <utility>

// Asio 1.74 uses std::exchange without including <utility>, so it stands above.
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include "client-sdk/http/http.hpp"

namespace tally::http {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

// Of nobody but this test: self-signed, for the name localhost, until 2126.
constexpr const char* kKey = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgkoXeeBTWEswU2ud6
nPzOBBVGG369yYGdypF2Jf6VaTahRANCAARfWmU+K0IdH8h4N6DBGSl9phxEALzn
SNnws2xtwhQSwuplavgCPltUYdWxL6m85Gte3xcbMc/oIc1oW0v/TGju
-----END PRIVATE KEY-----
)";
constexpr const char* kCertificate = R"(-----BEGIN CERTIFICATE-----
MIIBljCCATugAwIBAgIUQvfD4dKsDrIkoIWz1+Zyi0lboCAwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTEyMTcxNloYDzIxMjYxMDI4
MTIxNzE2WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARfWmU+K0IdH8h4N6DBGSl9phxEALznSNnws2xtwhQSwuplavgCPltU
YdWxL6m85Gte3xcbMc/oIc1oW0v/TGjuo2kwZzAdBgNVHQ4EFgQU3b69vii2f7Fw
kLkDRDTARr9grawwHwYDVR0jBBgwFoAU3b69vii2f7FwkLkDRDTARr9grawwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SQAwRgIhAJKiBQdqoWccti2U96hlW60D2RJRhdybtZcFwQ5NKbAJAiEA4iGQKCr4
z2ehDvDiSwx4aYBh6Uxw8+NVGUvSWIjNaFM=
-----END CERTIFICATE-----
)";

// Answers one connection, or sees it end in the handshake.
class TlsServer {
 public:
  TlsServer() {
    context_.use_certificate_chain(asio::buffer(kCertificate, std::strlen(kCertificate)));
    context_.use_private_key(asio::buffer(kKey, std::strlen(kKey)), asio::ssl::context::pem);
    thread_ = std::thread([this] { serve(); });
  }
  ~TlsServer() { thread_.join(); }
  std::string url(const std::string& host) const {
    return "https://" + host + ":" + std::to_string(acceptor_.local_endpoint().port());
  }

 private:
  void serve() {
    boost::system::error_code code;
    asio::ssl::stream<Tcp::socket> stream(acceptor_.accept(), context_);
    stream.handshake(asio::ssl::stream_base::server, code);
    if (code) return;
    asio::streambuf request;
    asio::read_until(stream, request, "\r\n\r\n", code);
    asio::write(stream, asio::buffer(std::string("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")),
                code);
    stream.shutdown(code);
  }

  asio::io_context io_;
  asio::ssl::context context_{asio::ssl::context::tls_server};
  Tcp::acceptor acceptor_{io_, Tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
  std::thread thread_;
};

// Makes the system's authorities those of a file, for as long as it lives.
class Authorities {
 public:
  Authorities() {
    path_ = std::filesystem::temp_directory_path() / ("tally-ca-" + std::to_string(::getpid()));
    std::ofstream(path_) << kCertificate;
    ::setenv("SSL_CERT_FILE", path_.c_str(), 1);
  }
  ~Authorities() {
    ::unsetenv("SSL_CERT_FILE");
    std::filesystem::remove(path_);
  }

 private:
  std::filesystem::path path_;
};

Result<Response, HttpError> ask(const std::string& url) {
  return send(*Endpoint::parse(url), {"GET", "/"}, {});
}

TEST_CASE("HTTPS with a server that an authority vouches for", "[tls]") {
  const Authorities authorities;
  const TlsServer server;
  const auto answer = ask(server.url("localhost"));
  REQUIRE(answer.ok());
  CHECK(answer->body == "hi");
}

TEST_CASE("HTTPS with a server that nobody vouches for", "[tls]") {
  const TlsServer server;
  const auto answer = ask(server.url("localhost"));
  REQUIRE_FALSE(answer.ok());
  CHECK_THAT(answer.error().message, Catch::Contains("certificate verify failed"));
}

TEST_CASE("HTTPS with a server of another name", "[tls]") {
  const Authorities authorities;
  const TlsServer server;
  const auto answer = ask(server.url("127.0.0.1"));
  REQUIRE_FALSE(answer.ok());
  CHECK_THAT(answer.error().message, Catch::Contains("certificate verify failed"));
}

}  // namespace
}  // namespace tally::http
