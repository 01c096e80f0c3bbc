// Snapshot sync: a node that is far behind takes the state after the last block of a recent epoch
// from its peers, in place of all the blocks before.
//
//   proofs   one epoch proof after another, each checked with the set that an earlier one named:
//            from genesis (or from what is stored) to the newest epoch that a peer can prove over;
//            up to the block that the operator trusts all from one peer, and not kept without it
//   state    the state tree from its root down, subtree by subtree, from all peers at once. Each
//            part is checked against the hash that the part above it gave, and staged
//   block    the body of the epoch's last block
//   install  what is staged is hashed again as a whole and, if it is the state under the proved
//            header, put in place of what the node had
//
// Proofs and staged parts are in the store, so an interrupted sync goes on where it was; where the
// target is no longer served the next one takes over what has not changed. A peer that sends
// anything that does not fit is dropped; one that is silent is asked less.
//
// A state machine: no clock, no network; it reads and writes the store through its ports. The
// driver hands in what peers say, calls step(), and carries out what that returns.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "node/core/sync_peers.hpp"
#include "node/core/wire.hpp"
#include "node/ports/store.hpp"
#include "node/ports/verifier.hpp"
#include "runtime/tree/node.hpp"

namespace tally::core {

class SnapshotSync {
 public:
  struct Chain {
    Hash genesis_hash;
    ValidatorSet first;   // of epoch 1
    ValidatorSet second;  // of epoch 2
    std::uint32_t epoch_length{};
    // The operator says that this block, an epoch's last, is in the chain.
    std::optional<ports::ChainHead> trusted{};
  };
  struct Parts {
    ports::Store& store;
    ports::Snapshots& snapshots;
    const ports::Verifier& verifier;
  };
  // `head` is this node's: only a state above it is worth the while.
  SnapshotSync(Chain chain, const Parts& parts, BlockNumber head);

  void peer_head(const ports::PeerId& peer, BlockNumber head);
  void peer_down(const ports::PeerId& peer);
  void on_reply(const ports::PeerId& from, const EpochProofsReply& reply, ports::Instant now);
  void on_reply(const ports::PeerId& from, const SubtreesReply& reply, ports::Instant now);
  void on_reply(const ports::PeerId& from, const RangeReply& reply, ports::Instant now);
  void on_pruned(const ports::PeerId& from);

  struct Drop {
    ports::PeerId peer;
    std::string reason;
  };
  struct Output {
    std::vector<std::pair<ports::PeerId, WireMessage>> sends;
    std::vector<Drop> drops;
    std::vector<std::string> alarms;
    bool installed = false;  // the store holds another chain head: nothing more is to be asked
    // No peer can prove an epoch that is over and above the head, or that has come to the target.
    bool nothing_to_do = false;
  };
  Output step(ports::Instant now);
  std::optional<ports::Instant> next_timer() const { return wake_; }

  // The share of the state that is here, in 65,536ths; none before the state is being fetched.
  struct Progress {
    std::uint64_t done{};
    std::uint64_t total = 65'536;
  };
  std::optional<Progress> progress() const;
  std::optional<BlockNumber> target() const;

 private:
  enum class Phase : std::uint8_t { proofs, state, block };
  struct Peer {
    SyncPeer standing;
    std::optional<Epoch> proves_none_from;
    std::uint64_t turn = 0;  // to prove: who failed, or came back, is behind all others
    bool lacks_target = false;
    std::size_t requests = 0;  // for subtrees, on their way
    std::size_t batch = 4;     // subtrees of its next request
  };
  // In the order of a walk through the tree, depth first, so that few are open at a time.
  struct Place {
    StateKeyHash path;
    std::uint8_t depth{};
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  struct Want {
    Place place;
    Hash hash;
  };
  struct Asked {  // for subtrees
    ports::PeerId peer;
    ports::Instant at;
    std::vector<Want> wants;
  };
  struct AskedOne {  // for proofs, or for the block
    ports::PeerId peer;
    ports::Instant at;
  };

  ValidatorSet set_of(Epoch epoch) const;
  BlockNumber end_of(Epoch epoch) const;
  void lie(const ports::PeerId& peer, std::string reason, ports::Instant now);
  void forget_request(std::uint32_t id);

  void ask_for_proofs(ports::Instant now);
  std::optional<ports::PeerId> choose_prover(ports::Instant now);
  bool waits_for_prover(ports::Instant now);
  bool take_proof(const EpochProof& proof);
  bool is_trusted(Epoch newest);
  bool is_before_trusted() const;
  void check_stored_proofs();
  void forget_proofs();
  void warn_of_other_chain(const std::string& whose, const Header& header,
                           const std::string& advice);
  void begin_state();
  void want(const Place& place, const Hash& hash);
  void expand(const Place& place, const tree::Node& node);
  void ask_for_subtrees(ports::Instant now);
  bool take_part(const Want& want, const ports::SubtreePart& part);
  void ask_for_block(ports::Instant now);
  void install();
  std::optional<ports::PeerId> idle_peer(ports::Instant now) const;
  bool target_is_served(ports::Instant now) const;
  void give_up_target(ports::Instant now);
  void wake_at(ports::Instant at);

  Chain chain_;
  Parts parts_;
  BlockNumber head_;
  Phase phase_ = Phase::proofs;
  std::map<ports::PeerId, Peer> peers_;
  Output output_;
  std::optional<ports::Instant> wake_;

  Epoch next_epoch_{1};                  // the first without a stored proof
  std::optional<ports::PeerId> prover_;  // who brought the newest proofs
  std::uint64_t next_turn_ = 1;
  std::optional<AskedOne> asked_one_;
  std::optional<ports::Instant> pause_until_;

  std::optional<ports::SnapshotTarget> target_;
  std::map<Place, Hash> wants_;  // that nobody was asked for
  std::map<std::uint32_t, Asked> asked_;
  std::uint32_t next_id_ = 1;
  std::uint64_t done_ = 0;      // of 2^32, by the share of the paths
  std::optional<Block> block_;  // the target's
};

}  // namespace tally::core
