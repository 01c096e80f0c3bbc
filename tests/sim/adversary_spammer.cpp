// Floods: votes for views far and near, requests, frames that do not decode, signatures that do not
// hold.
#include "tests/sim/adversary.hpp"

namespace tally::sim {
namespace {

using consensus::mark;
using consensus::Mark;

class Spammer final : public Adversary {
 public:
  void on_send(const AdversaryTools& tools, const ports::PeerId& to, ports::Channel channel,
               const Bytes& frame) override {
    tools.emit(to, channel, frame, 0);
    if (!tools.random.chance(300)) return;
    const auto message = decode<core::WireMessage>(frame);
    const auto* consensus_frame =
        message.ok() ? std::get_if<core::ConsensusFrame>(&*message) : nullptr;
    if (consensus_frame == nullptr) return;
    const consensus::Hint hint = consensus_frame->envelope.hint;
    for (std::uint64_t i = tools.random.between(1, 4); i > 0; --i) {
      tools.emit_message(to, {hint, invent(tools, hint)}, tools.random.below(100));
    }
    if (tools.random.chance(20)) {
      mark(Mark::frame_of_garbage);
      tools.emit(to, channel, Bytes(tools.random.between(1, 64), 0x5a), 0);
    }
  }

 private:
  static consensus::Message invent(const AdversaryTools& tools, const consensus::Hint& hint) {
    mark(Mark::vote_invented);
    const View view(hint.view.value + tools.random.below(1'000));
    Hash hash;
    hash.bytes[0] = static_cast<std::uint8_t>(tools.random.between(1, 255));
    switch (tools.random.below(5)) {
      case 0:
        return consensus::VoteMessage{tools.vote({hint.epoch, VoteKind::notarize, view, hash})};
      case 1:
        return consensus::VoteMessage{tools.vote({hint.epoch, VoteKind::finalize, view, hash})};
      case 2: {
        Vote vote = tools.vote({hint.epoch, VoteKind::nullify, hint.view, Hash{}});
        if (tools.random.chance(100)) vote.signature.bytes[0] ^= 1;
        return consensus::VoteMessage{vote};
      }
      case 3:
        return consensus::CertificateRequest{hint.epoch, view, VoteKind::nullify};
      default:
        return consensus::BlockRequest{hash, 255};
    }
  }
};

}  // namespace

std::unique_ptr<Adversary> make_spammer() {
  return std::make_unique<Spammer>();
}

}  // namespace tally::sim
