#include "client-sdk/chain/events.hpp"
#include "modules/channels/storage.hpp"
#include "rpc/convert.hpp"
#include "rpc/proto/channels.grpc.pb.h"
#include "rpc/service.hpp"

namespace tally::rpc {

namespace proto = tallystick::v1;

namespace {

constexpr std::uint32_t kChannelsPerPage = 500;

void fill(proto::Channel& out, const ports::BlockRef& block, const ChannelId& id,
          const Bytes& stored) {
  const auto channel = decode<channels::Channel>(stored);
  TALLY_ASSERT(channel.ok());
  rpc::fill(*out.mutable_block(), block);
  out.set_channel_id(to_proto(id));
  out.set_scale(to_proto(stored));
  out.set_json(to_json(*channel).dump());
}

bool is_party(const Bytes& stored, const AccountId& account) {
  const auto channel = decode<channels::Channel>(stored);
  TALLY_ASSERT(channel.ok());
  return channel->side_of(account).has_value();
}

// The channel that an event is about; nothing for events of other modules.
std::optional<ChannelId> channel_of(const runtime::EventRecord& record) {
  const auto* module = std::get_if<runtime::ChannelsEvent>(&record.event);
  if (module == nullptr) return std::nullopt;
  return std::visit([](const auto& event) { return event.channel_id; }, module->value);
}

class ChannelsService final : public proto::Channels::Service {
 public:
  explicit ChannelsService(Backend backend) : backend_(backend) {}

  grpc::Status Get(grpc::ServerContext* context, const proto::GetChannelRequest* request,
                   proto::Channel* reply) override {
    const auto call = backend_.clients.begin(*context);
    if (!call) return too_busy(*context);
    const auto id = to_channel_id(request->channel_id(), "channel_id");
    if (!id.ok()) return invalid_argument(*context, id.error().message);
    const auto at = to_block_at(request->at());
    if (!at.ok()) return invalid_argument(*context, at.error().message);
    const auto answer =
        backend_.query.read_state({{to_bytes(channels::kChannels.key(*id))}, *at, false});
    if (!answer.ok()) return to_status(*context, answer.error());
    const std::optional<Bytes>& stored = answer->values.at(0).value;
    if (!stored) {
      return to_status(*context, ports::QueryError{ports::QueryErrorCode::not_found,
                                                   "no channel " + to_hex_prefixed(*id) +
                                                       " is pending, open or in challenge at "
                                                       "block " +
                                                       std::to_string(answer->block.number.value)});
    }
    fill(*reply, answer->block, *id, *stored);
    return grpc::Status::OK;
  }

  grpc::Status List(grpc::ServerContext* context, const proto::ListChannelsRequest* request,
                    proto::ListChannelsResponse* reply) override {
    const auto call = backend_.clients.begin(*context);
    if (!call) return too_busy(*context);
    std::optional<AccountId> account;
    if (!request->account().empty()) {
      const auto given = to_account(request->account(), "account");
      if (!given.ok()) return invalid_argument(*context, given.error().message);
      account = *given;
    }
    ports::ScanRequest scan{to_bytes(channels::kChannels.prefix), std::nullopt, kChannelsPerPage};
    if (request->has_after()) scan.after = to_bytes(as_bytes(request->after()));
    call->charge(kChannelsPerPage * cost::kRow);
    const auto page = backend_.query.scan_state(scan);
    if (!page.ok()) return to_status(*context, page.error());
    rpc::fill(*reply->mutable_block(), page->block);
    for (const auto& [key, stored] : page->entries) {
      const auto keys = channels::kChannels.keys_of(key);
      TALLY_ASSERT(keys.has_value());
      if (account && !is_party(stored, *account)) continue;
      fill(*reply->add_channels(), page->block, std::get<0>(*keys), stored);
    }
    if (page->more && !page->entries.empty()) {
      reply->set_next(to_proto(page->entries.back().first));
    }
    return grpc::Status::OK;
  }

  grpc::Status SubscribeEvents(grpc::ServerContext* context,
                               const proto::SubscribeChannelEventsRequest* request,
                               grpc::ServerWriter<proto::ChannelEvent>* writer) override {
    const auto id = to_channel_id(request->channel_id(), "channel_id");
    if (!id.ok()) return invalid_argument(*context, id.error().message);
    std::optional<BlockNumber> from;
    if (request->has_from_number()) from = BlockNumber(request->from_number());
    return walk_finalized(*context, backend_, from, [&](Streams::Slot& slot, BlockNumber number) {
      const auto events = backend_.query.events(number);
      if (!events.ok()) return to_status(*context, events.error());
      write_events(slot, *writer, *id, *events);
      return grpc::Status(grpc::Status::OK);
    });
  }

 private:
  static void write_events(Streams::Slot& slot, grpc::ServerWriter<proto::ChannelEvent>& writer,
                           const ChannelId& id, const ports::BlockEvents& events) {
    const auto records = client::decode_events(events.records);
    TALLY_ASSERT(records.ok());
    for (const runtime::EventRecord& record : *records) {
      if (channel_of(record) != id) continue;
      const client::EventView view = client::view_of(record);
      proto::ChannelEvent message;
      rpc::fill(*message.mutable_block(), events.block);
      message.set_name(view.name);
      message.set_json(view.fields.dump());
      if (!slot.write(writer, message)) return;
    }
  }

  Backend backend_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_channels_service(Backend backend) {
  return std::make_unique<ChannelsService>(backend);
}

}  // namespace tally::rpc
