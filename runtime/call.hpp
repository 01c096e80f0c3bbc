// Every call and every event of the runtime, as one type each: the module's index, then the
// module's own variant. Modules join here, in the order of their indices.
#pragma once

#include <variant>

#include "modules/channels/calls.hpp"
#include "modules/channels/events.hpp"
#include "modules/credits/calls.hpp"
#include "modules/credits/events.hpp"
#include "modules/disputes/calls.hpp"
#include "modules/disputes/events.hpp"
#include "modules/storage_registry/calls.hpp"
#include "modules/storage_registry/events.hpp"
#include "modules/support/context.hpp"
#include "modules/system/calls.hpp"
#include "modules/system/events.hpp"
#include "modules/validators/calls.hpp"
#include "modules/validators/events.hpp"
#include "modules/workers/calls.hpp"
#include "modules/workers/events.hpp"

namespace tally::runtime {

// A module's variant as an alternative of the runtime's.
template <ModuleIndex Module, class Variant>
struct OfModule {
  static constexpr std::uint8_t kIndex = static_cast<std::uint8_t>(Module);
  static constexpr std::string_view kName = module_name(Module);
  using Inner = Variant;
  Variant value;
  friend bool operator==(const OfModule&, const OfModule&) = default;
};

using SystemCall = OfModule<ModuleIndex::system, system::Call>;
using CreditsCall = OfModule<ModuleIndex::credits, credits::Call>;
using ChannelsCall = OfModule<ModuleIndex::channels, channels::Call>;
using WorkersCall = OfModule<ModuleIndex::workers, workers::Call>;
using DisputesCall = OfModule<ModuleIndex::disputes, disputes::Call>;
using StorageRegistryCall = OfModule<ModuleIndex::storage_registry, storage_registry::Call>;
using ValidatorsCall = OfModule<ModuleIndex::validators, validators::Call>;
using RuntimeCall = std::variant<SystemCall, CreditsCall, ChannelsCall, WorkersCall, DisputesCall,
                                 StorageRegistryCall, ValidatorsCall>;

using SystemEvent = OfModule<ModuleIndex::system, system::Event>;
using CreditsEvent = OfModule<ModuleIndex::credits, credits::Event>;
using ChannelsEvent = OfModule<ModuleIndex::channels, channels::Event>;
using WorkersEvent = OfModule<ModuleIndex::workers, workers::Event>;
using DisputesEvent = OfModule<ModuleIndex::disputes, disputes::Event>;
using StorageRegistryEvent = OfModule<ModuleIndex::storage_registry, storage_registry::Event>;
using ValidatorsEvent = OfModule<ModuleIndex::validators, validators::Event>;
using RuntimeEvent = std::variant<SystemEvent, CreditsEvent, ChannelsEvent, WorkersEvent,
                                  DisputesEvent, StorageRegistryEvent, ValidatorsEvent>;

CallProperties properties(const RuntimeCall& call);
DispatchResult dispatch(Context& ctx, const Origin& origin, const RuntimeCall& call);

// "Credits.insufficient_balance", "CannotLookup", …: for people and logs.
std::string to_text(const DispatchError& error);

}  // namespace tally::runtime

namespace tally {

template <ModuleIndex Module, class Variant>
struct Codec<runtime::OfModule<Module, Variant>> {
  static constexpr std::size_t kMinSize = 1;
  static void encode(Encoder& out, const runtime::OfModule<Module, Variant>& value) {
    encode_to(out, value.value);
  }
  static bool decode(Decoder& in, runtime::OfModule<Module, Variant>& value) {
    return decode_from(in, value.value);
  }
};

}  // namespace tally
