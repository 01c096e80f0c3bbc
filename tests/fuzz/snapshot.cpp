// A newcomer that takes a state, between a peer that serves truly and one whose every answer the
// fuzzer writes: any bytes, or the true answer with bytes changed, cut, repeated or of another
// request.
//
// What holds whatever it does: the honest peer is enough and is never dropped, and what is
// installed is the state of the chain.
#include <deque>

#include "genesis/dev_keys.hpp"
#include "node/core/snapshot_sync.hpp"
#include "node/execution/snapshots.hpp"
#include "node/ports/chain.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/target.hpp"
#include "tests/support/chain_node.hpp"

namespace tally::fuzz {
namespace {

using namespace tally::core;
using ports::Instant;
using tests::ChainNode;

constexpr std::uint32_t kEpoch = 4;       // blocks
constexpr std::uint32_t kBlocks = 9;      // the state at 8 is wanted
constexpr std::size_t kAccounts = 1'400;  // more than one part
constexpr execution::Retention kRetention{.states = 3, .blocks = 0, .epoch_length = kEpoch};
constexpr std::uint8_t kHonest = 1;
constexpr std::uint8_t kLiar = 2;

ports::PeerId peer(std::uint8_t name) {
  ports::PeerId id;
  id.bytes[0] = name;
  return id;
}

genesis::ChainSpec spec() {
  genesis::ChainSpec out = ChainNode::dev_spec();
  out.consensus.epoch_length = kEpoch;
  for (std::uint64_t i = 0; i < kAccounts; ++i) {
    const auto account = AccountId::from(blake2_256(encode(i)));
    out.accounts.push_back({*account, Balance(5'000'000)});
  }
  return out;
}

// A chain of one validator, with the proofs of its epochs.
struct Server {
  Server() : node(spec(), {.retention = kRetention, .limits = {}}), snapshots(*node.store, [] {}) {
    TALLY_ASSERT(set.members.push_back(spec().validators[0]));
    for (std::uint32_t height = 1; height <= kBlocks; ++height) {
      const Block block = node.advance();
      if (height % kEpoch != 0) continue;
      const Epoch epoch(height / kEpoch);
      const Statement statement{epoch, VoteKind::finalize, consensus_digest(block.header)->view,
                                block_hash(block.header)};
      const Secret secret = genesis::dev_validator_secrets("Alice").consensus;
      const Vote vote{statement, ValidatorIndex(0),
                      ed25519_sign(secret, statement_bytes(node.genesis_hash(), statement))};
      EpochProof proof;
      proof.header = block.header;
      proof.finalization = make_certificate({vote}, set);
      node.store->write({ports::put_epoch_proof(epoch, proof)}, ports::Durability::buffered);
    }
  }
  WireMessage answer(const WireMessage& message) const {
    if (const auto* proofs = std::get_if<EpochProofsRequest>(&message)) {
      EpochProofsReply reply;
      for (Epoch epoch = proofs->from;; epoch = epoch.next()) {
        const auto proof = ports::find_epoch_proof(*node.store, epoch);
        if (!proof || !reply.proofs.push_back(*proof)) return reply;
      }
    }
    if (const auto* wanted = std::get_if<SubtreesRequest>(&message)) {
      SubtreesReply reply{wanted->id, {}};
      auto read = snapshots.read(wanted->at, wanted->subtrees.items());
      reply.parts = *decltype(reply.parts)::from(std::move(read.parts));
      return reply;
    }
    RangeReply reply;
    const auto hash = ports::find_final(*node.store, std::get<RangeRequest>(message).from);
    if (!hash) return reply;
    reply.blocks = *decltype(reply.blocks)::from({*ports::find_block(*node.store, *hash)});
    return reply;
  }

  ChainNode node;
  execution::Snapshots snapshots;
  ValidatorSet set;
};

const Server& server() {
  static const Server kServer;
  return kServer;
}

std::map<Bytes, Bytes> state_of(const ports::Store& store) {
  std::map<Bytes, Bytes> out;
  store.scan(ports::Column::state, {}, [&](ByteView key, ByteView value) {
    return out.emplace(to_bytes(key), to_bytes(value)), true;
  });
  return out;
}

class Newcomer {
 public:
  Newcomer()
      : node_(spec_, {.retention = kRetention, .limits = {}}),
        snapshots_(*node_.store, [this] { node_.app->reload(); }),
        sync_({node_.genesis_hash(), server().set, server().set, kEpoch, std::nullopt},
              {*node_.store, snapshots_, verifier_}, BlockNumber(0)) {
    for (const std::uint8_t name : {kHonest, kLiar})
      sync_.peer_head(peer(name), BlockNumber(kBlocks));
  }

  void run(Input input) {
    for (int turns = 0; turns < 2'000; ++turns) {
      const auto output = sync_.step(Instant(now_));
      TALLY_ASSERT(output.alarms.empty());
      for (const auto& drop : output.drops) {
        TALLY_ASSERT(drop.peer == peer(kLiar));
        sync_.peer_down(drop.peer);
        if (input.byte() % 2 == 0) sync_.peer_head(drop.peer, BlockNumber(kBlocks));  // it is back
      }
      if (output.installed) return check();
      for (const auto& [to, message] : output.sends) waiting_.emplace_back(to, message);
      if (output.nothing_to_do) now_ += 1'000;  // asked again, as by a new connection
      if (waiting_.empty()) {
        now_ = std::max(now_ + 1, sync_.next_timer().value_or(Instant(now_ + 1'000)).value);
        continue;
      }
      const auto [to, message] = std::move(waiting_.front());
      waiting_.pop_front();
      if (to == peer(kHonest)) {
        hand_in(to, server().answer(message));
      } else {
        lie(message, input);
      }
    }
    TALLY_ASSERT(false);  // the honest peer has everything
  }

 private:
  void lie(const WireMessage& message, Input& input) {
    const std::uint8_t how = input.byte();
    if (how % 8 == 0) return;  // silent
    Bytes bytes = encode(server().answer(how % 8 == 1 ? last_ : message));
    last_ = message;
    if (how % 8 == 2) bytes = to_bytes(input.piece());
    if (how % 8 >= 3) {
      for (int changes = how / 8 % 4; changes >= 0; --changes) {
        const std::size_t at = (std::size_t{input.two()} << 3 | how / 32) % bytes.size();
        const std::uint8_t with = input.byte();
        if (how % 8 == 3) bytes[at] = with;
        if (how % 8 == 4) bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ 1u << with % 8);
        if (how % 8 == 5) bytes.resize(at + 1);
        if (how % 8 == 6) bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), with);
        if (how % 8 == 7) bytes[at] += 1;
      }
    }
    const auto lied = decode<WireMessage>(bytes);
    if (lied.ok()) hand_in(peer(kLiar), *lied);
  }

  void hand_in(const ports::PeerId& from, const WireMessage& answer) {
    now_ += 1;
    if (const auto* proofs = std::get_if<EpochProofsReply>(&answer)) {
      sync_.on_reply(from, *proofs, Instant(now_));
    } else if (const auto* parts = std::get_if<SubtreesReply>(&answer)) {
      sync_.on_reply(from, *parts, Instant(now_));
    } else if (const auto* range = std::get_if<RangeReply>(&answer)) {
      sync_.on_reply(from, *range, Instant(now_));
    } else if (std::holds_alternative<RangePruned>(answer)) {
      sync_.on_pruned(from);
    }
  }

  void check() const {
    const auto hash =
        ports::find_final(*server().node.store, BlockNumber(kBlocks / kEpoch * kEpoch));
    TALLY_ASSERT(node_.head().hash == *hash);
    const Header header = ports::find_block(*server().node.store, *hash)->header;
    TALLY_ASSERT(tree::state_root(state_of(*node_.store)) == header.state_root);
    TALLY_ASSERT(*ports::find_block(*node_.store, *hash) ==
                 *ports::find_block(*server().node.store, *hash));
  }

  const genesis::ChainSpec spec_ = spec();
  ChainNode node_;
  execution::Snapshots snapshots_;
  tests::CountingVerifier verifier_;
  SnapshotSync sync_;
  std::deque<std::pair<ports::PeerId, WireMessage>> waiting_;
  WireMessage last_ = RangeRequest{BlockNumber(kBlocks)};
  std::uint64_t now_ = 1'000;
};

}  // namespace

void run(ByteView input) {
  Newcomer().run(Input(input));
}

}  // namespace tally::fuzz
