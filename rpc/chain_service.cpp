#include "rpc/convert.hpp"
#include "rpc/events.hpp"
#include "rpc/proto/chain.grpc.pb.h"
#include "rpc/service.hpp"

namespace tally::rpc {

namespace proto = tallystick::v1;

namespace {

std::optional<BlockNumber> number_or_none(bool given, std::uint32_t number) {
  if (!given) return std::nullopt;
  return BlockNumber(number);
}

class ChainService final : public proto::Chain::Service {
 public:
  explicit ChainService(Backend backend) : backend_(backend) {}

  grpc::Status GetInfo(grpc::ServerContext* context, const proto::GetInfoRequest*,
                       proto::ChainInfo* reply) override {
    const auto call = backend_.clients.begin(*context);
    if (!call) return too_busy(*context);
    const ports::ChainInfo info = backend_.query.chain_info();
    reply->set_chain(info.chain);
    reply->set_spec_name(info.spec_name);
    reply->set_spec_version(info.spec_version);
    reply->set_transaction_version(info.transaction_version);
    reply->set_genesis_hash(to_proto(info.genesis_hash));
    return grpc::Status::OK;
  }

  grpc::Status GetHeads(grpc::ServerContext* context, const proto::GetHeadsRequest*,
                        proto::Heads* reply) override {
    const auto call = backend_.clients.begin(*context);
    if (!call) return too_busy(*context);
    const ports::Heads heads = backend_.query.heads();
    fill(*reply->mutable_best(), heads.best);
    fill(*reply->mutable_finalized(), heads.finalized);
    reply->set_epoch(heads.epoch.value);
    reply->set_view(heads.view.value);
    return grpc::Status::OK;
  }

  grpc::Status GetHeader(grpc::ServerContext* context, const proto::GetHeaderRequest* request,
                         proto::Header* reply) override {
    const auto call = backend_.clients.begin(*context);
    if (!call) return too_busy(*context);
    const auto at = to_block_at(request->at());
    if (!at.ok()) return invalid_argument(*context, at.error().message);
    const auto head = backend_.query.header(*at);
    if (!head.ok()) return to_status(*context, head.error());
    fill(*reply, head->block, head->header);
    return grpc::Status::OK;
  }

  grpc::Status GetBlock(grpc::ServerContext* context, const proto::GetBlockRequest* request,
                        proto::Block* reply) override {
    const auto call = backend_.clients.begin(*context);
    if (!call) return too_busy(*context);
    const auto at = to_block_at(request->at());
    if (!at.ok()) return invalid_argument(*context, at.error().message);
    const auto block = backend_.query.block(*at);
    if (!block.ok()) return to_status(*context, block.error());
    fill(*reply->mutable_header(), block->block, block->header);
    std::size_t bytes = 0;
    for (const Bytes& extrinsic : block->extrinsics) bytes += extrinsic.size();
    call->charge(cost::of_bytes(bytes));
    for (const Bytes& extrinsic : block->extrinsics) reply->add_extrinsics(to_proto(extrinsic));
    reply->set_finalized(block->finalized);
    return grpc::Status::OK;
  }

  grpc::Status GetFinalityProof(grpc::ServerContext* context,
                                const proto::GetFinalityProofRequest* request,
                                proto::FinalityProof* reply) override {
    const auto call = backend_.clients.begin(*context);
    if (!call) return too_busy(*context);
    const auto at = to_block_at(request->at());
    if (!at.ok()) return invalid_argument(*context, at.error().message);
    const auto proof = backend_.query.finality_proof(*at);
    if (!proof.ok()) return to_status(*context, proof.error());
    call->charge(static_cast<std::int64_t>(proof->descendants.size()) * cost::kHeader);
    fill(*reply, *proof);
    return grpc::Status::OK;
  }

  grpc::Status GetEvents(grpc::ServerContext* context, const proto::GetEventsRequest* request,
                         proto::BlockEvents* reply) override {
    const auto call = backend_.clients.begin(*context);
    if (!call) return too_busy(*context);
    const auto at = to_block_at(request->at());
    if (!at.ok()) return invalid_argument(*context, at.error().message);
    const auto events = backend_.query.events(*at);
    if (!events.ok()) return to_status(*context, events.error());
    call->charge(cost::of_bytes(events->records.size()));
    fill(*reply, *events);
    return grpc::Status::OK;
  }

  grpc::Status FindTransaction(grpc::ServerContext* context,
                               const proto::FindTransactionRequest* request,
                               proto::TransactionAt* reply) override {
    const auto call = backend_.clients.begin(*context);
    if (!call) return too_busy(*context);
    const auto hash = to_hash(request->extrinsic_hash(), "extrinsic_hash");
    if (!hash.ok()) return invalid_argument(*context, hash.error().message);
    const auto found = backend_.query.find_transaction(*hash);
    if (!found.ok()) return to_status(*context, found.error());
    fill(*reply->mutable_block(), found->block);
    reply->set_index(found->index);
    reply->set_finalized(found->finalized);
    return grpc::Status::OK;
  }

  grpc::Status SubscribeHeads(grpc::ServerContext* context, const proto::SubscribeHeadsRequest*,
                              grpc::ServerWriter<proto::Header>* writer) override {
    const auto slot = backend_.streams.open(*context);
    if (!slot) return too_many_streams(*context);
    StreamQueue<ports::Head> queue(backend_.config.stream_queue_max);
    const auto subscription =
        backend_.query.subscribe_heads([&queue](ports::HeadKind kind, const ports::Head& head) {
          if (kind == ports::HeadKind::best) queue.push(head);
        });
    while (slot->alive()) {
      if (queue.overflowed()) return slow_consumer(*context);
      const auto head = queue.pop();
      if (!head) continue;
      proto::Header message;
      fill(message, head->block, head->header);
      if (!slot->write(*writer, message)) break;
    }
    return stream_ended(*context, backend_.streams);
  }

  grpc::Status SubscribeFinalized(grpc::ServerContext* context,
                                  const proto::SubscribeFinalizedRequest* request,
                                  grpc::ServerWriter<proto::FinalizedHeader>* writer) override {
    const auto from = number_or_none(request->has_from_number(), request->from_number());
    return walk_finalized(*context, backend_, from, [&](Streams::Slot& slot, BlockNumber number) {
      return write_finalized(*context, *request, slot, number, *writer);
    });
  }

  grpc::Status SubscribeEvents(grpc::ServerContext* context,
                               const proto::SubscribeEventsRequest* request,
                               grpc::ServerWriter<proto::BlockEvents>* writer) override {
    const auto from = number_or_none(request->has_from_number(), request->from_number());
    return walk_finalized(*context, backend_, from, [&](Streams::Slot& slot, BlockNumber number) {
      const auto events = backend_.query.events(number);
      if (!events.ok()) return to_status(*context, events.error());
      proto::BlockEvents message;
      fill(message, *events);
      slot.write(*writer, message);
      return grpc::Status(grpc::Status::OK);
    });
  }

 private:
  grpc::Status write_finalized(grpc::ServerContext& context,
                               const proto::SubscribeFinalizedRequest& request, Streams::Slot& slot,
                               BlockNumber number,
                               grpc::ServerWriter<proto::FinalizedHeader>& writer) {
    const auto head = backend_.query.header(number);
    if (!head.ok()) return to_status(context, head.error());
    proto::FinalizedHeader message;
    fill(*message.mutable_header(), head->block, head->header);
    if (request.with_proof()) {
      const auto proof = backend_.query.finality_proof(number);
      if (!proof.ok()) return to_status(context, proof.error());
      fill(*message.mutable_proof(), *proof);
    }
    slot.write(writer, message);
    return grpc::Status::OK;
  }

  Backend backend_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_chain_service(Backend backend) {
  return std::make_unique<ChainService>(backend);
}

}  // namespace tally::rpc
