#include "modules/disputes/calls.hpp"

namespace tally::disputes {
namespace {

// Picoseconds of reference execution.
constexpr std::uint64_t kMicrosecond = 1'000'000;
// Signatures, hashes of up to 112 KiB, and the pool of up to kMaxPool verifiers, counted in the
// call, taken at the end of the block and drawn from later.
constexpr Weight kChallenge{8'000 * kMicrosecond};
// What a seat's change costs when the chain acts on it, a share of the payout included.
constexpr Weight kSeat{200 * kMicrosecond};
constexpr Weight kAppeal{2'000 * kMicrosecond};

Weight weight_of(const Challenge&) {
  return kChallenge;
}
Weight weight_of(const Accept&) {
  return kSeat;
}
Weight weight_of(const Commit&) {
  return kSeat;
}
Weight weight_of(const Reveal&) {
  return kSeat;
}
Weight weight_of(const AppealCall&) {
  return kAppeal;
}

}  // namespace

bool is_operational(const Call& call) {
  return !std::holds_alternative<Challenge>(call);
}

CallProperties properties(const Call& call) {
  return {std::visit([](const auto& alternative) { return weight_of(alternative); }, call),
          is_operational(call) ? DispatchClass::operational : DispatchClass::normal};
}

}  // namespace tally::disputes
