#include "rpc/server.hpp"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <sys/resource.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "client-sdk/chain/grpc_log.hpp"
#include "rpc/listener.hpp"
#include "rpc/service.hpp"

namespace tally::rpc {

namespace {

constexpr int kKeepaliveMs = 30'000;
constexpr int kClientPingMsMin = 10'000;
constexpr std::chrono::seconds kStopGrace{2};
constexpr int kNice = 5;  // about a third of the processor when others of the node want it

void set_up_plugins() {
  static std::once_flag once;
  std::call_once(once, [] {
    client::silence_grpc_log();
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  });
}

void set_limits(grpc::ServerBuilder& builder, const ServerConfig& config) {
  const int message_bytes = static_cast<int>(config.message_bytes_max);
  builder.SetMaxReceiveMessageSize(message_bytes);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                             static_cast<int>(config.handshake_timeout_ms));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kClientPingMsMin);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                             static_cast<int>(config.calls_max + config.streams_max));
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 16 * 1024);
  // A stream holds a thread. Past this number gRPC refuses a call at once.
  grpc::ResourceQuota quota("tally-rpc");
  quota.Resize(config.memory_bytes_max);
  quota.SetMaxThreads(static_cast<int>(config.calls_max + config.streams_max));
  builder.SetResourceQuota(quota);
  using Option = grpc::ServerBuilder::SyncServerOption;
  builder.SetSyncServerOption(Option::NUM_CQS, 1);
  // So many threads stay when they have nothing to do: without it one is made for most calls.
  builder.SetSyncServerOption(Option::MAX_POLLERS, static_cast<int>(config.calls_max));
}

}  // namespace

struct Server::Impl {
  ServerConfig config;
  Clients clients;
  Streams streams;
  std::vector<std::unique_ptr<grpc::Service>> services;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor;
  std::unique_ptr<Listener> listener;
  std::mutex mutex;
  std::condition_variable stop_now;
  bool stopped = false;
  std::thread watchdog;

  explicit Impl(const ServerConfig& given)
      : config(given), clients(config), streams(config, clients) {}

  Result<void, Error> serve(ports::Query& query);

  // gRPC takes the descriptor as it is.
  void hand_over(int fd) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.fd = fd;
    acceptor->HandleNewConnection(&connection);
  }

  void watch() {
    std::unique_lock lock(mutex);
    while (!stop_now.wait_for(lock, std::chrono::seconds(1), [&] { return stopped; })) {
      streams.cut_off_stuck();
    }
  }

  void stop() {
    {
      const std::lock_guard lock(mutex);
      if (stopped) return;
      stopped = true;
    }
    stop_now.notify_all();
    listener->stop();
    clients.stop();
    streams.stop();
    server->Shutdown(std::chrono::system_clock::now() + kStopGrace);
    server->Wait();
    watchdog.join();
  }
};

Result<void, Error> Server::Impl::serve(ports::Query& query) {
  set_up_plugins();
  listener = TALLY_TRY(Listener::bind(config.listen));
  const Backend backend{query, config, clients, streams};
  services.push_back(make_chain_service(backend));
  services.push_back(make_state_service(backend));
  services.push_back(make_author_service(backend));
  services.push_back(make_channels_service(backend));
  services.push_back(make_node_service(backend));

  grpc::ServerBuilder builder;
  set_limits(builder, config);
  using Kind = grpc::ServerBuilder::experimental_type::ExternalConnectionType;
  acceptor = builder.experimental().AddExternalConnectionAcceptor(
      Kind::FROM_FD, grpc::InsecureServerCredentials());
  for (const auto& service : services) builder.RegisterService(service.get());
  server = builder.BuildAndStart();
  if (!server) return fail_with("cannot start the gRPC server on " + config.listen);
  server->GetHealthCheckService()->SetServingStatus(true);
  listener->run(config, clients, [this](int fd) { hand_over(fd); });
  watchdog = std::thread([this] { watch(); });
  return {};
}

Result<std::unique_ptr<Server>, Error> Server::start(const ServerConfig& config,
                                                     ports::Query& query) {
  auto impl = std::make_unique<Impl>(config);
  Result<void, Error> served;
  // A thread has the priority of the one that starts it.
  std::thread([&] {
    const auto self = static_cast<id_t>(::gettid());
    ::setpriority(PRIO_PROCESS, self, ::getpriority(PRIO_PROCESS, self) + kNice);
    served = impl->serve(query);
  }).join();
  TALLY_TRY(std::move(served));
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() {
  stop();
}
std::uint16_t Server::port() const {
  return impl_->listener->port();
}
std::uint64_t Server::connections_refused() const {
  return impl_->listener->refused();
}
std::uint64_t Server::connections_cut_off() const {
  return impl_->listener->cut_off();
}
void Server::stop() {
  impl_->stop();
}

}  // namespace tally::rpc
