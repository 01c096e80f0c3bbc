// Shows its proposals to some validators only, and answers no request for a block or a certificate.
#include "tests/sim/adversary.hpp"

namespace tally::sim {
namespace {

using consensus::mark;
using consensus::Mark;

class Withholder final : public Adversary {
 public:
  void on_send(const AdversaryTools& tools, const ports::PeerId& to, ports::Channel channel,
               const Bytes& frame) override {
    const auto message = decode<core::WireMessage>(frame);
    const auto* consensus_frame =
        message.ok() ? std::get_if<core::ConsensusFrame>(&*message) : nullptr;
    if (consensus_frame != nullptr) {
      const auto& content = consensus_frame->envelope.message;
      if (std::holds_alternative<consensus::BlockReply>(content) ||
          std::holds_alternative<consensus::CertificateMessage>(content)) {
        mark(Mark::answer_withheld);
        return;
      }
      if (std::holds_alternative<consensus::Proposal>(content) && !tools.random.chance(500)) {
        mark(Mark::proposal_withheld);
        return;
      }
      if (std::holds_alternative<consensus::VoteMessage>(content) && tools.random.chance(300))
        return;
    }
    if (message.ok() && std::holds_alternative<core::RangeReply>(*message)) return;
    tools.emit(to, channel, frame, 0);
  }
};

}  // namespace

std::unique_ptr<Adversary> make_withholder() {
  return std::make_unique<Withholder>();
}

}  // namespace tally::sim
