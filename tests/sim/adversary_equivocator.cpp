// Leads with two blocks, one for each half of the network, votes for whatever it sees, and sends
// Finalize beside Nullify.
#include "tests/sim/adversary.hpp"

namespace tally::sim {
namespace {

using consensus::mark;
using consensus::Mark;

class Equivocator final : public Adversary {
 public:
  void on_send(const AdversaryTools& tools, const ports::PeerId& to, ports::Channel channel,
               const Bytes& frame) override {
    const auto message = decode<core::WireMessage>(frame);
    const auto* consensus_frame =
        message.ok() ? std::get_if<core::ConsensusFrame>(&*message) : nullptr;
    if (consensus_frame == nullptr) {
      tools.emit(to, channel, frame, 0);
      return;
    }
    consensus::Envelope envelope = consensus_frame->envelope;
    if (auto* proposal = std::get_if<consensus::Proposal>(&envelope.message)) {
      if (to.bytes[0] % 2 == 1) make_twin(tools, *proposal);
      tools.emit_message(to, envelope);
      return;
    }
    tools.emit_message(to, envelope);
    const auto* vote = std::get_if<consensus::VoteMessage>(&envelope.message);
    if (vote == nullptr || !tools.random.chance(300)) return;
    mark(Mark::finalize_beside_nullify);
    Statement other = vote->vote.statement;
    if (other.kind == VoteKind::nullify) {
      if (!last_) return;
      other.kind = VoteKind::finalize;
      other.hash = *last_;
    } else {
      last_ = other.hash;
      other = {other.epoch, VoteKind::nullify, other.view, Hash{}};
    }
    tools.emit_message(to, {envelope.hint, consensus::VoteMessage{tools.vote(other)}});
  }

 private:
  // The same block one millisecond later: another hash.
  static void make_twin(const AdversaryTools& tools, consensus::Proposal& proposal) {
    mark(Mark::twin_proposal);
    Header& header = proposal.block.header;
    auto digest = *consensus_digest(header);
    digest.time = TimestampMs(digest.time.value + 1);
    header.digest[0] = make_consensus_digest(digest);
    Statement statement = proposal.notarize.statement;
    statement.hash = block_hash(header);
    proposal.notarize = tools.vote(statement);
  }

  std::optional<Hash> last_;
};

}  // namespace

std::unique_ptr<Adversary> make_equivocator() {
  return std::make_unique<Equivocator>();
}

}  // namespace tally::sim
