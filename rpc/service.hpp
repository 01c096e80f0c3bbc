// What the services of this folder share: the node they ask, the bounds, the open streams, and how
// an error becomes a gRPC status. Internal to rpc/.
#pragma once

#include <grpcpp/impl/codegen/service_type.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "node/ports/query.hpp"
#include "rpc/clients.hpp"
#include "rpc/server.hpp"

namespace tally::rpc {

// A status whose message is "code: text", the code alone also in the trailing metadata.
grpc::Status make_status(grpc::ServerContext& context, grpc::StatusCode status,
                         std::string_view code, std::string_view text);
grpc::Status invalid_argument(grpc::ServerContext& context, std::string_view text);
grpc::Status too_large(grpc::ServerContext& context, std::string_view text);
grpc::Status to_status(grpc::ServerContext& context, const ports::QueryError& error);
grpc::Status to_status(grpc::ServerContext& context, const ports::Rejection& rejection);

std::string_view name_of(ports::RejectCode code);

// One open stream: counted, paced by its client's level, cut off when a write makes no progress.
class Streams {
 public:
  Streams(const ServerConfig& config, Clients& clients) : config_(config), clients_(clients) {}

  class Slot;
  // Nothing when all are taken or the server is stopping.
  std::unique_ptr<Slot> open(grpc::ServerContext& context);
  void stop();
  bool stopping() const;
  // Cancels the streams whose current write began too long ago.
  void cut_off_stuck();
  std::size_t count() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    grpc::ServerContext* context;
    ClientKey client;
    std::optional<Clock::time_point> write_began;
  };

  const ServerConfig& config_;
  Clients& clients_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;
  bool stopping_ = false;
};

class Streams::Slot {
 public:
  Slot(Streams& streams, std::list<Entry>::iterator entry) : streams_(streams), entry_(entry) {}
  ~Slot();
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  // True while the client listens and the server runs.
  bool alive() const;
  // Writes one message, once the client's level allows it; false when the client is gone.
  template <class Writer, class Message>
  bool write(Writer& writer, const Message& message) {
    if (!pace(message.ByteSizeLong())) return false;
    mark(Clock::now());
    const bool ok = writer.Write(message);
    mark(std::nullopt);
    return ok;
  }

 private:
  bool pace(std::size_t bytes);
  void mark(std::optional<Clock::time_point> began);
  Streams& streams_;
  std::list<Entry>::iterator entry_;
};

// How long a stream sleeps before it looks whether its client is still there.
constexpr std::chrono::milliseconds kStreamPoll{100};

// Between a listener of the node, which must not wait, and the thread that writes to the client.
template <class T>
class StreamQueue {
 public:
  explicit StreamQueue(std::size_t items_max) : items_max_(items_max) {}

  void push(T item) {
    const std::lock_guard lock(mutex_);
    if (overflowed_) return;
    if (items_.size() >= items_max_) {
      overflowed_ = true;
      items_.clear();
    } else {
      items_.push_back(std::move(item));
    }
    ready_.notify_one();
  }
  // The next item; nothing after a while without one, or once it has overflowed.
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    ready_.wait_for(lock, kStreamPoll, [&] { return overflowed_ || !items_.empty(); });
    if (items_.empty()) return std::nullopt;
    T item = std::move(items_.front());
    items_.pop_front();
    return item;
  }
  bool overflowed() const {
    const std::lock_guard lock(mutex_);
    return overflowed_;
  }

 private:
  const std::size_t items_max_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<T> items_;
  bool overflowed_ = false;
};

// Walks the finalized blocks from a number on, for ever: the caller asks for the next one, and
// waits here until it is final. Holds nothing but numbers, however slow the caller is.
class FinalizedWalk {
 public:
  // Starts at `from`, or behind the latest finalized block.
  FinalizedWalk(ports::Query& query, std::optional<BlockNumber> from);

  // True: `next()` is final. False after a while without news.
  bool wait();
  BlockNumber next() const { return next_; }
  void advance() { next_ = next_.next(); }
  // The first number was beyond the next block to come.
  bool started_too_high() const { return started_too_high_; }

 private:
  std::mutex mutex_;
  std::condition_variable ready_;
  BlockNumber finalized_;
  BlockNumber next_;
  bool started_too_high_ = false;
  ports::SubscriptionPtr subscription_;  // last: its end comes before the end of what it writes to
};

// What every service is made of.
struct Backend {
  ports::Query& query;
  const ServerConfig& config;
  Clients& clients;
  Streams& streams;
};

grpc::Status too_many_streams(grpc::ServerContext& context);
grpc::Status slow_consumer(grpc::ServerContext& context);
// A walk of finalized blocks was asked to start at a number that is not yet next.
grpc::Status beyond_next(grpc::ServerContext& context, BlockNumber from);
// How a stream ends that the server or the client ended.
grpc::Status stream_ended(grpc::ServerContext& context, const Streams& streams);

// Calls step(slot, number) for every finalized number until the stream ends or a step fails.
template <class Step>
grpc::Status walk_finalized(grpc::ServerContext& context, Backend& backend,
                            std::optional<BlockNumber> from, Step step) {
  const auto slot = backend.streams.open(context);
  if (!slot) return too_many_streams(context);
  FinalizedWalk walk(backend.query, from);
  if (walk.started_too_high()) return beyond_next(context, walk.next());
  while (slot->alive()) {
    if (!walk.wait()) continue;
    const grpc::Status status = step(*slot, walk.next());
    if (!status.ok()) return status;
    walk.advance();
  }
  return stream_ended(context, backend.streams);
}

std::unique_ptr<grpc::Service> make_chain_service(Backend backend);
std::unique_ptr<grpc::Service> make_state_service(Backend backend);
std::unique_ptr<grpc::Service> make_author_service(Backend backend);
std::unique_ptr<grpc::Service> make_channels_service(Backend backend);
std::unique_ptr<grpc::Service> make_node_service(Backend backend);

}  // namespace tally::rpc
