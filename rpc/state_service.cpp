#include "modules/system/storage.hpp"
#include "rpc/convert.hpp"
#include "rpc/proto/state.grpc.pb.h"
#include "rpc/service.hpp"
#include "runtime/metadata/metadata.hpp"

namespace tally::rpc {

namespace proto = tallystick::v1;

namespace {

constexpr int kKeysMax = 256;
constexpr std::size_t kKeyBytesMax = 512;
constexpr std::size_t kPrefixBytesMin = 16;
constexpr std::uint32_t kScanDefault = 100;
constexpr std::uint32_t kScanMax = 1'000;
constexpr std::size_t kScanBytesMax = 2 << 20;  // of a reply, which then ends early
constexpr std::uint32_t kMetadataVersion = 14;

void fill(proto::StateValue& out, const ports::StateValue& value) {
  out.set_key(to_proto(value.key));
  if (value.value) out.set_value(to_proto(*value.value));
  if (value.proof) out.set_proof(to_proto(encode(*value.proof)));
}

class StateService final : public proto::State::Service {
 public:
  explicit StateService(Backend backend) : backend_(backend) {}

  grpc::Status Read(grpc::ServerContext* context, const proto::ReadStateRequest* request,
                    proto::ReadStateResponse* reply) override {
    const auto call = backend_.clients.begin(*context);
    if (!call) return too_busy(*context);
    if (request->keys_size() == 0 || request->keys_size() > kKeysMax) {
      return too_large(*context, "keys must be 1 to " + std::to_string(kKeysMax) + "; " +
                                     std::to_string(request->keys_size()) + " came");
    }
    const auto at = to_block_at(request->at());
    if (!at.ok()) return invalid_argument(*context, at.error().message);
    ports::Query::ReadRequest read{{}, *at, request->with_proof()};
    for (const std::string& key : request->keys()) {
      if (key.empty() || key.size() > kKeyBytesMax) {
        return too_large(*context, "a key must have 1 to " + std::to_string(kKeyBytesMax) +
                                       " bytes; " + std::to_string(key.size()) + " came");
      }
      read.keys.push_back(to_bytes(as_bytes(key)));
    }
    const auto keys = static_cast<std::int64_t>(read.keys.size());
    call->charge(keys * (cost::kKey + (read.with_proof ? cost::kProof : 0)));
    const auto answer = backend_.query.read_state(read);
    if (!answer.ok()) return to_status(*context, answer.error());
    rpc::fill(*reply->mutable_block(), answer->block);
    reply->set_state_root(to_proto(answer->state_root));
    for (const ports::StateValue& value : answer->values) fill(*reply->add_values(), value);
    return grpc::Status::OK;
  }

  grpc::Status Scan(grpc::ServerContext* context, const proto::ScanStateRequest* request,
                    proto::ScanStateResponse* reply) override {
    const auto call = backend_.clients.begin(*context);
    if (!call) return too_busy(*context);
    if (request->prefix().size() < kPrefixBytesMin || request->prefix().size() > kKeyBytesMax) {
      return invalid_argument(*context, "prefix must have " + std::to_string(kPrefixBytesMin) +
                                            " to " + std::to_string(kKeyBytesMax) + " bytes; " +
                                            std::to_string(request->prefix().size()) + " came");
    }
    if (request->limit() > kScanMax) {
      return too_large(*context, "limit may be at most " + std::to_string(kScanMax) + "; " +
                                     std::to_string(request->limit()) + " came");
    }
    ports::ScanRequest scan;
    scan.prefix = to_bytes(as_bytes(request->prefix()));
    if (request->has_after()) scan.after = to_bytes(as_bytes(request->after()));
    scan.limit = request->limit() == 0 ? kScanDefault : request->limit();
    call->charge(scan.limit * cost::kRow);
    const auto page = backend_.query.scan_state(scan);
    if (!page.ok()) return to_status(*context, page.error());
    rpc::fill(*reply->mutable_block(), page->block);
    std::size_t bytes = 0;
    for (const auto& [key, value] : page->entries) {
      bytes += key.size() + value.size();
      if (bytes > kScanBytesMax && reply->entries_size() > 0) {
        reply->set_more(true);
        return grpc::Status::OK;
      }
      proto::StateEntry& entry = *reply->add_entries();
      entry.set_key(to_proto(key));
      entry.set_value(to_proto(value));
    }
    reply->set_more(page->more);
    return grpc::Status::OK;
  }

  grpc::Status GetAccount(grpc::ServerContext* context, const proto::GetAccountRequest* request,
                          proto::Account* reply) override {
    const auto call = backend_.clients.begin(*context);
    if (!call) return too_busy(*context);
    const auto account = to_account(request->account(), "account");
    if (!account.ok()) return invalid_argument(*context, account.error().message);
    const auto at = to_block_at(request->at());
    if (!at.ok()) return invalid_argument(*context, at.error().message);
    const auto answer =
        backend_.query.read_state({{to_bytes(system::kAccount.key(*account))}, *at, false});
    if (!answer.ok()) return to_status(*context, answer.error());
    rpc::fill(*reply->mutable_block(), answer->block);
    const std::optional<Bytes>& stored = answer->values.at(0).value;
    system::AccountInfo info;
    if (stored) {
      const auto decoded = decode<system::AccountInfo>(*stored);
      TALLY_ASSERT(decoded.ok());
      info = *decoded;
      reply->set_scale(to_proto(*stored));
    }
    reply->set_exists(info.alive());
    reply->set_nonce(info.nonce.value);
    reply->set_free_micro(to_decimal(info.data.free.micro));
    reply->set_reserved_micro(to_decimal(info.data.reserved.micro));
    reply->set_frozen_micro(to_decimal(info.data.frozen.micro));
    return grpc::Status::OK;
  }

  grpc::Status GetMetadata(grpc::ServerContext* context, const proto::GetMetadataRequest*,
                           proto::Metadata* reply) override {
    const auto call = backend_.clients.begin(*context);
    if (!call) return too_busy(*context);
    const auto answer =
        backend_.query.read_state({{to_bytes(system::kConfig.key())}, ports::LatestFinal{}, false});
    if (!answer.ok()) return to_status(*context, answer.error());
    const auto stored = answer->values.at(0).value;
    const Result<system::Config, DecodeError> config =
        stored ? decode<system::Config>(*stored) : system::Config{};
    TALLY_ASSERT(config.ok());
    reply->set_version(kMetadataVersion);
    reply->set_scale(to_proto(metadata::encoded({config->min_block_interval})));
    return grpc::Status::OK;
  }

 private:
  Backend backend_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_state_service(Backend backend) {
  return std::make_unique<StateService>(backend);
}

}  // namespace tally::rpc
