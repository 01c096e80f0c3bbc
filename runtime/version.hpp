// Which rules this is. spec_version rises with every change of a call, storage or event layout;
// transaction_version too when the extrinsic format or the encoding of an existing call changes.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "primitives/codec/scale.hpp"

namespace tally::runtime {

constexpr std::uint32_t kSpecVersion = 1;
constexpr std::uint32_t kTransactionVersion = 1;
constexpr std::uint16_t kSs58Prefix = 42;

// A runtime interface that clients may call: blake2_64 of its name, and its version.
using InterfaceVersion = std::pair<std::array<std::uint8_t, 8>, std::uint32_t>;

struct RuntimeVersion {
  std::string spec_name;
  std::string impl_name;
  std::uint32_t authoring_version{};
  std::uint32_t spec_version{};
  std::uint32_t impl_version{};
  std::vector<InterfaceVersion> apis;
  std::uint32_t transaction_version{};
  std::uint8_t system_version{};
  friend bool operator==(const RuntimeVersion&, const RuntimeVersion&) = default;
};
TALLY_DESCRIBE(RuntimeVersion, spec_name, impl_name, authoring_version, spec_version, impl_version,
               apis, transaction_version, system_version);

RuntimeVersion runtime_version();

}  // namespace tally::runtime
