#include "tests/gateway/gateway.hpp"

#include <sys/socket.h>

#include <condition_variable>
#include <list>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

// Asio 1.74 uses std::exchange without including <utility>, so it stands above.
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "tests/gateway/network.hpp"

namespace tally::gateway {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using Tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using Json = nlohmann::json;

constexpr std::uint64_t kMaxBody = 64 << 20;

bool matches(const std::string& path, const Question& question) {
  const bool with_method = path.starts_with("GET ") || path.starts_with("POST ");
  return (with_method ? question.method + " " + question.target : question.target)
      .starts_with(path);
}

std::optional<FaultKind> parse_kind(const std::string& name) {
  constexpr std::array<std::pair<const char*, FaultKind>, 9> kNames = {
      {{"status", FaultKind::status},
       {"silent", FaultKind::silent},
       {"drop", FaultKind::drop},
       {"drop_after", FaultKind::drop_after},
       {"wrong_bytes", FaultKind::wrong_bytes},
       {"truncated", FaultKind::truncated},
       {"shorter", FaultKind::shorter},
       {"other_id", FaultKind::other_id},
       {"forged", FaultKind::forged}}};
  for (const auto& [text, kind] : kNames) {
    if (name == text) return kind;
  }
  return std::nullopt;
}

std::optional<Fault> parse_fault(const std::string& text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  const auto kind = parse_kind(json.value("kind", ""));
  if (!kind) return std::nullopt;
  return Fault{json.value("path", ""), *kind, json.value("status", 503u), json.value("times", 1u),
               json.value("after", 0u)};
}

std::string head_of(const Answer& answer) {
  return "HTTP/1.1 " + std::to_string(answer.status) +
         " Answer\r\nContent-Type: " + answer.content_type +
         "\r\nContent-Length: " + std::to_string(answer.body.size()) +
         "\r\nConnection: close\r\n\r\n";
}

}  // namespace

struct Gateway::State {
  asio::io_context context;
  Tcp::acceptor acceptor{context};
  std::uint16_t port = 0;
  std::thread listener;

  mutable std::mutex mutex;
  std::condition_variable changed;
  Network network;
  std::list<Fault> faults;
  std::vector<Question> log;  // bodies left out
  std::list<int> open_sockets;
  bool stopping = false;

  void listen();
  void serve(Tcp::socket socket);
  std::optional<Fault> take_fault(const Question& question);
  Answer answer(const Question& question);
  void respond(Tcp::socket& socket, const Question& question);
};

std::optional<Fault> Gateway::State::take_fault(const Question& question) {
  for (auto fault = faults.begin(); fault != faults.end(); ++fault) {
    if (!matches(fault->path, question)) continue;
    if (fault->after > 0) {
      --fault->after;
      continue;
    }
    const Fault out = *fault;
    if (--fault->times == 0) faults.erase(fault);
    return out;
  }
  return std::nullopt;
}

Answer Gateway::State::answer(const Question& question) {
  if (question.method == "POST" && question.target == "/faults") {
    const auto fault = parse_fault(question.body);
    if (!fault) return {400, "expected path, kind, and status, times or after"};
    faults.push_back(*fault);
    return {200, "OK"};
  }
  return network.answer(question);
}

void Gateway::State::respond(Tcp::socket& socket, const Question& question) {
  std::unique_lock lock(mutex);
  log.push_back({question.method, question.target, question.content_type, ""});
  const auto fault = take_fault(question);
  const auto is = [&](FaultKind kind) { return fault && fault->kind == kind; };
  if (is(FaultKind::silent)) {
    changed.wait(lock, [&] { return stopping; });
    return;
  }
  if (is(FaultKind::drop)) return;
  Answer out = is(FaultKind::status) ? Answer{fault->status, "asked to fail"} : answer(question);
  if (is(FaultKind::drop_after)) return;
  if (is(FaultKind::other_id)) {
    const auto other = network.another(question.target.substr(question.target.rfind('/') + 1));
    if (other) out = {200, *other, "application/json"};
  }
  if (is(FaultKind::forged)) {
    if (auto tx = arweave::Transaction::from_json(out.body); tx.ok()) {
      tx->reward_winston += 1;
      out.body = tx->to_json();
    }
  }
  lock.unlock();
  if (is(FaultKind::wrong_bytes) && !out.body.empty()) out.body[out.body.size() / 2] ^= 1;
  if (is(FaultKind::shorter)) out.body.resize(out.body.size() / 2);
  const std::string head = head_of(out);
  if (is(FaultKind::truncated)) out.body.resize(out.body.size() / 2);
  ErrorCode ignored;
  asio::write(socket, asio::buffer(head + out.body), ignored);
}

void Gateway::State::serve(Tcp::socket socket) {
  beast::flat_buffer buffer;
  beast::http::request_parser<beast::http::string_body> parser;
  parser.body_limit(kMaxBody);
  ErrorCode code;
  beast::http::read(socket, buffer, parser, code);
  if (!code) {
    auto& message = parser.get();
    respond(socket,
            {message.method_string().to_string(), message.target().to_string(),
             message[beast::http::field::content_type].to_string(), std::move(message.body())});
  }
  const std::lock_guard lock(mutex);
  open_sockets.remove(socket.native_handle());
  socket.close(code);
}

void Gateway::State::listen() {
  std::vector<std::thread> servers;
  for (;;) {
    ErrorCode code;
    Tcp::socket socket = acceptor.accept(code);
    {
      const std::lock_guard lock(mutex);
      if (stopping) break;
      if (code) continue;
      open_sockets.push_back(socket.native_handle());
    }
    servers.emplace_back([this, taken = std::move(socket)]() mutable { serve(std::move(taken)); });
  }
  for (std::thread& server : servers) server.join();
}

Gateway::Gateway(std::uint16_t port) : state_(std::make_unique<State>()) {
  const Tcp::endpoint address(asio::ip::address_v4::loopback(), port);
  state_->acceptor.open(address.protocol());
  state_->acceptor.set_option(asio::socket_base::reuse_address(true));
  state_->acceptor.bind(address);
  state_->acceptor.listen();
  state_->port = state_->acceptor.local_endpoint().port();
  state_->listener = std::thread([state = state_.get()] { state->listen(); });
}

Gateway::~Gateway() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    for (const int socket : state_->open_sockets) ::shutdown(socket, SHUT_RDWR);
  }
  state_->changed.notify_all();
  ::shutdown(state_->acceptor.native_handle(), SHUT_RDWR);
  state_->listener.join();
}

std::uint16_t Gateway::port() const {
  return state_->port;
}
std::string Gateway::url() const {
  return "http://127.0.0.1:" + std::to_string(state_->port);
}

void Gateway::mint(const std::string& address, std::uint64_t winston) {
  const std::lock_guard lock(state_->mutex);
  state_->network.mint(address, winston);
}
std::uint64_t Gateway::balance(const std::string& address) const {
  const std::lock_guard lock(state_->mutex);
  return state_->network.balance(address);
}
void Gateway::mine(unsigned blocks) {
  const std::lock_guard lock(state_->mutex);
  state_->network.mine(blocks);
}
void Gateway::fail_next(const Fault& fault) {
  const std::lock_guard lock(state_->mutex);
  state_->faults.push_back(fault);
}
void Gateway::jump_price(unsigned after_quotes, std::uint64_t factor) {
  const std::lock_guard lock(state_->mutex);
  state_->network.jump_price(after_quotes, factor);
}
void Gateway::forget(const std::string& id) {
  const std::lock_guard lock(state_->mutex);
  state_->network.forget(id);
}
void Gateway::forget_data(const std::string& id) {
  const std::lock_guard lock(state_->mutex);
  state_->network.forget_data(id);
}
std::size_t Gateway::requests(const std::string& path) const {
  const std::lock_guard lock(state_->mutex);
  std::size_t out = 0;
  for (const Question& question : state_->log) out += matches(path, question) ? 1 : 0;
  return out;
}
std::size_t Gateway::paid_transactions() const {
  const std::lock_guard lock(state_->mutex);
  return state_->network.paid_transactions();
}

}  // namespace tally::gateway
