// Events as a node tells them, and calls, as people are shown them: whatever bytes a text in them
// has, the JSON is JSON.
#include "client-sdk/chain/events.hpp"

#include "tests/fuzz/codec.hpp"

namespace tally::fuzz {

void run(ByteView input) {
  const auto records = client::decode_events(input);
  if (records.ok()) {
    TALLY_ASSERT(equal(encode(*records), input));
    for (const runtime::EventRecord& record : *records) {
      const client::EventView view = client::view_of(record);
      const std::string text = view.fields.dump();
      TALLY_ASSERT(Json::accept(text));
    }
    for (std::uint32_t i = 0; i < 3; ++i) {
      client::RawEvents raw{{}, to_bytes(input), true};
      (void)client::dispatch_failure(raw, i).ok();
    }
  }
  if (const auto call = decode<runtime::RuntimeCall>(input); call.ok()) {
    std::visit([](const auto& module) { TALLY_ASSERT(Json::accept(to_json(module.value).dump())); },
               *call);
  }
}

}  // namespace tally::fuzz
