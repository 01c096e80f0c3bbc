#include "rpc/testing/lying_node.hpp"

#include <grpcpp/grpcpp.h>

#include <mutex>
#include <optional>

#include "primitives/assert.hpp"
#include "rpc/proto/chain.grpc.pb.h"
#include "rpc/proto/state.grpc.pb.h"

namespace tally::testing {

namespace proto = tallystick::v1;

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

void change_text(std::string& text, Change change) {
  if (change == Change::grow) text.push_back('\x01');
  if (change == Change::empty) text.clear();
  if (text.empty()) return;
  if (change == Change::cut) text.pop_back();
  const auto flip = [&](std::size_t at) { text[at] = static_cast<char>(text[at] ^ 1); };
  if (change == Change::flip_first) flip(0);
  if (change == Change::flip_last) flip(text.size() - 1);
  if (change == Change::flip_middle) flip(text.size() / 2);
}

// Finds the field of a number in a message and changes it.
class Changer {
 public:
  Changer(int field, Change change) : left_(field), change_(change) {}

  bool visit(Message& message, const std::string& prefix) {
    const auto& fields = *message.GetDescriptor();
    for (int i = 0; i < fields.field_count(); ++i) {
      const FieldDescriptor& field = *fields.field(i);
      const std::string name = prefix + field.name();
      if (take()) return apply(message, field), found_ = name, true;
      if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
      if (descend(message, field, name + ".")) return true;
    }
    return false;
  }
  const std::string& found() const { return found_; }

 private:
  bool take() { return left_-- == 0; }

  bool descend(Message& message, const FieldDescriptor& field, const std::string& prefix) {
    const Reflection& access = *message.GetReflection();
    if (!field.is_repeated()) {
      return access.HasField(message, &field) &&
             visit(*access.MutableMessage(&message, &field), prefix);
    }
    for (int i = 0; i < access.FieldSize(message, &field); ++i) {
      if (visit(*access.MutableRepeatedMessage(&message, &field, i), prefix)) return true;
    }
    return false;
  }

  void apply(Message& message, const FieldDescriptor& field) const {
    const Reflection& access = *message.GetReflection();
    if (field.is_repeated()) return apply_to_list(message, field);
    if (change_ == Change::empty) return access.ClearField(&message, &field);
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING: {
        std::string text = access.GetString(message, &field);
        change_text(text, change_);
        return access.SetString(&message, &field, text);
      }
      case FieldDescriptor::CPPTYPE_UINT32:
        return access.SetUInt32(&message, &field, access.GetUInt32(message, &field) + 1);
      case FieldDescriptor::CPPTYPE_UINT64:
        return access.SetUInt64(&message, &field, access.GetUInt64(message, &field) + 1);
      default:
        return;  // a message's own fields have numbers
    }
  }

  void apply_to_list(Message& message, const FieldDescriptor& field) const {
    const Reflection& access = *message.GetReflection();
    const int size = access.FieldSize(message, &field);
    if (change_ == Change::empty) return access.ClearField(&message, &field);
    if (size == 0 || field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return;
    if (change_ == Change::cut) return access.RemoveLast(&message, &field);
    if (change_ != Change::grow) return;
    Message& more = *access.AddMessage(&message, &field);
    more.CopyFrom(access.GetRepeatedMessage(message, &field, size - 1));
  }

  int left_;
  Change change_;
  std::string found_;
};

}  // namespace

class LyingNode::Impl final {
 public:
  explicit Impl(const std::string& honest)
      : channel_(grpc::CreateChannel(honest, grpc::InsecureChannelCredentials())),
        chain_(*this),
        state_(*this) {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&chain_);
    builder.RegisterService(&state_);
    server_ = builder.BuildAndStart();
    TALLY_ASSERT(server_ != nullptr && port != 0);
    address_ = "127.0.0.1:" + std::to_string(port);
  }
  ~Impl() { server_->Shutdown(); }

  const std::string& address() const { return address_; }
  void set(std::optional<Lie> lie) {
    const std::lock_guard lock(mutex_);
    lie_ = lie;
    changed_.clear();
  }
  void refuse(const std::string& words) {
    const std::lock_guard lock(mutex_);
    refusal_ = words;
  }
  std::string changed() const {
    const std::lock_guard lock(mutex_);
    return changed_;
  }

 private:
  template <class Stub, class Request, class Reply>
  grpc::Status pass(Call call, Stub& stub,
                    grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Reply*),
                    const Request& request, Reply& reply) {
    {
      const std::lock_guard lock(mutex_);
      if (refusal_) return grpc::Status(grpc::StatusCode::INTERNAL, *refusal_);
    }
    grpc::ClientContext context;
    const grpc::Status status = (stub.*method)(&context, request, &reply);
    if (status.ok()) lie_about(call, reply);
    return status;
  }
  void lie_about(Call call, Message& reply) {
    const std::lock_guard lock(mutex_);
    if (!lie_ || lie_->call != call || lie_->answer-- != 0) return;
    const std::string before = reply.SerializeAsString();
    Changer changer(lie_->field, lie_->change);
    changer.visit(reply, "");
    if (reply.SerializeAsString() != before) changed_ = changer.found();
  }

  class ChainService final : public proto::Chain::Service {
   public:
    explicit ChainService(Impl& node) : node_(node), stub_(proto::Chain::NewStub(node.channel_)) {}
    grpc::Status GetInfo(grpc::ServerContext*, const proto::GetInfoRequest* request,
                         proto::ChainInfo* reply) override {
      return node_.pass(Call::info, *stub_, &proto::Chain::Stub::GetInfo, *request, *reply);
    }
    grpc::Status GetHeader(grpc::ServerContext*, const proto::GetHeaderRequest* request,
                           proto::Header* reply) override {
      return node_.pass(Call::header, *stub_, &proto::Chain::Stub::GetHeader, *request, *reply);
    }
    grpc::Status GetFinalityProof(grpc::ServerContext*,
                                  const proto::GetFinalityProofRequest* request,
                                  proto::FinalityProof* reply) override {
      return node_.pass(Call::finality_proof, *stub_, &proto::Chain::Stub::GetFinalityProof,
                        *request, *reply);
    }

   private:
    Impl& node_;
    std::unique_ptr<proto::Chain::Stub> stub_;
  };
  class StateService final : public proto::State::Service {
   public:
    explicit StateService(Impl& node) : node_(node), stub_(proto::State::NewStub(node.channel_)) {}
    grpc::Status Read(grpc::ServerContext*, const proto::ReadStateRequest* request,
                      proto::ReadStateResponse* reply) override {
      return node_.pass(Call::read, *stub_, &proto::State::Stub::Read, *request, *reply);
    }

   private:
    Impl& node_;
    std::unique_ptr<proto::State::Stub> stub_;
  };

  mutable std::mutex mutex_;
  std::optional<Lie> lie_;
  std::optional<std::string> refusal_;
  std::string changed_;
  std::shared_ptr<grpc::Channel> channel_;
  ChainService chain_;
  StateService state_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

LyingNode::LyingNode(const std::string& honest) : impl_(std::make_unique<Impl>(honest)) {}
LyingNode::~LyingNode() = default;
std::string LyingNode::address() const {
  return impl_->address();
}
void LyingNode::tell(const Lie& lie) {
  impl_->set(lie);
}
void LyingNode::be_honest() {
  impl_->set(std::nullopt);
}
void LyingNode::refuse(const std::string& words) {
  impl_->refuse(words);
}
std::string LyingNode::changed() const {
  return impl_->changed();
}

}  // namespace tally::testing
