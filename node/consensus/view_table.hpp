// Votes and certificates of the views above the floor: the tally.
//
// Per signer and view one Notarize, one Nullify and one Finalize are kept, and one conflicting vote
// is answered with evidence. A certificate is made when the votes of one statement reach quorum
// weight, or taken over from a peer; both are checked before they come here. Two certificates that
// exclude each other are a violation of the fault bound.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "primitives/finality/certificate.hpp"
#include "primitives/finality/evidence.hpp"

namespace tally::consensus {

struct TallyResult {
  bool added = false;
  std::optional<Evidence> evidence;
  std::optional<Certificate> made;
};

struct CertificateConflict {
  Certificate first;
  Certificate second;
};

class ViewTable {
 public:
  explicit ViewTable(const ValidatorSet& set) : set_(&set) {}

  // The vote's signature holds and its signer is in the set.
  TallyResult add(const Vote& vote);
  // Whether add() would learn anything from it.
  bool wants(const Vote& vote) const;
  bool has(View view, VoteKind kind) const { return find(view, kind) != nullptr; }
  const Certificate* find(View view, VoteKind kind) const;
  // False when it was held already.
  bool insert(const Certificate& certificate);
  // A certificate that is held and cannot exist beside this one.
  std::optional<CertificateConflict> conflict_with(const Certificate& certificate) const;

  std::optional<Vote> vote_of(View view, VoteKind kind, ValidatorIndex signer) const;
  void prune(View floor);

  // The views above `from` that hold a certificate of this kind, ascending.
  std::vector<View> views_with(VoteKind kind, View from) const;
  std::optional<View> highest(VoteKind kind) const;
  std::vector<Certificate> certificates() const;  // all that are held, by view

 private:
  struct Slot {
    std::optional<Vote> votes[3];  // by kind
    bool convicted = false;        // evidence was reported
  };
  struct Record {
    std::map<ValidatorIndex, Slot> slots;
    std::optional<Certificate> certificates[3];
  };

  std::optional<Certificate> try_make(const Record& record, const Statement& statement) const;

  const ValidatorSet* set_;
  std::map<View, Record> views_;
};

}  // namespace tally::consensus
