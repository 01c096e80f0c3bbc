#include "modules/channels/calls.hpp"

namespace tally::channels {
namespace {

// Picoseconds of reference execution. A signature check is taken as the dearer scheme's; an
// off-chain signature may take two (verify_offchain).
constexpr std::uint64_t kSignature = 2 * 90'000'000;
constexpr std::uint64_t kBookkeeping = 10'000'000;

constexpr Weight cost(std::uint64_t signatures) {
  return Weight(kBookkeeping + signatures * kSignature);
}

Weight weight_of(const Open& call) {
  return cost(call.consent ? 1 : 0);
}
Weight weight_of(const Accept&) {
  return cost(0);
}
Weight weight_of(const Cancel&) {
  return cost(0);
}
Weight weight_of(const Close&) {
  return cost(2);
}
Weight weight_of(const CloseUnilateral& call) {
  return cost(call.claim ? 2 : 0);
}
Weight weight_of(const RequestClose&) {
  return cost(0);
}
Weight weight_of(const Refute& call) {
  return cost(call.appointment ? 3 : 2);
}
Weight weight_of(const Splice&) {
  return cost(2);
}
Weight weight_of(const Settle&) {
  return cost(0);
}

}  // namespace

bool is_operational(const Call& call) {
  return !std::holds_alternative<Open>(call) && !std::holds_alternative<Accept>(call) &&
         !std::holds_alternative<Cancel>(call) && !std::holds_alternative<Splice>(call);
}

CallProperties properties(const Call& call) {
  return {std::visit([](const auto& alternative) { return weight_of(alternative); }, call),
          is_operational(call) ? DispatchClass::operational : DispatchClass::normal};
}

}  // namespace tally::channels
