// Holds its votes back for seconds and repeats old ones, so that every certificate that needs it
// forms late, in views that others have left.
#include "tests/sim/adversary.hpp"

namespace tally::sim {
namespace {

using consensus::mark;
using consensus::Mark;

class StaleVoter final : public Adversary {
 public:
  void on_send(const AdversaryTools& tools, const ports::PeerId& to, ports::Channel channel,
               const Bytes& frame) override {
    const auto message = decode<core::WireMessage>(frame);
    const auto* consensus_frame =
        message.ok() ? std::get_if<core::ConsensusFrame>(&*message) : nullptr;
    const bool vote = consensus_frame != nullptr && std::holds_alternative<consensus::VoteMessage>(
                                                        consensus_frame->envelope.message);
    if (!vote) {
      tools.emit(to, channel, frame, 0);
      return;
    }
    tools.emit(to, channel, frame, tools.random.between(200, 4'000));
    old_.push_back(frame);
    if (tools.random.chance(200)) {
      mark(Mark::vote_repeated);
      tools.emit(to, channel, old_[tools.random.below(old_.size())], tools.random.below(2'000));
    }
    if (old_.size() > 512) old_.erase(old_.begin(), old_.begin() + 256);
  }

 private:
  std::vector<Bytes> old_;
};

}  // namespace

std::unique_ptr<Adversary> make_stale_voter() {
  return std::make_unique<StaleVoter>();
}

}  // namespace tally::sim
