#include "modules/workers/calls.hpp"

namespace tally::workers {

namespace {

// Picoseconds of reference execution.
constexpr std::uint64_t kBookkeeping = 20'000'000;
constexpr std::uint64_t kOffer = 60'000'000;     // a full pool read and written
constexpr std::uint64_t kDelegator = 5'000'000;  // burned from

std::uint64_t weight_of(const Register& call) {
  return kBookkeeping + call.profile.offers.size() * kOffer;
}
std::uint64_t weight_of(const Update& call) {
  // It may leave as many pools as a worker can be in.
  return kBookkeeping + (call.profile.offers.size() + kMaxOffers) * kOffer;
}
std::uint64_t weight_of(const Deregister&) {
  return kBookkeeping + kMaxOffers * kOffer;
}
std::uint64_t weight_of(const ApproveSlash&) {
  return kBookkeeping + kMaxDelegators * kDelegator;
}
template <class Other>
std::uint64_t weight_of(const Other&) {
  return kBookkeeping;
}

}  // namespace

CallProperties properties(const Call& call) {
  return {Weight(std::visit([](const auto& alternative) { return weight_of(alternative); }, call)),
          DispatchClass::normal};
}

}  // namespace tally::workers
