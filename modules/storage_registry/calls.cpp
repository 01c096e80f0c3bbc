#include "modules/storage_registry/calls.hpp"

namespace tally::storage_registry {

namespace {

// Picoseconds of reference execution: a full list of 1,024 indices read, changed and written, and
// four records.
constexpr Weight kListed(60'000'000);
constexpr Weight kAttest(20'000'000);

}  // namespace

CallProperties properties(const Call& call) {
  return {std::holds_alternative<Attest>(call) ? kAttest : kListed, DispatchClass::normal};
}

}  // namespace tally::storage_registry
