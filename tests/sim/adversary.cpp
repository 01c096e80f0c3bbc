#include "tests/sim/adversary.hpp"

namespace tally::sim {

Vote AdversaryTools::vote(const Statement& statement) const {
  return {statement, self, signer.sign(statement_bytes(genesis_hash, statement))};
}

void AdversaryTools::emit_message(const ports::PeerId& to, const consensus::Envelope& envelope,
                                  std::uint64_t delay_ms) const {
  emit(to, ports::Channel::consensus, encode(core::WireMessage(core::ConsensusFrame{envelope})),
       delay_ms);
}

std::string name_of(AdversaryKind kind) {
  switch (kind) {
    case AdversaryKind::none:
      return "no adversary";
    case AdversaryKind::equivocator:
      return "equivocator";
    case AdversaryKind::withholder:
      return "withholder";
    case AdversaryKind::silent_leader:
      return "silent leader";
    case AdversaryKind::stale_voter:
      return "stale voter";
    case AdversaryKind::conflicting_certificates:
      return "conflicting certificates";
    case AdversaryKind::spammer:
      return "spammer";
    case AdversaryKind::old_guard:
      return "old guard";
    case AdversaryKind::time_pusher:
      return "time pusher";
    case AdversaryKind::lying_sync_peer:
      return "lying sync peer";
    case AdversaryKind::twins:
      return "twins";
  }
  return "unknown";
}

std::unique_ptr<Adversary> make_adversary(AdversaryKind kind) {
  switch (kind) {
    case AdversaryKind::none:
    case AdversaryKind::twins:
      return nullptr;
    case AdversaryKind::equivocator:
      return make_equivocator();
    case AdversaryKind::withholder:
      return make_withholder();
    case AdversaryKind::silent_leader:
      return make_silent_leader();
    case AdversaryKind::stale_voter:
      return make_stale_voter();
    case AdversaryKind::conflicting_certificates:
      return make_conflicting_certificates();
    case AdversaryKind::spammer:
      return make_spammer();
    case AdversaryKind::old_guard:
      return make_old_guard();
    case AdversaryKind::time_pusher:
      return make_time_pusher();
    case AdversaryKind::lying_sync_peer:
      return make_lying_sync_peer();
  }
  return nullptr;
}

}  // namespace tally::sim
