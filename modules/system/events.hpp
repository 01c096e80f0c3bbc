// Events of the system module: how each extrinsic ended, and accounts that began and ended.
#pragma once

#include <variant>

#include "modules/support/context.hpp"
#include "modules/support/error.hpp"

namespace tally::system {

// Reference execution time in picoseconds; the proof size is there because clients decode it.
struct DispatchWeight {
  Compact<std::uint64_t> ref_time;
  Compact<std::uint64_t> proof_size;
  friend bool operator==(const DispatchWeight&, const DispatchWeight&) = default;
};
TALLY_DESCRIBE(DispatchWeight, ref_time, proof_size);

enum class Pays : std::uint8_t { yes = 0, no = 1 };
TALLY_DESCRIBE_ENUM(Pays, yes, no);

struct DispatchInfo {
  DispatchWeight weight;
  DispatchClass dispatch_class{};
  Pays pays_fee{};
  friend bool operator==(const DispatchInfo&, const DispatchInfo&) = default;
};
// Described by hand: clients know the second field by a word that C++ has for itself.
constexpr auto tally_describe(const DispatchInfo*) {
  return std::make_tuple(Field{"weight", &DispatchInfo::weight},
                         Field{"class", &DispatchInfo::dispatch_class},
                         Field{"pays_fee", &DispatchInfo::pays_fee});
}

struct ExtrinsicSuccess {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "ExtrinsicSuccess";
  DispatchInfo dispatch_info;
  friend bool operator==(const ExtrinsicSuccess&, const ExtrinsicSuccess&) = default;
};
TALLY_DESCRIBE(ExtrinsicSuccess, dispatch_info);
struct ExtrinsicFailed {
  static constexpr std::uint8_t kIndex = 1;
  static constexpr std::string_view kName = "ExtrinsicFailed";
  DispatchError dispatch_error;
  DispatchInfo dispatch_info;
  friend bool operator==(const ExtrinsicFailed&, const ExtrinsicFailed&) = default;
};
TALLY_DESCRIBE(ExtrinsicFailed, dispatch_error, dispatch_info);
struct NewAccount {
  static constexpr std::uint8_t kIndex = 3;
  static constexpr std::string_view kName = "NewAccount";
  AccountId account;
  friend bool operator==(const NewAccount&, const NewAccount&) = default;
};
TALLY_DESCRIBE(NewAccount, account);
struct KilledAccount {
  static constexpr std::uint8_t kIndex = 4;
  static constexpr std::string_view kName = "KilledAccount";
  AccountId account;
  friend bool operator==(const KilledAccount&, const KilledAccount&) = default;
};
TALLY_DESCRIBE(KilledAccount, account);

using Event = std::variant<ExtrinsicSuccess, ExtrinsicFailed, NewAccount, KilledAccount>;

}  // namespace tally::system
