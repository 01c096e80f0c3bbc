// Votes like everybody, but lies to whoever is behind: it says that it is far ahead, answers
// ranges with other bodies, without their first block, with a Finalization of something else or
// with the proof of another epoch, and replaces or withholds bodies.
#include "tests/sim/adversary.hpp"

namespace tally::sim {
namespace {

using consensus::mark;
using consensus::Mark;

class LyingSyncPeer final : public Adversary {
 public:
  void on_send(const AdversaryTools& tools, const ports::PeerId& to, ports::Channel channel,
               const Bytes& frame) override {
    auto message = decode<core::WireMessage>(frame);
    if (!message.ok()) return tools.emit(to, channel, frame, 0);
    if (auto* status = std::get_if<core::Status>(&*message)) {
      invent_head(tools, *status);
    } else if (auto* range = std::get_if<core::RangeReply>(&*message)) {
      if (!spoil(tools, *range)) return;
    } else if (auto* inner = std::get_if<core::ConsensusFrame>(&*message)) {
      auto* reply = std::get_if<consensus::BlockReply>(&inner->envelope.message);
      if (reply != nullptr && !spoil(tools, *reply)) return;
      if (tools.random.chance(100)) {
        inner->envelope.hint.floor = View(inner->envelope.hint.floor.value + 40);
      }
    }
    tools.emit(to, channel, encode(*message), 0);
  }

 private:
  static void invent_head(const AdversaryTools& tools, core::Status& status) {
    if (!tools.random.chance(700)) return;
    mark(Mark::head_invented);
    status.head.number = BlockNumber(status.head.number.value +
                                     static_cast<std::uint32_t>(tools.random.between(4, 1'000)));
    status.head.hash.bytes[5] ^= 1;
  }

  // False: nothing is sent.
  bool spoil(const AdversaryTools& tools, core::RangeReply& range) {
    const auto finalization = range.finalization;
    const auto proof = range.epoch_proof;
    switch (tools.random.below(7)) {
      case 0:
        mark(Mark::answer_withheld);
        return false;
      case 1: {  // a gap
        mark(Mark::range_tampered);
        std::vector<Block> blocks = range.blocks.items();
        if (blocks.size() > 1) blocks.erase(blocks.begin());
        range.blocks = *decltype(range.blocks)::from(std::move(blocks));
        break;
      }
      case 2: {  // blocks that nobody made, under the right certificate
        mark(Mark::range_tampered);
        std::vector<Block> blocks = range.blocks.items();
        for (Block& block : blocks) block.header.state_root.bytes[0] ^= 1;
        range.blocks = *decltype(range.blocks)::from(std::move(blocks));
        break;
      }
      case 3:
        mark(Mark::range_stale_proof);
        if (old_finalization_) range.finalization = old_finalization_;
        break;
      case 4:
        mark(Mark::range_wrong_epoch);
        if (range.epoch_proof) range.epoch_proof->proof.header.number.value = BlockNumber(7);
        if (old_proof_) range.epoch_proof = old_proof_;
        break;
      case 5:  // a promise of a later proof that never comes
        range.finalization.reset();
        range.epoch_proof.reset();
        break;
      default:
        break;
    }
    if (finalization) old_finalization_ = finalization;
    if (proof) old_proof_ = proof;
    return true;
  }

  static bool spoil(const AdversaryTools& tools, consensus::BlockReply& reply) {
    switch (tools.random.below(3)) {
      case 0:
        mark(Mark::answer_withheld);
        return false;
      case 1: {
        mark(Mark::body_replaced);
        std::vector<Block> blocks = reply.blocks.items();
        for (Block& block : blocks) block.extrinsics.push_back({1, 2, 3});
        reply.blocks = *decltype(reply.blocks)::from(std::move(blocks));
        return true;
      }
      default:
        return true;
    }
  }

  std::optional<Finalization> old_finalization_;
  std::optional<consensus::EpochProofMessage> old_proof_;
};

}  // namespace

std::unique_ptr<Adversary> make_lying_sync_peer() {
  return std::make_unique<LyingSyncPeer>();
}

}  // namespace tally::sim
