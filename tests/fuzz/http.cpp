// What web servers answer: HTTP itself, and the answers of Arweave gateways and IPFS nodes on top.
// A server in this process gives the input to whoever asks. The first byte chooses: raw bytes on
// the wire, or the body of a well-formed answer. (Answers that send the client elsewhere are left
// out: nobody else is asked from here.)
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <mutex>
#include <string>
#include <thread>

#include "client-sdk/arweave/client.hpp"
#include "client-sdk/storage/ipfs.hpp"
#include "tests/fuzz/target.hpp"

namespace tally::fuzz {
namespace {

class Answerer {
 public:
  Answerer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    TALLY_ASSERT(::bind(socket_, generic, size) == 0 && ::listen(socket_, 16) == 0);
    TALLY_ASSERT(::getsockname(socket_, generic, &size) == 0);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { serve(); });
  }
  ~Answerer() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }
  const std::string& url() const { return url_; }
  void answer(std::string text) {
    const std::lock_guard lock(mutex_);
    text_ = std::move(text);
  }

 private:
  void serve() {
    for (;;) {
      const int peer = ::accept(socket_, nullptr, nullptr);
      if (peer < 0) return;
      char request[4'096];
      (void)!::recv(peer, request, sizeof(request), 0);
      const std::lock_guard lock(mutex_);
      for (std::size_t sent = 0; sent < text_.size();) {
        const auto part = ::send(peer, text_.data() + sent, text_.size() - sent, MSG_NOSIGNAL);
        if (part <= 0) break;
        sent += static_cast<std::size_t>(part);
      }
      ::shutdown(peer, SHUT_WR);
      while (::recv(peer, request, sizeof(request), 0) > 0) {
      }
      ::close(peer);
    }
  }

  int socket_;
  std::string url_;
  std::mutex mutex_;
  std::string text_;
  std::thread thread_;
};

storage::GatewayConfig gateways(const std::string& url) {
  storage::GatewayConfig config;
  config.urls = {url};
  config.rounds = 1;
  config.patience = std::chrono::seconds(10);
  config.pause = [](std::chrono::milliseconds, const std::stop_token&) { return true; };
  return config;
}

void ask(const std::string& url, std::uint8_t which) {
  const arweave::Client client(*storage::Gateways::open(gateways(url)));
  const std::string id(43, 'a');
  switch (which % 8) {
    case 0:
      (void)client.price(10, {}).ok();
      break;
    case 1:
      (void)client.anchor({}).ok();
      break;
    case 2:
      (void)client.confirmations(id, {}).ok();
      break;
    case 3:
      (void)client.transaction(id, {}).ok();
      break;
    case 4:
      (void)client.item(id, 1'000, {}).ok();
      break;
    case 5:
      (void)client.item_confirmations(id, {}).ok();
      break;
    case 6: {
      auto ipfs = storage::IpfsStore::open({gateways(url), url});
      TALLY_ASSERT(ipfs.ok());
      (void)ipfs->put(as_bytes("blob"), {}).ok();
      break;
    }
    default:
      (void)http::send(*http::Endpoint::parse(url), {.method = "GET", .target = "/"},
                       {.max_body = 4'096, .patience = std::chrono::seconds(10)})
          .ok();
  }
}

bool sends_elsewhere(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text.find("location") != std::string::npos;
}

}  // namespace

void run(ByteView input) {
  static Answerer answerer;
  if (input.empty()) return;
  std::string text(as_text(input.subspan(1)));
  if (sends_elsewhere(text)) return;
  if (input[0] >= 128) {
    text = "HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(text.size()) + "\r\n\r\n" + text;
  }
  answerer.answer(std::move(text));
  ask(answerer.url(), input[0]);
}

}  // namespace tally::fuzz
