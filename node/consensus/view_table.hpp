// Votes and certificates of the views above the floor: the tally.
//
// Per signer and view one Notarize, one Nullify and one Finalize are kept, and one conflicting vote
// is answered with evidence, wherever the first one came from: a link, or a certificate. A
// certificate is made when the votes of one statement reach quorum weight, or taken over from a
// peer; both are checked before they come here. Two certificates that exclude each other are a
// violation of the fault bound.
//
// Votes of the newest views at and below the floor stay as what later ones are compared with: at
// most kPastVotes of them, which is 10,000 views of four validators and 400 of a hundred.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "primitives/finality/certificate.hpp"
#include "primitives/finality/evidence.hpp"

namespace tally::consensus {

constexpr std::size_t kPastVotes = 120'000;

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
  // Whether it conflicts with a vote of its signer that is held, of any view, and is news.
  bool contradicts(const Vote& vote) const;
  // The evidence that the vote, whose signature holds, is then.
  std::optional<Evidence> convict(const Vote& vote);
  // Takes the votes in a certificate as votes of their signers.
  std::vector<Evidence> absorb(const Certificate& certificate);
  bool has(View view, VoteKind kind) const { return find(view, kind) != nullptr; }
  const Certificate* find(View view, VoteKind kind) const;
  // False when it was held already.
  bool insert(const Certificate& certificate);
  // A certificate that is held and cannot exist beside this one.
  std::optional<CertificateConflict> conflict_with(const Certificate& certificate) const;

  std::optional<Vote> vote_of(View view, VoteKind kind, ValidatorIndex signer) const;
  // A member's votes above the floor, the newest views first; at most so many.
  std::vector<Vote> newest_of(ValidatorIndex signer, std::size_t max) const;
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
  using Slots = std::map<ValidatorIndex, Slot>;
  struct Record {
    Slots slots;
    std::optional<Certificate> certificates[3];
  };

  std::optional<Certificate> try_make(const Record& record, const Statement& statement) const;

  const Slot* slot(View view, ValidatorIndex signer) const;
  static std::optional<Evidence> convict(Slot& slot, const Vote& vote);
  void keep_past(View view, Slots slots);

  const ValidatorSet* set_;
  std::map<View, Record> views_;
  std::map<View, Slots> past_;
  std::size_t past_votes_ = 0;
};

}  // namespace tally::consensus
