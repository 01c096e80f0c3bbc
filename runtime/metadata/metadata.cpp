#include "runtime/metadata/metadata.hpp"

#include "modules/channels/storage.hpp"
#include "modules/credits/errors.hpp"
#include "modules/credits/storage.hpp"
#include "modules/disputes/storage.hpp"
#include "modules/storage_registry/storage.hpp"
#include "modules/system/api.hpp"
#include "modules/validators/storage.hpp"
#include "modules/workers/storage.hpp"
#include "runtime/metadata/registry.hpp"

namespace tally::metadata {

namespace {

// A type of the shape of `Like` with extra parameters.
TypeInfo with_params(TypeInfo info, std::vector<TypeParameter> params) {
  info.params = std::move(params);
  return info;
}

template <class T>
TypeInfo composite(Registry& registry) {
  return {detail::path_of<T>(), {}, Composite{detail::fields_of<T>(registry)}, {}};
}

template <class... Alternatives>
Variant variants_of(Registry& registry, const std::variant<Alternatives...>*) {
  Variant out;
  (out.variants.push_back({std::string(Alternatives::kName),
                           detail::AlternativeFields<Alternatives>::of(registry),
                           Alternatives::kIndex,
                           {}}),
   ...);
  return out;
}

template <class V, class... Hs, class... Ks>
StorageEntryInfo entry_info(Registry& registry,
                            const StorageItem<V, std::tuple<Hs...>, Ks...>& item) {
  StorageEntryInfo info;
  info.name = std::string(item.item);
  info.modifier = static_cast<std::uint8_t>(item.modifier);
  const TypeId value = registry.id<V>();
  if constexpr (sizeof...(Ks) == 0) {
    info.type = PlainEntry{value};
  } else if constexpr (sizeof...(Ks) == 1) {
    info.type = MapEntry{{Hs::kMetadataIndex...}, registry.id<Ks...>(), value};
  } else {
    info.type = MapEntry{{Hs::kMetadataIndex...}, registry.id<std::tuple<Ks...>>(), value};
  }
  info.fallback = item.modifier == Modifier::optional ? Bytes{0} : encode(V{});
  info.docs = {std::string(item.docs)};
  return info;
}

template <class... Items>
StorageInfo storage_info(Registry& registry, ModuleIndex module, const Items&... items) {
  return {std::string(module_name(module)), {entry_info(registry, items)...}};
}

template <class T>
ConstantInfo constant(Registry& registry, std::string name, const T& value) {
  return {std::move(name), registry.id<T>(), encode(value), {}};
}

ModuleInfo module_info(ModuleIndex module) {
  ModuleInfo info;
  info.name = std::string(module_name(module));
  info.index = static_cast<std::uint8_t>(module);
  return info;
}

ModuleInfo system_info(Registry& registry) {
  ModuleInfo info = module_info(ModuleIndex::system);
  info.storage =
      storage_info(registry, ModuleIndex::system, system::kAccount, system::kNumber,
                   system::kParentHash, system::kBlockHash, runtime::kEvents, system::kHeaderTime,
                   system::kChainTime, system::kLaneUsage, system::kConfig);
  info.calls = registry.id<system::Call>();
  info.events = registry.id<system::Event>();
  info.constants = {constant(registry, "BlockHashCount", system::kBlockHashCount),
                    constant(registry, "SS58Prefix", runtime::kSs58Prefix),
                    constant(registry, "Version", runtime::runtime_version())};
  return info;
}

ModuleInfo credits_info(Registry& registry) {
  ModuleInfo info = module_info(ModuleIndex::credits);
  info.storage =
      storage_info(registry, ModuleIndex::credits, credits::kTotalIssuance, credits::kHolds,
                   credits::kHeldTotal, credits::kDebts, credits::kDebtTotals, credits::kConfig);
  info.calls = registry.id<credits::Call>();
  info.events = registry.id<credits::Event>();
  info.errors = registry.id<credits::Error>();
  return info;
}

ModuleInfo channels_info(Registry& registry) {
  ModuleInfo info = module_info(ModuleIndex::channels);
  info.storage =
      storage_info(registry, ModuleIndex::channels, channels::kChannels, channels::kCounter,
                   channels::kOpenCount, channels::kLocked, channels::kDeadlines.entries,
                   channels::kDeadlines.length, channels::kDeadlines.next,
                   channels::kDeadlines.size, channels::kConfig);
  info.calls = registry.id<channels::Call>();
  info.events = registry.id<channels::Event>();
  info.errors = registry.id<channels::Error>();
  return info;
}

ModuleInfo workers_info(Registry& registry) {
  ModuleInfo info = module_info(ModuleIndex::workers);
  info.storage = storage_info(
      registry, ModuleIndex::workers, workers::kWorkers, workers::kProfiles, workers::kUptime,
      workers::kPenalties, workers::kPools, workers::kDelegations, workers::kDelegators,
      workers::kPartners, workers::kMotions, workers::kCouncil, workers::kStaked,
      workers::kRewardsDue, workers::kEpochRewards, workers::kTurnover, workers::kConfig);
  info.calls = registry.id<workers::Call>();
  info.events = registry.id<workers::Event>();
  info.errors = registry.id<workers::Error>();
  return info;
}

ModuleInfo disputes_info(Registry& registry) {
  ModuleInfo info = module_info(ModuleIndex::disputes);
  info.storage =
      storage_info(registry, ModuleIndex::disputes, disputes::kDisputes, disputes::kCases,
                   disputes::kPools, disputes::kReceipts, disputes::kNext, disputes::kWaiting,
                   disputes::kWaitingLine, disputes::kVerifierPay, disputes::kHeld,
                   disputes::kDeadlines.entries, disputes::kDeadlines.length,
                   disputes::kDeadlines.next, disputes::kDeadlines.size, disputes::kConfig);
  info.calls = registry.id<disputes::Call>();
  info.events = registry.id<disputes::Event>();
  info.errors = registry.id<disputes::Error>();
  return info;
}

ModuleInfo storage_registry_info(Registry& registry) {
  ModuleInfo info = module_info(ModuleIndex::storage_registry);
  info.storage = storage_info(registry, ModuleIndex::storage_registry,
                              storage_registry::kCheckpoints, storage_registry::kLatest,
                              storage_registry::kOwners, storage_registry::kDeposits,
                              storage_registry::kAttesters, storage_registry::kConfig);
  info.calls = registry.id<storage_registry::Call>();
  info.events = registry.id<storage_registry::Event>();
  info.errors = registry.id<storage_registry::Error>();
  return info;
}

ModuleInfo validators_info(Registry& registry) {
  ModuleInfo info = module_info(ModuleIndex::validators);
  info.storage = storage_info(
      registry, ModuleIndex::validators, validators::kEpoch, validators::kBeacon, validators::kSets,
      validators::kOldestSet, validators::kCandidates, validators::kCandidateList,
      validators::kDelegations, validators::kDelegators, validators::kConsensusKeys,
      validators::kVrfKeys, validators::kBound, validators::kOffences, validators::kProduced,
      validators::kViewsBefore, validators::kDrawWindow, validators::kConfig);
  info.calls = registry.id<validators::Call>();
  info.events = registry.id<validators::Event>();
  info.errors = registry.id<validators::Error>();
  return info;
}

// Constants only: clients take the block time, and so a sane mortality, from it.
ModuleInfo timestamp_info(Registry& registry, const Parameters& parameters) {
  ModuleInfo info = module_info(ModuleIndex::timestamp);
  const std::uint64_t period_ms = parameters.min_block_interval.value / 2;
  info.constants = {constant(registry, "MinimumPeriod", period_ms)};
  return info;
}

TypeId extension_type(Registry& registry, std::string_view path,
                      const std::optional<TypeId>& field) {
  Composite composite;
  if (field) composite.fields.push_back({std::nullopt, *field, std::nullopt, {}});
  return registry.add({split_path(path), {}, std::move(composite), {}});
}

std::vector<ExtensionInfo> extensions(Registry& registry) {
  const TypeId nothing = registry.id<std::tuple<>>();
  const TypeId version = registry.id<std::uint32_t>();
  const TypeId hash = registry.id<Hash>();
  const auto make = [&](std::string name, std::string_view path, std::optional<TypeId> extra,
                        TypeId additional) {
    return ExtensionInfo{std::move(name), extension_type(registry, path, extra), additional};
  };
  return {make("CheckNonZeroSender",
               "frame_system::extensions::check_non_zero_sender::CheckNonZeroSender", {}, nothing),
          make("CheckSpecVersion", "frame_system::extensions::check_spec_version::CheckSpecVersion",
               {}, version),
          make("CheckTxVersion", "frame_system::extensions::check_tx_version::CheckTxVersion", {},
               version),
          make("CheckGenesis", "frame_system::extensions::check_genesis::CheckGenesis", {}, hash),
          make("CheckMortality", "frame_system::extensions::check_mortality::CheckMortality",
               registry.id<Era>(), hash),
          make("CheckNonce", "frame_system::extensions::check_nonce::CheckNonce",
               registry.id<Compact<Nonce>>(), nothing),
          make("CheckWeight", "frame_system::extensions::check_weight::CheckWeight", {}, nothing),
          make("ChargeTransactionPayment", "pallet_transaction_payment::ChargeTransactionPayment",
               registry.id<Compact<Balance>>(), nothing)};
}

ExtrinsicInfo extrinsic_info(Registry& registry) {
  ExtrinsicInfo info;
  info.version = 4;
  info.extensions = extensions(registry);
  Tuple extra;
  for (const ExtensionInfo& extension : info.extensions) extra.items.push_back(extension.type);
  const TypeId extra_id = registry.add(detail::anonymous(std::move(extra)));
  const TypeId bytes = registry.id<Bytes>();
  info.type =
      registry.add({split_path("sp_runtime::generic::unchecked_extrinsic::UncheckedExtrinsic"),
                    {{"Address", registry.id<MultiAddress>()},
                     {"Call", registry.id<runtime::RuntimeCall>()},
                     {"Signature", registry.id<MultiSignature>()},
                     {"Extra", extra_id}},
                    Composite{{{std::nullopt, bytes, std::nullopt, {}}}},
                    {}});
  return info;
}

}  // namespace

TypeInfo Describe<MultiAddress>::info(Registry& registry) {
  Variant variant = variants_of(registry, static_cast<const MultiAddress*>(nullptr));
  return {detail::path_of<MultiAddress>(),
          {{"AccountId", registry.id<AccountId>()}, {"AccountIndex", registry.id<std::uint32_t>()}},
          std::move(variant),
          {}};
}

TypeInfo Describe<Era>::info(Registry& registry) {
  const TypeId second_byte = registry.id<std::uint8_t>();
  Variant variant{{{"Immortal", {}, 0, {}}}};
  for (unsigned i = 1; i <= 255; ++i) {
    variant.variants.push_back({"Mortal" + std::to_string(i),
                                {{std::nullopt, second_byte, std::nullopt, {}}},
                                static_cast<std::uint8_t>(i),
                                {}});
  }
  return {detail::path_of<Era>(), {}, std::move(variant), {}};
}

TypeInfo Describe<system::AccountInfo>::info(Registry& registry) {
  return with_params(
      composite<system::AccountInfo>(registry),
      {{"Nonce", registry.id<Nonce>()}, {"AccountData", registry.id<system::AccountData>()}});
}

TypeInfo Describe<system::AccountData>::info(Registry& registry) {
  return with_params(composite<system::AccountData>(registry),
                     {{"Balance", registry.id<Balance>()}});
}

TypeInfo Describe<runtime::EventRecord>::info(Registry& registry) {
  return with_params(composite<runtime::EventRecord>(registry),
                     {{"E", registry.id<runtime::RuntimeEvent>()}, {"T", registry.id<Hash>()}});
}

MetadataV14 build(const Parameters& parameters) {
  Registry registry;
  MetadataV14 metadata;
  metadata.modules = {system_info(registry),     credits_info(registry),
                      channels_info(registry),   workers_info(registry),
                      disputes_info(registry),   storage_registry_info(registry),
                      validators_info(registry), timestamp_info(registry, parameters)};
  metadata.extrinsic = extrinsic_info(registry);
  metadata.runtime = registry.add({{"tallystick_runtime", "Runtime"}, {}, Composite{}, {}});
  metadata.types = std::move(registry).take();
  return metadata;
}

Bytes encoded(const Parameters& parameters) {
  return encode(build(parameters));
}

}  // namespace tally::metadata
