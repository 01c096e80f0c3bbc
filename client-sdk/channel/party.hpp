// One side of a payment channel, as a pure machine: an event in, a list of actions out. Clock,
// network, disk and chain are the driver's (driver.hpp).
//
// Actions are in order, and Persist is a barrier: what follows it may leave only after the record
// is on disk. A driver may gather the actions of several events, write the last record once, and
// then let the rest leave. A failed write ends the process.
//
// The five signing rules (numbers are used in party*.cpp):
//  1. The opener proposes odd versions, the counterparty even ones; gaps are fine. A party signs,
//     with any intent, only a version above every version that it ever signed; the highest is in
//     the journal before the signature leaves. A party that countersigned proposes above that by
//     2·window + 2, so that neither side is starved; a version more than 4·window + 1,024 above the
//     highest seen is refused.
//  2. Before its first claim, refutation or request_close leaves, and at the latest when a final
//     block shows the channel in challenge, `ending` is in the journal; from then on it signs
//     nothing but a close. Before it claims it countersigns the newest valid offer that it has.
//  3. After a close: nothing but a crossing close with the same balances. After a splice: nothing
//     until it is final or a final block is past its valid_until; a claim is still possible.
//  4. A payee refuses: a balance below its own newest open offer (else its newest co-signed state);
//     a version too far above max(acked, floor); an update that takes the payer below 1% of what
//     is locked.
//  5. A restored party signs nothing but a close that its peer offers, sends only request_close
//     from its own account and refutes only through a third party's. The peer is ahead when it
//     shows a valid signature of mine above my journal's highest version; all else is ignored.
//
// Units: Balance in µCC. Errors: Rejection; a rejected event changed nothing.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "client-sdk/channel/record.hpp"
#include "primitives/crypto/sign.hpp"

namespace tally::channel {

struct Policy {
  std::uint32_t window = 64;      // own offers in flight
  DurationMs close_wait{20'000};  // for the peer to submit a close that both signed
  DurationMs answer_wait{5'000};  // for the peer's newest state before a claim
  DurationMs retry{3'000};        // between submissions of what has to get in
  // How far ahead a splice's last block may be: until then a peer that never submits it stops all.
  std::uint32_t splice_blocks_max = 4'096;
};

// ---- Events
// What the chain's final record of the channel says when it opens.
struct OpenedOnChain {
  AccountId opener;
  AccountId counterparty;
  Balance deposit_a;
  Balance deposit_b;
  DurationMs challenge_period;
};
struct ChallengedOnChain {  // begun, or refuted
  ChannelVersion standing;
};
struct SplicedOnChain {
  ChannelVersion version;
  Balance balance_a;
  Balance balance_b;
};
struct ClosedOnChain {
  ChannelVersion version;
};
struct FinalBlock {
  BlockNumber number;
};
// Of a receipt, what was paid ahead is taken first. Ahead: brings what is paid ahead up to the
// amount, so that never more than one task's price is out without a receipt.
struct Pay {
  Balance amount;
  std::vector<Hash> receipts;  // hashes of the receipts that it pays for
  bool ahead = false;
};
// A receipt with this price leaves.
struct Issued {
  Balance price;
};
struct CloseTogether {};
struct AskClose {};  // of the user of a restored channel: the peer is asked to offer a close
// Of the user: the close that was told, or another that pays as much.
struct AcceptClose {
  Balance at_least;
};
struct SpliceTogether {
  BalanceDelta delta_a;
  BalanceDelta delta_b;
  BlockNumber valid_until;
};
// Of the user: the splice that was told, which moves so much of mine.
struct AcceptSplice {
  BalanceDelta delta;
};
struct End {};  // claim, without the peer
// A co-signed update from a tower or a backup.
struct Learn {
  CoSignedState update;
};
struct Connected {};
struct TurnEnded {};  // nothing more came in: countersign
enum class TimerKind : std::uint8_t { close_wait, answer_wait, retry };
struct TimerFired {
  TimerKind kind{};
};

using Event =
    std::variant<Offer, Countersigned, CloseOffer, CloseAccepted, SpliceOffer, SpliceAccepted,
                 Hello, CloseWanted, OpenedOnChain, ChallengedOnChain, SplicedOnChain,
                 ClosedOnChain, FinalBlock, Pay, Issued, CloseTogether, AskClose, AcceptClose,
                 SpliceTogether, AcceptSplice, End, Learn, Connected, TurnEnded, TimerFired>;
constexpr std::size_t kEvents = std::variant_size_v<Event>;

// ---- Actions
struct Persist {
  Record record;
};
struct Send {
  Message message;
};
struct Submit {
  channels::Call call;
  bool by_third_party = false;  // never from this party's account
};
struct SetTimer {
  TimerKind kind{};
  DurationMs after;
};
enum class Notice : std::uint8_t {
  opened,
  record_differs,     // the chain's record is not what was agreed: nothing will be signed
  paid,               // an offer of mine was countersigned
  received,           // an offer of the peer's was countersigned
  offers_superseded,  // offers of mine were overtaken and made anew
  close_offered,      // worse than what I know of: AcceptClose takes it
  splice_offered,     // moves my credits: AcceptSplice takes it
  spliced,
  challenged,
  peer_ahead,  // my journal is behind: the channel is restored
  closed,
};
TALLY_DESCRIBE_ENUM(Notice, opened, record_differs, paid, received, offers_superseded,
                    close_offered, splice_offered, spliced, challenged, peer_ahead, closed);
struct Tell {
  Notice notice{};
  ChannelVersion version;
};
using Action = std::variant<Persist, Send, Submit, SetTimer, Tell>;
using Actions = std::vector<Action>;

enum class Rejection : std::uint8_t {
  not_in_this_stage,
  wrong_channel,
  wrong_proposer,   // the version has the other side's parity
  stale_version,    // not above every version that I signed
  version_too_far,  // rules 1 and 4
  wrong_sum,
  own_balance_falls,    // rule 4
  payer_below_reserve,  // rule 4: one percent of what is locked
  bad_acked,
  unknown_base,  // an offer on top of something that I do not hold: say Hello
  wrong_receipts,
  bad_signature,
  window_full,
  nothing_to_pay,
  insufficient_balance,
  too_many_receipts,
  offers_open,      // a splice begins from a state that both hold
  balances_differ,  // a crossing close, or a splice, on other balances
  nothing_offered,
  expired,
  valid_too_long,
  nothing_new,
  splice_open,  // rule 3: a splice that I signed may still be included
};
TALLY_DESCRIBE_ENUM(Rejection, not_in_this_stage, wrong_channel, wrong_proposer, stale_version,
                    version_too_far, wrong_sum, own_balance_falls, payer_below_reserve, bad_acked,
                    unknown_base, wrong_receipts, bad_signature, window_full, nothing_to_pay,
                    insufficient_balance, too_many_receipts, offers_open, balances_differ,
                    nothing_offered, expired, valid_too_long, nothing_new, splice_open);

// Whether a stage admits an event at all, and the stages that it may lead to (bit n = Stage n).
struct Cell {
  bool admitted = false;
  std::uint8_t next = 0;
};
Cell table(Stage stage, std::size_t event_index);

class Party {
 public:
  // A channel that was agreed on and whose open was, or is about to be, submitted.
  Party(const Terms& terms, const KeyPair& key, const Policy& policy,
        std::optional<Opening> opening = std::nullopt);
  // From the journal.
  Party(const Record& record, const KeyPair& key, const Policy& policy);
  // From a backup, which may be behind what was signed since.
  static Party from_backup(Record record, const KeyPair& key, const Policy& policy);

  Result<Actions, Rejection> step(const Event& event);

  const Record& record() const { return record_; }
  // What I could still pay now: down to the reserve, less what is offered already. Nothing where
  // nothing more will be signed.
  Balance payable() const;
  Balance locked() const;
  // Mine, as it would be if every offer of mine were countersigned.
  Balance own_balance() const;
  // What this channel has given me so far, by states that I could claim: above what I brought.
  Balance received() const;
  // What the close that was told would pay me.
  std::optional<Balance> close_offered() const;
  // What the splice that was told would move of mine.
  std::optional<BalanceDelta> splice_offered() const;
  bool has_pending_offer() const { return pending_.has_value(); }

 private:
  friend struct Handlers;
  // The peer's newest valid offer, not countersigned yet.
  struct Pending {
    Offer offer;
    Mmr receipts;
  };
  // An offer of mine in flight, for a countersignature that is not under the newest.
  struct InFlight {
    ChannelState state;
    MultiSignature signature;
    Balance amount;
  };

  Record record_;
  KeyPair key_;
  Policy policy_;
  // Not in the journal: a restart forgets these and says Hello.
  std::optional<Pending> pending_;
  std::deque<InFlight> in_flight_;
  std::optional<CloseOffer> close_offered_;
  std::optional<SpliceOffer> splice_offered_;
  std::optional<ChannelVersion> standing_;  // on chain, while in challenge
  BlockNumber final_block_;
  bool end_begun_ = false;  // of the end that the record wants
  Mmr tip_receipts_;        // at my newest offer, else at the newest co-signed state
};

}  // namespace tally::channel
