#include "primitives/extrinsic.hpp"
#include "rpc/convert.hpp"
#include "rpc/proto/author.grpc.pb.h"
#include "rpc/service.hpp"

namespace tally::rpc {

namespace proto = tallystick::v1;

namespace {

void fill(proto::TransactionStatus::InBlock& out, const ports::TransactionAt& at) {
  rpc::fill(*out.mutable_block(), at.block);
  out.set_index(at.index);
}

void fill(proto::TransactionStatus::Rejected& out, const ports::Rejection& why) {
  out.set_code(std::string(name_of(why.code)));
  out.set_reason(why.reason);
}

struct StatusWriter {
  proto::TransactionStatus& out;
  void operator()(const ports::TxReady&) { out.mutable_ready(); }
  void operator()(const ports::TxInBlock& status) { fill(*out.mutable_in_block(), status.at); }
  void operator()(const ports::TxFinalized& status) { fill(*out.mutable_finalized(), status.at); }
  void operator()(const ports::TxRejected& status) { fill(*out.mutable_rejected(), status.why); }
  void operator()(const ports::TxExpired& status) {
    out.mutable_expired()->set_death_number(status.death.value);
  }
};

bool is_last(const proto::TransactionStatus& status) {
  return status.has_finalized() || status.has_rejected() || status.has_expired();
}

class AuthorService final : public proto::Author::Service {
 public:
  explicit AuthorService(Backend backend) : backend_(backend) {}

  grpc::Status Submit(grpc::ServerContext* context, const proto::SubmitRequest* request,
                      proto::SubmitResponse* reply) override {
    const auto call = backend_.clients.begin(*context);
    if (!call) return too_busy(*context);
    const auto hash = backend_.query.submit(as_bytes(request->extrinsic()));
    if (!hash.ok()) return to_status(*context, hash.error());
    reply->set_extrinsic_hash(to_proto(*hash));
    return grpc::Status::OK;
  }

  grpc::Status SubmitAndWatch(grpc::ServerContext* context, const proto::SubmitRequest* request,
                              grpc::ServerWriter<proto::TransactionStatus>* writer) override {
    const auto slot = backend_.streams.open(*context);
    if (!slot) return too_many_streams(*context);
    const ByteView extrinsic = as_bytes(request->extrinsic());
    proto::TransactionStatus message;
    message.set_extrinsic_hash(to_proto(extrinsic_hash(extrinsic)));

    StreamQueue<ports::TxStatus> queue(backend_.config.stream_queue_max);
    const auto subscription = backend_.query.submit_and_watch(
        extrinsic, [&queue](const ports::TxStatus& status) { queue.push(status); });
    if (!subscription.ok()) {
      fill(*message.mutable_rejected(), subscription.error());
      slot->write(*writer, message);
      return grpc::Status::OK;
    }
    while (slot->alive()) {
      if (queue.overflowed()) return slow_consumer(*context);
      const auto status = queue.pop();
      if (!status) continue;
      message.clear_status();
      std::visit(StatusWriter{message}, *status);
      if (!slot->write(*writer, message)) break;
      if (is_last(message)) return grpc::Status::OK;
    }
    return stream_ended(*context, backend_.streams);
  }

  grpc::Status GetNextNonce(grpc::ServerContext* context, const proto::GetNextNonceRequest* request,
                            proto::NextNonce* reply) override {
    const auto call = backend_.clients.begin(*context);
    if (!call) return too_busy(*context);
    const auto account = to_account(request->account(), "account");
    if (!account.ok()) return invalid_argument(*context, account.error().message);
    const auto nonce = backend_.query.next_nonce(*account);
    if (!nonce.ok()) return to_status(*context, nonce.error());
    reply->set_nonce(nonce->value);
    return grpc::Status::OK;
  }

 private:
  Backend backend_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_author_service(Backend backend) {
  return std::make_unique<AuthorService>(backend);
}

}  // namespace tally::rpc
