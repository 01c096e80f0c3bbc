// Faults of a party, its journal and its tower that the channel simulator must be able to find.
// Compiled in only in tally_channel_party_faulty, as in modules/channels/planted.hpp.
#pragma once

#include <cstdint>

namespace tally::channel {

enum class Fault : std::uint8_t {
  none,
  send_before_sync,      // what is signed leaves before it is in the journal
  journal_without_sync,  // a write that nothing makes safe
  sign_after_claim,      // offers are countersigned while the channel ends
  stale_offer,           // an offer that is not above what was signed
  close_in_splice,       // a close while a signed splice may still be included
  restored_claims,       // a restored party claims from its own account
  refute_with_floor,     // claims with less than the newest
  balance_falls,         // an offer of the peer's that takes from me
  forget_splice,         // at a restart: goes on signing
  tower_keeps_first,     // and not the newest
  tower_forgets,         // at a restart: what it had been given
};

#ifdef TALLY_PLANTED_FAULTS
inline Fault planted_fault = Fault::none;
inline bool planted(Fault fault) {
  return planted_fault == fault;
}
#else
constexpr bool planted(Fault) {
  return false;
}
#endif

}  // namespace tally::channel
