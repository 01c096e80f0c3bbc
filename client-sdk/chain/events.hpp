// The events of a block, decoded: typed for programs, named and in JSON for people.
//
//   for (const runtime::EventRecord& record : TALLY_TRY(decode_events(raw.records))) {
//     if (const auto* closed = event_if<channels::ChannelClosed>(record)) …
//   }
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "client-sdk/chain/client.hpp"
#include "client-sdk/chain/json.hpp"
#include "runtime/events.hpp"

namespace tally {

// {"kind": "Module", "error": "Channels.wrong_phase"}, {"kind": "CannotLookup"}, …
Json to_json(const DispatchError& error);

}  // namespace tally

namespace tally::client {

// An event as people read it.
struct EventView {
  std::optional<std::uint32_t> extrinsic;  // the extrinsic that caused it; none: the block itself
  std::string module;                      // "Channels"
  std::string name;                        // "ChannelClosed"
  Json fields;
};

Result<std::vector<runtime::EventRecord>, DecodeError> decode_events(ByteView records);
EventView view_of(const runtime::EventRecord& record);
std::optional<std::uint32_t> extrinsic_of(const runtime::EventRecord& record);

// The event, if it is one of this type.
template <class Event>
const Event* event_if(const runtime::EventRecord& record) {
  return std::visit(
      [](const auto& module) {
        return std::visit(
            [](const auto& event) -> const Event* {
              if constexpr (std::is_same_v<std::decay_t<decltype(event)>, Event>) return &event;
              return nullptr;
            },
            module.value);
      },
      record.event);
}

// Why the extrinsic's call failed; nothing when it was applied. An error when the events say
// neither.
ClientResult<std::optional<DispatchError>> dispatch_failure(const RawEvents& events,
                                                            std::uint32_t extrinsic);
// The first event of this type that the extrinsic caused.
template <class Event>
std::optional<Event> find_event(const std::vector<runtime::EventRecord>& records,
                                std::uint32_t extrinsic) {
  for (const runtime::EventRecord& record : records) {
    if (extrinsic_of(record) != extrinsic) continue;
    if (const Event* event = event_if<Event>(record)) return *event;
  }
  return std::nullopt;
}

}  // namespace tally::client
