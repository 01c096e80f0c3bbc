#include "client-sdk/chain/events.hpp"

#include "modules/system/events.hpp"

namespace tally {

Json to_json(const DispatchError& error) {
  Json out = Json::object();
  std::visit([&](const auto& kind) { out["kind"] = std::string(kind.kName); }, error.kind);
  out["error"] = runtime::to_text(error);
  return out;
}

namespace client {

namespace {

ClientError undecodable(std::string message) {
  return {ClientErrorKind::not_proved, std::string(enumerator_name(ClientErrorKind::not_proved)),
          std::move(message)};
}

}  // namespace

Result<std::vector<runtime::EventRecord>, DecodeError> decode_events(ByteView records) {
  return decode<std::vector<runtime::EventRecord>>(records);
}

std::optional<std::uint32_t> extrinsic_of(const runtime::EventRecord& record) {
  const auto* apply = std::get_if<PhaseApply>(&record.phase);
  if (apply == nullptr) return std::nullopt;
  return apply->extrinsic;
}

EventView view_of(const runtime::EventRecord& record) {
  EventView view{extrinsic_of(record), {}, {}, {}};
  std::visit(
      [&](const auto& module) {
        view.module = std::string(module.kName);
        std::visit(
            [&](const auto& event) {
              view.name = std::string(event.kName);
              view.fields = to_json(event);
            },
            module.value);
      },
      record.event);
  return view;
}

ClientResult<std::optional<DispatchError>> dispatch_failure(const RawEvents& events,
                                                            std::uint32_t extrinsic) {
  const auto records = decode_events(events.records);
  if (!records.ok()) {
    return fail(undecodable("the events of block " + std::to_string(events.head.number.value) +
                            " do not decode (" + to_text(records.error()) +
                            "): is this program older than the chain's runtime?"));
  }
  if (const auto failed = find_event<system::ExtrinsicFailed>(*records, extrinsic)) {
    return std::optional<DispatchError>(failed->dispatch_error);
  }
  if (find_event<system::ExtrinsicSuccess>(*records, extrinsic)) {
    return std::optional<DispatchError>();
  }
  return fail(undecodable("block " + std::to_string(events.head.number.value) +
                          " does not say how its extrinsic " + std::to_string(extrinsic) +
                          " ended"));
}

}  // namespace client
}  // namespace tally
