// Has the keys of validators of the first epochs that have left the set since, and shows proofs
// that later epochs have ended, signed by them, in a block that hands the chain over to them. Only
// where those of them who still serve weigh less than a third.
#include "tests/sim/adversary.hpp"

namespace tally::sim {
namespace {

using consensus::mark;
using consensus::Mark;

class OldGuard final : public Adversary {
 public:
  void on_send(const AdversaryTools& tools, const ports::PeerId& to, ports::Channel channel,
               const Bytes& frame) override {
    tools.emit(to, channel, frame, 0);
    const auto message = decode<core::WireMessage>(frame);
    const auto* consensus_frame =
        message.ok() ? std::get_if<core::ConsensusFrame>(&*message) : nullptr;
    if (consensus_frame == nullptr || !tools.random.chance(15)) return;
    const consensus::Hint& hint = consensus_frame->envelope.hint;
    if (hint.epoch < Epoch(3) || !has_left(tools)) return;
    tools.emit_message(to, {hint, forge(tools, hint)});
  }

 private:
  static bool has_left(const AdversaryTools& tools) {
    std::uint64_t total = 0;
    std::uint64_t old = 0;
    for (const Validator& member : tools.set.members) {
      total += member.weight;
      const bool ours = tools.chain.first.find(member.consensus_key).has_value();
      if (ours || member.consensus_key == tools.signer.consensus_key()) old += member.weight;
    }
    return 3 * old < total;
  }

  static consensus::EpochProofMessage forge(const AdversaryTools& tools,
                                            const consensus::Hint& hint) {
    mark(Mark::old_guard_proof);
    const Epoch epoch = hint.epoch;
    const View view(hint.view.value + 1'000);
    consensus::EpochProofMessage out{epoch, {}};
    Header& last = out.proof.header;
    last.number = {consensus::epoch_end(epoch, tools.chain.parameters.epoch_length)};
    last.parent_hash = tools.chain.genesis_hash;
    last.digest.push_back(make_consensus_digest({epoch, view, TimestampMs(1), VrfProof{}}));
    last.digest.push_back(make_set_item(tools.chain.first));
    const Statement statement{epoch, VoteKind::finalize, view, block_hash(last)};
    const Bytes bytes = statement_bytes(tools.chain.genesis_hash, statement);
    std::vector<Vote> votes;
    for (std::size_t i = 0; i < tools.chain.first.size(); ++i) {
      const ValidatorIndex index(static_cast<std::uint16_t>(i));
      votes.push_back({statement, index, FakeSigner(i, &tools.cache).sign(bytes)});
    }
    out.proof.finalization = make_certificate(votes, tools.chain.first);
    return out;
  }
};

}  // namespace

std::unique_ptr<Adversary> make_old_guard() {
  return std::make_unique<OldGuard>();
}

}  // namespace tally::sim
