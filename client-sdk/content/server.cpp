#include "client-sdk/content/server.hpp"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "client-sdk/task/certificate.hpp"
#include "rpc/proto/content.grpc.pb.h"

namespace tally::content {

namespace {

namespace proto = tallystick::v1;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kChunkBytes = 256 << 10;

}  // namespace

struct ContentServer::State final : proto::Content::Service {
  State(const ServerConfig& server_config, ContentSource content_source)
      : config(server_config), source(std::move(content_source)) {}

  ServerConfig config;
  ContentSource source;
  std::unique_ptr<grpc::Server> server;
  int port = 0;

  std::mutex mutex;
  std::condition_variable changed;
  std::map<grpc::ServerContext*, Clock::time_point> streams;  // and when each must have ended
  bool stopping = false;
  std::thread doorkeeper;

  grpc::Status Get(grpc::ServerContext* context, const proto::GetContent* request,
                   grpc::ServerWriter<proto::ContentChunk>* writer) override;
  grpc::Status send(const Bytes& bytes, grpc::ServerWriter<proto::ContentChunk>& writer) const;
  bool enter(grpc::ServerContext* context);
  void leave(grpc::ServerContext* context);
  void watch_streams();
};

bool ContentServer::State::enter(grpc::ServerContext* context) {
  {
    const std::lock_guard lock(mutex);
    if (stopping || streams.size() >= config.max_streams) return false;
    streams.emplace(context, Clock::now() + config.patience);
  }
  changed.notify_all();
  return true;
}

void ContentServer::State::leave(grpc::ServerContext* context) {
  const std::lock_guard lock(mutex);
  streams.erase(context);
}

// Ends streams that are read too slowly.
void ContentServer::State::watch_streams() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    const auto now = Clock::now();
    auto next = Clock::time_point::max();
    for (const auto& [context, until] : streams) {
      if (until <= now) {
        context->TryCancel();
      } else {
        next = std::min(next, until);
      }
    }
    if (next == Clock::time_point::max()) {
      changed.wait(lock);
    } else {
      changed.wait_until(lock, next);
    }
  }
}

grpc::Status ContentServer::State::send(const Bytes& bytes,
                                        grpc::ServerWriter<proto::ContentChunk>& writer) const {
  proto::ContentChunk chunk;
  chunk.set_total_bytes(bytes.size());
  ByteView rest = bytes;
  do {
    const std::size_t size = std::min(kChunkBytes, rest.size());
    chunk.set_data(rest.data(), size);
    if (!writer.Write(chunk)) return {grpc::StatusCode::CANCELLED, "the client left"};
    chunk.clear_total_bytes();
    rest = rest.subspan(size);
  } while (!rest.empty());
  return grpc::Status::OK;
}

grpc::Status ContentServer::State::Get(grpc::ServerContext* context,
                                       const proto::GetContent* request,
                                       grpc::ServerWriter<proto::ContentChunk>* writer) {
  const auto hash = Hash::from(as_bytes(request->hash()));
  if (!hash) {
    return {grpc::StatusCode::INVALID_ARGUMENT,
            "expected a hash of 32 bytes, got " + std::to_string(request->hash().size())};
  }
  if (!enter(context)) {
    return {grpc::StatusCode::RESOURCE_EXHAUSTED, "too many streams; ask again in a moment"};
  }
  grpc::Status status;
  if (const auto bytes = source(*hash)) {
    status = send(*bytes, *writer);
  } else {
    status = {grpc::StatusCode::NOT_FOUND, bytes.error().message};
  }
  leave(context);
  return status;
}

ContentServer::ContentServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<ContentServer>, Error> ContentServer::start(const ServerConfig& config,
                                                                   ContentSource source) {
  auto owned = std::make_unique<State>(config, std::move(source));
  State& state = *owned;
  const auto identity = TALLY_TRY(task::make_tls_identity());
  grpc::SslServerCredentialsOptions tls(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  tls.pem_key_cert_pairs.push_back({identity.key_pem, identity.certificate_pem});
  grpc::ServerBuilder builder;
  builder.AddListeningPort(config.listen, grpc::SslServerCredentials(tls), &state.port);
  builder.RegisterService(&state);
  builder.SetMaxReceiveMessageSize(1 << 10);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  state.server = builder.BuildAndStart();
  if (!state.server || state.port == 0) {
    return fail_with("cannot listen on " + config.listen +
                     ": is the address right, and does another program use the port?");
  }
  state.doorkeeper = std::thread([&state] { state.watch_streams(); });
  return std::unique_ptr<ContentServer>(new ContentServer(std::move(owned)));
}

ContentServer::~ContentServer() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_all();
  state_->doorkeeper.join();
  state_->server->Shutdown(std::chrono::system_clock::now());
  state_->server->Wait();
  // So that a thread sanitizer sees, too, that the last stream has been taken out.
  const std::lock_guard lock(state_->mutex);
}

std::uint16_t ContentServer::port() const {
  return static_cast<std::uint16_t>(state_->port);
}

}  // namespace tally::content
