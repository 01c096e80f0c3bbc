// Types whose path in the metadata is fixed because clients know them by it, and the variants that
// a module's calls, events and errors are. Every other described type gets its C++ name as its
// path.
#pragma once

#include <string_view>

#include "modules/channels/errors.hpp"
#include "modules/credits/errors.hpp"
#include "modules/disputes/errors.hpp"
#include "modules/storage_registry/errors.hpp"
#include "modules/validators/errors.hpp"
#include "modules/workers/errors.hpp"
#include "primitives/extrinsic.hpp"
#include "runtime/events.hpp"
#include "runtime/version.hpp"

namespace tally::metadata {

template <class T>
struct WellKnown {
  static constexpr std::string_view kPath{};
};

// Alternatives whose fields have no names there.
template <class T>
inline constexpr bool kUnnamed = false;

#define TALLY_WELL_KNOWN(Type, path)                \
  template <>                                       \
  struct WellKnown<Type> {                          \
    static constexpr std::string_view kPath = path; \
  }

TALLY_WELL_KNOWN(AccountId, "sp_core::crypto::AccountId32");
TALLY_WELL_KNOWN(Hash, "primitive_types::H256");
TALLY_WELL_KNOWN(MultiAddress, "sp_runtime::multiaddress::MultiAddress");
TALLY_WELL_KNOWN(MultiSignature, "sp_runtime::MultiSignature");
TALLY_WELL_KNOWN(Era, "sp_runtime::generic::era::Era");
TALLY_WELL_KNOWN(system::DispatchWeight, "sp_weights::weight_v2::Weight");
TALLY_WELL_KNOWN(DispatchClass, "frame_support::dispatch::DispatchClass");
TALLY_WELL_KNOWN(system::Pays, "frame_support::dispatch::Pays");
TALLY_WELL_KNOWN(system::DispatchInfo, "frame_system::DispatchEventInfo");
TALLY_WELL_KNOWN(ArithmeticError, "sp_arithmetic::ArithmeticError");
TALLY_WELL_KNOWN(DispatchError::Variant, "sp_runtime::DispatchError");
TALLY_WELL_KNOWN(system::AccountData, "pallet_balances::types::AccountData");
TALLY_WELL_KNOWN(system::AccountInfo, "frame_system::AccountInfo");
TALLY_WELL_KNOWN(Phase, "frame_system::Phase");
TALLY_WELL_KNOWN(runtime::EventRecord, "frame_system::EventRecord");
TALLY_WELL_KNOWN(runtime::RuntimeVersion, "sp_version::RuntimeVersion");
TALLY_WELL_KNOWN(runtime::RuntimeCall, "tallystick_runtime::RuntimeCall");
TALLY_WELL_KNOWN(runtime::RuntimeEvent, "tallystick_runtime::RuntimeEvent");
TALLY_WELL_KNOWN(system::Call, "frame_system::pallet::Call");
TALLY_WELL_KNOWN(system::Event, "frame_system::pallet::Event");
TALLY_WELL_KNOWN(credits::Call, "pallet_credits::pallet::Call");
TALLY_WELL_KNOWN(credits::Event, "pallet_credits::pallet::Event");
TALLY_WELL_KNOWN(credits::Error, "pallet_credits::pallet::Error");
TALLY_WELL_KNOWN(channels::Call, "pallet_channels::pallet::Call");
TALLY_WELL_KNOWN(channels::Event, "pallet_channels::pallet::Event");
TALLY_WELL_KNOWN(channels::Error, "pallet_channels::pallet::Error");
TALLY_WELL_KNOWN(workers::Call, "pallet_workers::pallet::Call");
TALLY_WELL_KNOWN(workers::Event, "pallet_workers::pallet::Event");
TALLY_WELL_KNOWN(workers::Error, "pallet_workers::pallet::Error");
TALLY_WELL_KNOWN(disputes::Vote, "tallystick::disputes::Vote");
TALLY_WELL_KNOWN(disputes::TaskInput, "tallystick::disputes::TaskInput");
TALLY_WELL_KNOWN(disputes::Call, "pallet_disputes::pallet::Call");
TALLY_WELL_KNOWN(disputes::Event, "pallet_disputes::pallet::Event");
TALLY_WELL_KNOWN(disputes::Error, "pallet_disputes::pallet::Error");
TALLY_WELL_KNOWN(storage_registry::Call, "pallet_storage_registry::pallet::Call");
TALLY_WELL_KNOWN(storage_registry::Event, "pallet_storage_registry::pallet::Event");
TALLY_WELL_KNOWN(storage_registry::Error, "pallet_storage_registry::pallet::Error");
TALLY_WELL_KNOWN(validators::Call, "pallet_validators::pallet::Call");
TALLY_WELL_KNOWN(validators::Event, "pallet_validators::pallet::Event");
TALLY_WELL_KNOWN(validators::Error, "pallet_validators::pallet::Error");
#undef TALLY_WELL_KNOWN

template <>
inline constexpr bool kUnnamed<AddressId> = true;
template <>
inline constexpr bool kUnnamed<AddressIndex> = true;
template <>
inline constexpr bool kUnnamed<AddressRaw> = true;
template <>
inline constexpr bool kUnnamed<Address32> = true;
template <>
inline constexpr bool kUnnamed<Address20> = true;
template <>
inline constexpr bool kUnnamed<SignedEd25519> = true;
template <>
inline constexpr bool kUnnamed<SignedSr25519> = true;
template <>
inline constexpr bool kUnnamed<SignedEcdsa> = true;
template <>
inline constexpr bool kUnnamed<PhaseApply> = true;
template <>
inline constexpr bool kUnnamed<ErrorArithmetic> = true;

}  // namespace tally::metadata
