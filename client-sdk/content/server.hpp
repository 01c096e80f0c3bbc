// Serves bytes by hash over TLS (rpc/proto/content.proto), so that verifiers can fetch the input of
// a disputed task. What is served is public to whoever knows its hash.
//
//   auto folder = TALLY_TRY(ContentFolder::open(path));
//   auto server = TALLY_TRY(ContentServer::start({.listen = "0.0.0.0:9951"},
//       [&](const Hash& hash) { return folder.get(hash); }));
//
// A client costs at most what is stated: `max_streams` at a time, each for at most `patience`.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "client-sdk/content/folder.hpp"

namespace tally::content {

// Any error is "not found" to the client. Called from several threads.
using ContentSource = std::function<Result<Bytes, Error>(const Hash&)>;

struct ServerConfig {
  std::string listen;  // host:port; port 0 takes a free one
  std::size_t max_streams = 8;
  std::chrono::milliseconds patience{60'000};  // for one stream, however slowly it is read
};

class ContentServer {
 public:
  static Result<std::unique_ptr<ContentServer>, Error> start(const ServerConfig& config,
                                                             ContentSource source);
  // Cuts what is under way.
  ~ContentServer();
  std::uint16_t port() const;

 private:
  struct State;
  explicit ContentServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tally::content
