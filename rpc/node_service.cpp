#include "rpc/proto/node.grpc.pb.h"
#include "rpc/service.hpp"

namespace tally::rpc {

namespace proto = tallystick::v1;

namespace {

class NodeService final : public proto::Node::Service {
 public:
  explicit NodeService(Backend backend) : backend_(backend) {}

  grpc::Status GetVersion(grpc::ServerContext* context, const proto::GetVersionRequest*,
                          proto::NodeVersion* reply) override {
    const auto call = backend_.clients.begin(*context);
    if (!call) return too_busy(*context);
    const ports::NodeInfo info = backend_.query.node_info();
    reply->set_version(info.version);
    reply->set_node_key(info.node_key);
    reply->set_role(info.role);
    if (info.validator) reply->set_validator_index(*info.validator);
    return grpc::Status::OK;
  }

  grpc::Status GetPeers(grpc::ServerContext* context, const proto::GetPeersRequest*,
                        proto::Peers* reply) override {
    const auto call = backend_.clients.begin(*context);
    if (!call) return too_busy(*context);
    for (const ports::PeerInfo& peer : backend_.query.peers()) {
      proto::Peer& out = *reply->add_peers();
      out.set_node_key(peer.node_key);
      out.set_address(peer.address);
      out.set_inbound(peer.inbound);
      if (peer.validator) out.set_validator_index(*peer.validator);
      out.set_best_number(peer.best_number);
    }
    return grpc::Status::OK;
  }

  grpc::Status GetSync(grpc::ServerContext* context, const proto::GetSyncRequest*,
                       proto::Sync* reply) override {
    const auto call = backend_.clients.begin(*context);
    if (!call) return too_busy(*context);
    const ports::SyncInfo sync = backend_.query.sync();
    reply->set_syncing(sync.syncing);
    reply->set_current_number(sync.current.value);
    reply->set_target_number(sync.target.value);
    return grpc::Status::OK;
  }

  grpc::Status GetPool(grpc::ServerContext* context, const proto::GetPoolRequest*,
                       proto::Pool* reply) override {
    const auto call = backend_.clients.begin(*context);
    if (!call) return too_busy(*context);
    const ports::PoolInfo pool = backend_.query.pool();
    reply->set_transactions(pool.transactions);
    reply->set_bytes(pool.bytes);
    reply->set_transactions_max(pool.transactions_max);
    reply->set_bytes_max(pool.bytes_max);
    return grpc::Status::OK;
  }

  grpc::Status GetStatus(grpc::ServerContext* context, const proto::GetStatusRequest*,
                         proto::NodeStatus* reply) override {
    const auto call = backend_.clients.begin(*context);
    if (!call) return too_busy(*context);
    const ports::NodeStatus status = backend_.query.status();
    reply->set_state(std::string(enumerator_name(status.state)));
    reply->set_reason(status.reason);
    reply->set_advice(status.advice);
    reply->set_since_ms(status.since.value);
    if (status.progress) {
      reply->mutable_progress()->set_done(status.progress->done);
      reply->mutable_progress()->set_total(status.progress->total);
    }
    reply->set_database_bytes(status.disk.database_bytes);
    reply->set_votes_bytes(status.disk.votes_bytes);
    reply->set_free_bytes(status.disk.free_bytes);
    reply->set_oldest_state(status.oldest_state.value);
    reply->set_oldest_block(status.oldest_block.value);
    reply->set_peers(status.peers);
    reply->set_validator_peers(status.validator_peers);
    reply->set_finalized_number(status.finalized.value);
    reply->set_sync_target(status.sync_target.value);
    return grpc::Status::OK;
  }

 private:
  Backend backend_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_node_service(Backend backend) {
  return std::make_unique<NodeService>(backend);
}

}  // namespace tally::rpc
