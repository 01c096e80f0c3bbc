// The gRPC side of the chain client: one channel, deadlines, and how a status becomes a
// ClientError. Internal to client-sdk/chain.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "client-sdk/chain/client.hpp"

namespace tally::client {

inline ClientError client_error(ClientErrorKind kind, std::string message) {
  return {kind, std::string(enumerator_name(kind)), std::move(message)};
}

inline ClientError not_proved(Check check, std::string message) {
  ClientError error =
      client_error(ClientErrorKind::not_proved,
                   std::move(message) + ": the node is faulty or lying; ask another one");
  error.check = check;
  return error;
}

// Of a head below what is known to be reached: who could sign it may be gone for long.
inline ClientError stale_head(const std::string& endpoint, BlockNumber shown, BlockNumber reached) {
  return {
      ClientErrorKind::not_proved, "stale",
      "the newest final block that the node at " + endpoint + " shows, " +
          std::to_string(shown.value) + ", is below block " + std::to_string(reached.value) +
          ", which is proved to be final: the node is behind or hides newer blocks; ask another "
          "node",
      Check::freshness};
}

// Of a block below what is known of the validators: it may be as good as any.
inline ClientError before_trust(const std::string& endpoint, BlockNumber shown, Epoch known_from) {
  return {ClientErrorKind::not_proved, "stale",
          "block " + std::to_string(shown.value) + ", which the node at " + endpoint +
              " shows, is of an epoch before " + std::to_string(known_from.value) +
              ", the first whose validators are known here: the node is behind, or the block is "
              "from before the trusted one",
          Check::freshness};
}

class Connection {
 public:
  explicit Connection(const ClientConfig& config);

  const ClientConfig& config() const { return config_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  ClientError to_error(const grpc::ClientContext& context, const grpc::Status& status) const;

  // Between two attempts to connect a call fails at once and drives nothing, so that whoever tries
  // again and again hears of a node that came back many seconds late. This waits for the next
  // attempt, at most a moment.
  void let_reconnect() const;

  // One unary call: connection.call(stub, &Stub::GetHeader, request).
  template <class Stub, class Request, class Reply>
  ClientResult<Reply> call(Stub& stub,
                           grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                        Reply*),
                           const Request& request) const {
    let_reconnect();
    grpc::ClientContext context;
    context.set_deadline(deadline(config_.call_deadline_ms));
    Reply reply;
    const grpc::Status status = (stub.*method)(&context, request, &reply);
    sent_ += size_of(request);
    if (!status.ok()) return fail(to_error(context, status));
    count(reply);
    return reply;
  }
  // An answer of a stream.
  template <class Reply>
  void count(const Reply& reply) const {
    ++answers_;
    received_ += size_of(reply);
  }
  template <class Message>
  static std::uint64_t size_of(const Message& message) {
    return message.ByteSizeLong() + kFrameBytes;
  }
  void count_signatures(std::size_t verified) const { signatures_ += verified; }
  Traffic traffic() const { return {answers_, received_, sent_, signatures_}; }

  static std::chrono::system_clock::time_point deadline(std::uint32_t ms) {
    return std::chrono::system_clock::now() + std::chrono::milliseconds(ms);
  }

 private:
  static constexpr std::uint64_t kFrameBytes = 5;  // of gRPC, before each message

  ClientConfig config_;
  mutable std::atomic<std::uint64_t> answers_ = 0;
  mutable std::atomic<std::uint64_t> received_ = 0;
  mutable std::atomic<std::uint64_t> sent_ = 0;
  mutable std::atomic<std::uint64_t> signatures_ = 0;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace tally::client
