// EvidenceReports: what becomes of the evidence that consensus finds. It is kept in the Store until
// the chain has judged it, and, with a reporter's key, put on the chain by this node alone.
//
// One offender of one epoch is reported once: the chain convicts it once for all that it did there.
// A report is made anew until it is final, or another one is, or nothing is bound any more. Nodes
// wait for a time of their own, drawn from their id, before the first attempt: where many have the
// same evidence, one report usually does, and the others never pay a fee.
//
// Layout: column meta, "evidence/" ‖ epoch BE u64 ‖ signer BE u16 -> Evidence (SCALE).
// Core thread only. Units: milliseconds.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "node/ports/candidates.hpp"
#include "node/ports/clock.hpp"
#include "node/ports/network.hpp"
#include "node/ports/pool.hpp"
#include "node/ports/store.hpp"
#include "primitives/finality/evidence.hpp"

namespace tally::core {

// Who signs reports and pays their fees.
struct Reporter {
  AccountId account;
  std::function<MultiSignature(ByteView payload)> sign;
};

class EvidenceReports {
 public:
  struct Ports {
    ports::Store* store = nullptr;
    ports::Pool* pool = nullptr;
    const ports::FinalizedView* chain = nullptr;  // null: evidence is kept and nothing else
    const Reporter* reporter = nullptr;           // null: likewise
  };
  EvidenceReports(const Ports& ports, const Hash& genesis_hash, const ports::PeerId& self);

  // False when this offender's evidence of the epoch is here already.
  bool keep(const Evidence& evidence, ports::Instant now);

  // Judges by the newest final state what is open; then the report to submit now, if any. To be
  // asked every few seconds; asking more often costs nothing.
  std::optional<Bytes> next_report(ports::Instant now);
  // For the operator's log, since the last call.
  std::vector<std::string> take_news();

  std::size_t open() const { return open_.size(); }

 private:
  struct Offence {
    Epoch epoch;
    ValidatorIndex signer;
    friend auto operator<=>(const Offence&, const Offence&) = default;
  };
  struct Open {
    Evidence evidence;
    ports::Instant not_before;
    std::optional<Hash> report;  // the newest one that was submitted
    std::uint32_t attempts = 0;
  };
  enum class Verdict : std::uint8_t { wanted, convicted, nothing_bound, not_yet };

  static Offence offence_of(const Evidence& evidence);
  static Bytes key_of(const Offence& offence);
  void admit(const Evidence& evidence, ports::Instant now);
  Verdict judge(const Offence& offence) const;
  void close(const Offence& offence, std::string_view why);
  Bytes sign_report(const Evidence& evidence) const;

  Ports ports_;
  Hash genesis_hash_;
  ports::PeerId self_;
  std::map<Offence, Open> open_;
  std::optional<ports::Instant> looked_;  // at the chain
  std::vector<std::string> news_;
};

}  // namespace tally::core
