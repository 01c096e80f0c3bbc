// Calls of the system module.
#pragma once

#include <variant>

#include "modules/support/context.hpp"
#include "primitives/codec/scale.hpp"

namespace tally::system {

// Bytes that the chain keeps in its history and does nothing with.
struct Remark {
  static constexpr std::uint8_t kIndex = 0;
  static constexpr std::string_view kName = "remark";
  Bytes remark;
  friend bool operator==(const Remark&, const Remark&) = default;
};
TALLY_DESCRIBE(Remark, remark);

using Call = std::variant<Remark>;

}  // namespace tally::system
