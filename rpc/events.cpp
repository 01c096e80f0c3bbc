#include "rpc/events.hpp"

#include "client-sdk/chain/events.hpp"
#include "rpc/convert.hpp"

namespace tally::rpc {

void fill(tallystick::v1::BlockEvents& out, const ports::BlockEvents& events) {
  fill(*out.mutable_block(), events.block);
  out.set_scale(to_proto(events.records));
  const auto records = client::decode_events(events.records);
  TALLY_ASSERT(records.ok());
  for (const runtime::EventRecord& record : *records) {
    const client::EventView view = client::view_of(record);
    tallystick::v1::Event& event = *out.add_events();
    if (view.extrinsic) event.set_extrinsic_index(*view.extrinsic);
    event.set_module(view.module);
    event.set_name(view.name);
    event.set_json(view.fields.dump());
  }
}

}  // namespace tally::rpc
