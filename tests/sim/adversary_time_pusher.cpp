// Pushes the time of the chain: its clock stands at the edge of what others accept, far ahead or
// far behind, and some of its blocks bear a time at or below their parent's.
#include "tests/sim/adversary.hpp"

namespace tally::sim {
namespace {

using consensus::mark;
using consensus::Mark;

constexpr std::uint64_t kStretchMs = 1'700;  // of one clock

class TimePusher final : public Adversary {
 public:
  std::int64_t clock_push_ms(std::uint64_t now_ms, std::int64_t max_drift_ms) override {
    switch (now_ms / kStretchMs % 5) {
      case 0:  // some honest clocks accept it, some have to wait
        mark(Mark::clock_at_the_edge);
        return max_drift_ms;
      case 1:
        return max_drift_ms - 150;
      case 2:
        mark(Mark::clock_far_ahead);
        return 20 * max_drift_ms;
      case 3:
        mark(Mark::clock_far_behind);
        return -20 * max_drift_ms;
      default:
        return 0;
    }
  }

  void on_send(const AdversaryTools& tools, const ports::PeerId& to, ports::Channel channel,
               const Bytes& frame) override {
    const auto message = decode<core::WireMessage>(frame);
    const auto* consensus_frame =
        message.ok() ? std::get_if<core::ConsensusFrame>(&*message) : nullptr;
    const auto* made = consensus_frame == nullptr
                           ? nullptr
                           : std::get_if<consensus::Proposal>(&consensus_frame->envelope.message);
    // The same choice for everyone who is shown the block, or it would be an equivocation.
    if (made == nullptr || made->block.header.state_root.bytes[0] % 4 != 0) {
      tools.emit(to, channel, frame, 0);
      return;
    }
    consensus::Envelope envelope = consensus_frame->envelope;
    auto& proposal = std::get<consensus::Proposal>(envelope.message);
    auto digest = *consensus_digest(proposal.block.header);
    digest.time = TimestampMs(1);
    proposal.block.header.digest[0] = make_consensus_digest(digest);
    Statement statement = proposal.notarize.statement;
    statement.hash = block_hash(proposal.block.header);
    proposal.notarize = tools.vote(statement);
    mark(Mark::time_of_the_parent);
    tools.emit_message(to, envelope);
  }
};

}  // namespace

std::unique_ptr<Adversary> make_time_pusher() {
  return std::make_unique<TimePusher>();
}

}  // namespace tally::sim
