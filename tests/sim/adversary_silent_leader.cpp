// Takes part in everything, but never proposes.
#include "tests/sim/adversary.hpp"

namespace tally::sim {
namespace {

using consensus::mark;
using consensus::Mark;

class SilentLeader final : public Adversary {
 public:
  void on_send(const AdversaryTools& tools, const ports::PeerId& to, ports::Channel channel,
               const Bytes& frame) override {
    const auto message = decode<core::WireMessage>(frame);
    const auto* consensus_frame =
        message.ok() ? std::get_if<core::ConsensusFrame>(&*message) : nullptr;
    if (consensus_frame != nullptr &&
        std::holds_alternative<consensus::Proposal>(consensus_frame->envelope.message)) {
      mark(Mark::proposal_never_made);
      return;
    }
    tools.emit(to, channel, frame, 0);
  }
};

}  // namespace

std::unique_ptr<Adversary> make_silent_leader() {
  return std::make_unique<SilentLeader>();
}

}  // namespace tally::sim
