#include "runtime/call.hpp"

#include "modules/channels/dispatch.hpp"
#include "modules/channels/errors.hpp"
#include "modules/credits/dispatch.hpp"
#include "modules/credits/errors.hpp"
#include "modules/disputes/dispatch.hpp"
#include "modules/storage_registry/dispatch.hpp"
#include "modules/storage_registry/errors.hpp"
#include "modules/system/api.hpp"
#include "modules/validators/api.hpp"
#include "modules/validators/errors.hpp"
#include "modules/workers/api.hpp"
#include "modules/workers/dispatch.hpp"
#include "modules/workers/errors.hpp"

namespace tally::runtime {

CallProperties properties(const RuntimeCall& call) {
  return std::visit([](const auto& of_module) { return properties(of_module.value); }, call);
}

DispatchResult dispatch(Context& ctx, const Origin& origin, const RuntimeCall& call) {
  // A close tells the workers module what the parties dealt in.
  if (const auto* channel_call = std::get_if<ChannelsCall>(&call)) {
    const auto close = TALLY_TRY(channels::dispatch_and_tell(ctx, origin, channel_call->value));
    if (close) {
      workers::on_channel_closed(ctx, {close->payee, close->payer, close->receipts_count,
                                       close->turnover, close->settlement_fee});
    }
    return {};
  }
  return std::visit([&](const auto& of_module) { return dispatch(ctx, origin, of_module.value); },
                    call);
}

namespace {

std::string_view module_error_name(ModuleIndex module, std::uint8_t error) {
  switch (module) {
    case ModuleIndex::credits:
      return enumerator_name(static_cast<credits::Error>(error));
    case ModuleIndex::channels:
      return enumerator_name(static_cast<channels::Error>(error));
    case ModuleIndex::workers:
      return enumerator_name(static_cast<workers::Error>(error));
    case ModuleIndex::disputes:
      return enumerator_name(static_cast<disputes::Error>(error));
    case ModuleIndex::validators:
      return enumerator_name(static_cast<validators::Error>(error));
    case ModuleIndex::storage_registry:
      return enumerator_name(static_cast<storage_registry::Error>(error));
    case ModuleIndex::system:
    case ModuleIndex::timestamp:
      return "unknown";
  }
  return "unknown";
}

}  // namespace

std::string to_text(const DispatchError& error) {
  if (const auto* module = std::get_if<ErrorModule>(&error.kind)) {
    const auto index = static_cast<ModuleIndex>(module->index);
    return std::string(module_name(index)) + "." +
           std::string(module_error_name(index, module->error[0]));
  }
  if (const auto* arithmetic = std::get_if<ErrorArithmetic>(&error.kind)) {
    return "Arithmetic." + std::string(enumerator_name(arithmetic->error));
  }
  return std::visit([](const auto& kind) { return std::string(kind.kName); }, error.kind);
}

}  // namespace tally::runtime
