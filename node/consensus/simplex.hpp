// Simplex, one epoch of it, as a state machine: step(event) -> actions.
//
// It finalizes in three message delays and enters the next view after two, needs no view change,
// and stays safe without any clock while faulty weight is below a third. Source: Chan and Pass,
// "Simplex Consensus" (IACR 2023/463). The words that the rules are made of:
//
//   floor      the newest block that is final and committed here; at the start the epoch's root
//   certified  we hold the block's Notarization (or it is the floor), the block is here, its parent
//              is certified by this same definition, and it executes to the roots it states. A
//              valid proposal without a Notarization is never certified
//   ticket     a certified Notarization, a Nullification or a Finalization of any view u ≥ current:
//              it enters u + 1; the current view never falls
//   Never      one node never sends two different Notarize, two different Finalize, or both Nullify
//              and Finalize, in one view, across crashes too (own_votes.hpp decides)
//
// Safety: (1) quorums overlap in an honest node, which notarizes once a view: at most one notarized
// block a view. (2) It never sends both Nullify and Finalize in v: the certificates exclude each
// other. (3) Final implies notarized, and a notarized block's whole chain is. (4) Were a final in
// view x and b in y > x with a chain that skips x, some ancestor of b would carry Nullification(x):
// against (2). (5) So a is an ancestor of b.
//
// It does no I/O of its own: the driver carries out the actions, in the order that actions.hpp
// fixes, and hands in one Moment with every event. Files: simplex.cpp enters views and runs the
// step, proposals.cpp judges and makes proposals, certify.cpp certifies and commits, voting.cpp
// signs and tallies, exchange.cpp talks to peers.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "node/consensus/actions.hpp"
#include "node/consensus/block_tree.hpp"
#include "node/consensus/fetcher.hpp"
#include "node/consensus/key_guard.hpp"
#include "node/consensus/own_votes.hpp"
#include "node/consensus/pacemaker.hpp"
#include "node/consensus/peers.hpp"
#include "node/consensus/view_table.hpp"
#include "node/ports/application.hpp"
#include "node/ports/clock.hpp"
#include "node/ports/signer.hpp"
#include "node/ports/verifier.hpp"

namespace tally::consensus {

using ports::Moment;

struct PeerUp {
  PeerId peer;
  std::optional<Ed25519Key> validator;  // proved to be this consensus key's
};
struct PeerDown {
  PeerId peer;
};
struct Received {
  PeerId from;
  Envelope envelope;
};
struct Hinted {
  PeerId peer;
  Hint hint;
};
struct TimerFired {};
struct Synced {};  // the records of the last actions are durable
struct PoolChanged {};
struct Claimed {};  // peers learn only now whose this node is
// Blocks and a Finalization above them, from block sync or an epoch proof; not trusted, save that
// an epoch proof was verified.
struct Supplied {
  std::vector<Block> blocks;
  std::optional<Finalization> finalization;
  bool verified = false;
};
using Event = std::variant<PeerUp, PeerDown, Received, Hinted, TimerFired, Synced, PoolChanged,
                           Claimed, Supplied>;

// What an epoch starts from.
struct EpochSetup {
  Hash genesis_hash;
  Epoch epoch;
  ValidatorSet set;
  Hash seed;                 // of the leader order and the VRF
  BlockNumber end;           // height of the epoch's last block
  TimestampMs genesis_time;  // genesis has no digest to hold it
  Hash root;                 // view 0: genesis, or the last block of the epoch before
};

// Where the newest final block of this epoch stands; the root is view 0.
struct Floor {
  Hash hash;
  View view;
  Header header;
  std::optional<Finalization> finalization;
};

struct Ports {
  ports::Store* store = nullptr;
  ports::Application* application = nullptr;
  const ports::Verifier* verifier = nullptr;
  const ports::KeyHolder* signer = nullptr;  // null: an observer
};

// What the log and the high-water file said about this epoch.
struct Recovered {
  std::vector<Vote> own_votes;  // one whose signature does not hold is signed again
  std::vector<Certificate> certificates;
  View entered;
  SigningLimits limits;
  KeyGuard::Start guard;
};

// The kinds of log records.
enum class RecordKind : std::uint8_t { own_vote = 1, certificate = 2, entered = 3, limits = 4 };
struct EnteredRecord {
  Epoch epoch;
  View view;
};
TALLY_DESCRIBE(EnteredRecord, epoch, view);
struct LimitsRecord {
  Epoch epoch;
  View none_below;
};
TALLY_DESCRIBE(LimitsRecord, epoch, none_below);

Bytes vrf_alpha(const EpochSetup& setup, View view);
// Whether the extrinsics are those that the header commits to. Only then may a failure of the block
// be held against the header.
bool body_matches(const Block& block, BlockNumber epoch_end);

class Simplex {
 public:
  Simplex(EpochSetup setup, const Parameters& parameters, const Ports& ports, Floor floor,
          const Recovered& recovered, const Moment& now);

  Actions step(const Event& event, const Moment& now);
  // When to step with TimerFired, if nothing happens before.
  std::optional<Instant> next_timer() const;

  const EpochSetup& setup() const { return setup_; }
  const Floor& floor() const { return floor_; }
  View current() const { return current_; }
  Hint hint() const { return {setup_.epoch, current_, floor_.view}; }
  std::optional<ValidatorIndex> self() const { return self_; }
  ValidatorIndex leader(View view) { return leaders_.leader(view); }
  const Peers& peers() const { return peers_; }
  // What is known of the members' silence, and the same from the epoch before, so that who is away
  // does not count as present anew with every epoch.
  std::map<Ed25519Key, Contact> contacts() const;
  void carry_over(const std::map<Ed25519Key, Contact>& contacts);
  const OwnVotes& own_votes() const { return own_; }
  const KeyGuard& guard() const { return guard_; }
  Standing standing() const;
  // The highest certified block: on it the pool's transactions are judged.
  std::pair<View, Hash> best_certified() const;
  // The highest Finalization held, which may be ahead of the floor while blocks are missing.
  std::optional<View> highest_finalization() const;
  // What a compacted log must hold: everything above the floor.
  std::vector<ports::LogRecord> log_records() const;
  const Block* find_block(const Hash& hash);

 private:
  enum class Verdict : std::uint8_t { pending, valid, invalid };
  struct ProposalSlot {
    Hash hash;
    bool judged_invalid = false;
  };
  struct Forward {
    Certificate certificate;
    Instant at;
  };

  // simplex.cpp
  void recover(const Recovered& recovered);
  Vote own_vote(const Statement& statement) const;
  void dispatch(const Event& event);
  void advance();
  bool try_enter();
  void enter(View view);
  void run_timers();
  bool block_expected();
  void watch_silence();
  bool leader_is_silent(ValidatorIndex leader) const;
  std::optional<Instant> next_expectation() const;

  // proposals.cpp
  void on_proposal(const PeerId& from, const Proposal& proposal);
  bool well_formed(const Proposal& proposal, ValidatorIndex leader) const;
  void try_notarize();
  Verdict judge(const ProposalSlot& slot);
  Verdict check_time(const TreeEntry& entry);
  Verdict check_on_parent(const Hash& hash, TreeEntry& entry);
  bool rules_hold(const TreeEntry& entry, const Header& parent, bool filler);
  void keep(const Hash& hash, TreeEntry& entry);
  TimestampMs time_of(const Header& header) const;
  bool nullified_between(View below, View above);
  void try_lead();
  std::optional<View> choose_parent();
  Proposal make_proposal(View view, const Hash& hash, const Vote& notarize);
  // Nothing when the keys are away.
  std::optional<Block> build(View view, const Header& parent, const Hash& parent_hash,
                             TimestampMs time);
  void lead_with(Block block);

  // certify.cpp
  bool try_certify();
  bool certify(View view, const Hash& hash);
  bool try_commit();
  bool commit_to(const Finalization& finalization);
  void land(const std::vector<Hash>& chain, const Finalization& finalization);
  void finish_epoch(const std::vector<Hash>& chain, std::size_t last,
                    const Finalization& finalization, ports::WriteBatch& batch);
  bool contradicts_floor(const Header& header) const;
  bool looks_like_filler(const Header& header) const;
  TreeEntry* body(const Hash& hash);
  const Header* header_of(const Hash& hash);
  void want_block(const Hash& hash, View view);
  void wake_at(Instant at);

  // voting.cpp
  bool sign(const Statement& statement);
  bool may_speak() const;
  bool may_ask(const Statement& statement) const;
  void nullify();
  void count_own();
  void on_vote(const PeerId& from, const Vote& vote);
  std::vector<PeerId> copies_to_tell(const PeerId& from, const Vote& vote) const;
  View own_floor() const;
  void on_own_vote(const PeerId& from, const Vote& vote);
  void heard_own(const Statement& statement, const std::string& where);
  void tally(const Vote& vote);
  // Checks, unless somebody has, and takes over; false when it is bad.
  bool take_certificate(const Certificate& certificate, bool verified = false);
  void convict(Evidence evidence);
  void accept_certificate(const Certificate& certificate);
  void violation(std::string what, const Certificate& first, const Certificate& second);

  // exchange.cpp
  void on_peer_up(const PeerUp& up);
  void on_received(const Received& received);
  void note_hint(const PeerId& peer, const Hint& hint);
  void remind(const PeerId& peer);
  void answer(const PeerId& peer, const CertificateRequest& request);
  void answer(const PeerId& peer, const BlockRequest& request);
  void on_blocks(const PeerId& from, const BlockReply& reply);
  void on_supplied(const Supplied& supplied);
  void request_missing();
  void pass_on();
  void retry();
  bool lacks(const PeerState& peer, const Statement& statement) const;
  void send(std::vector<PeerId> to, Message message);
  void broadcast(const Message& message);
  void watch_clock(ValidatorIndex leader, TimestampMs time);

  EpochSetup setup_;
  Parameters parameters_;
  Ports ports_;
  std::optional<ValidatorIndex> self_;
  LeaderSchedule leaders_;
  FinalityContext context_;

  Moment now_;
  Actions actions_;
  bool halted_ = false;
  bool over_ = false;  // the epoch's last block is committed

  Floor floor_;
  View began_at_;  // the floor when it began
  View current_;
  Pacemaker pacemaker_;
  ViewTable table_;
  BlockTree tree_;
  OwnVotes own_;
  KeyGuard guard_;
  std::set<std::pair<View, VoteKind>> refused_;  // by the holder of the keys, above the floor
  Peers peers_;
  std::map<ValidatorIndex, Statement> passed_on_;  // the newest, of who has several links
  Fetcher fetcher_;

  std::map<View, ProposalSlot> proposals_;
  std::map<View, Hash> certified_;  // above the floor
  std::set<View> leader_equivocated_;
  std::vector<Vote> unsynced_;                    // own votes, not yet counted
  std::map<View, std::vector<Vote>> own_signed_;  // with signatures, above the floor
  std::vector<Forward> forwards_;
  std::optional<Instant> wake_;  // a pending proposal's time, or the leader's
  std::map<ValidatorIndex, std::int64_t> clock_offsets_;
  bool clock_alarm_ = false;
};

}  // namespace tally::consensus
