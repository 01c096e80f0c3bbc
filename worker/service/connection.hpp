// One requester's stream at the worker: greeting, proof of accounts, then its frames. Used by
// task_service.cpp alone; generated headers stay in .cpp files and in this one.
#pragma once

#include <grpcpp/grpcpp.h>

#include <deque>
#include <map>
#include <memory>

#include "client-sdk/task/auth.hpp"
#include "client-sdk/task/certificate.hpp"
#include "client-sdk/task/frame_writer.hpp"
#include "client-sdk/task/payload.hpp"
#include "rpc/proto/task.grpc.pb.h"
#include "worker/service/task_service.hpp"

namespace tally::worker {

namespace proto = tallystick::v1;
using task::Frame;
using Stream = grpc::ServerReaderWriter<Frame, Frame>;

// Parts of inputs that a requester asked to be kept, the oldest going first.
class KeptParts {
 public:
  void add(const Hash& hash, Bytes bytes);
  const Bytes* find(const Hash& hash) const;

 private:
  std::map<Hash, Bytes> parts_;
  std::deque<Hash> order_;
  std::size_t bytes_ = 0;
};

struct Refusal {
  std::string code;
  std::string text;
  std::string expected;
  std::string got;
};

// A decoded task, not accepted yet.
Result<JobPtr, Refusal> read_task(const ServiceConfig& config, const AccountId& requester,
                                  const proto::Task& task, KeptParts& kept);

// The stream, shared with the jobs that will answer on it; after close() nothing more is sent.
class Connection {
 public:
  Connection(std::uint64_t id, const AccountId& requester, grpc::ServerContext& context,
             Stream& stream)
      : id_(id),
        requester_(requester),
        writer_({[&stream](const Frame& frame) { return stream.Write(frame); },
                 [&context] { context.TryCancel(); }},
                2 * task::kMaxFrameBytes) {}

  std::uint64_t id() const { return id_; }
  const AccountId& requester() const { return requester_; }
  void send(Frame frame) { writer_.send(std::move(frame)); }
  void send_refusal(std::uint64_t task, const Refusal& refusal);
  void send_progress(std::uint64_t task, const std::string& state);
  void send_channel_message(ByteView message);
  void send_bye(const std::string& reason);
  void close() { writer_.close(); }

 private:
  std::uint64_t id_;
  AccountId requester_;
  task::FrameWriter writer_;
};

struct Greeting {
  const ServiceConfig& config;
  const task::TlsIdentity& identity;
  const Bytes& offer;
  const MultiSignature& offer_signature;
};
// The requester's proved account, or how to end the stream.
Result<AccountId, grpc::Status> greet(const Greeting& greeting, grpc::ServerContext& context,
                                      Stream& stream);

}  // namespace tally::worker
