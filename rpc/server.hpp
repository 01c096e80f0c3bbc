// The gRPC server of a node: the services of rpc/proto over ports::Query, with reflection and
// health. No logic of its own: it checks sizes, translates, and bounds what a client can make the
// node do.
//
// Bounds. A message is at most `message_bytes_max`; at most `calls_max` unary calls run at once and
// `streams_max` subscriptions are open, above which a call fails with a code at once. A stream of
// heads or of a transaction keeps `stream_queue_max` entries for a slow reader and then ends with
// `slow_consumer`; streams of finalized blocks read from the store at the reader's pace and keep
// nothing. A reader that takes nothing for `write_timeout_ms` is cut off.
// Of one client, which is an address: at most `connections_per_client_max` connections, three
// quarters of the calls and half of the streams, and work at the rate of `client_work`
// (clients.hpp), above which calls wait and then fail with `too_busy`, and streams pause. Who goes
// on all the same is cut off for a while. All connections together are at most `connections_max`,
// and what gRPC holds for them `memory_bytes_max`. The server's threads have a lower priority than
// the node's others: clients get what consensus leaves.
// Errors: see rpc/proto/common.proto.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "node/network/budget.hpp"
#include "node/ports/query.hpp"
#include "primitives/result.hpp"

namespace tally::rpc {

struct ServerConfig {
  std::string listen = "127.0.0.1:9943";  // host:port; port 0 lets the system choose
  std::uint32_t message_bytes_max = 1u << 20;
  std::uint32_t calls_max = 32;
  std::uint32_t streams_max = 128;
  std::uint32_t stream_queue_max = 256;
  std::uint32_t write_timeout_ms = 30'000;
  std::uint32_t handshake_timeout_ms = 5'000;  // for who connects and says nothing sensible
  std::uint32_t connections_max = 256;
  std::uint32_t connections_per_client_max = 64;
  network::Rate client_work{20'000, 40'000};
  std::uint32_t refusal_delay_ms = 250;    // that a call waits at most for its client's level
  network::Rate client_refusals{20, 200};  // of one client, before it is cut off
  std::uint32_t debt_ms_max = 5'000;       // of work that its bytes have made, likewise
  std::uint32_t cut_off_ms = 1'000;        // the first time, doubled each time up to 64 s
  std::size_t memory_bytes_max = std::size_t{256} << 20;
};

class Server {
 public:
  // The query interface must outlive the server.
  static Result<std::unique_ptr<Server>, Error> start(const ServerConfig& config,
                                                      ports::Query& query);
  ~Server();  // as stop()
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;
  // Connections closed at once, since their address or all together had enough.
  std::uint64_t connections_refused() const;
  // Connections closed later, since their client was cut off.
  std::uint64_t connections_cut_off() const;
  // Takes no new calls, ends the streams with `unavailable`, and returns when all have ended.
  void stop();

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tally::rpc
