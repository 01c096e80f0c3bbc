// Sends certificates that are wrong in every way that shape or signatures can be wrong, beside
// right ones for other peers: bitmaps of another size, bits beyond the set, one signature for all,
// another block's hash, a Nullification made of Notarize signatures.
#include "tests/sim/adversary.hpp"

namespace tally::sim {
namespace {

using consensus::mark;
using consensus::Mark;

class ConflictingCertificates final : public Adversary {
 public:
  void on_send(const AdversaryTools& tools, const ports::PeerId& to, ports::Channel channel,
               const Bytes& frame) override {
    const auto message = decode<core::WireMessage>(frame);
    const auto* consensus_frame =
        message.ok() ? std::get_if<core::ConsensusFrame>(&*message) : nullptr;
    tools.emit(to, channel, frame, 0);
    if (consensus_frame == nullptr) return;
    const consensus::Envelope& envelope = consensus_frame->envelope;
    if (const auto* held = std::get_if<consensus::CertificateMessage>(&envelope.message)) {
      last_ = held->certificate;
    } else if (const auto* made = std::get_if<consensus::Proposal>(&envelope.message)) {
      if (made->parent) last_ = *made->parent;
    }
    // Each costs it the link for a while, so not too often.
    if (!last_ || !tools.random.chance(30)) return;
    tools.emit_message(to, {envelope.hint, consensus::CertificateMessage{forge(tools)}});
  }

 private:
  Certificate forge(const AdversaryTools& tools) const {
    mark(Mark::certificate_forged);
    Certificate out = *last_;
    out.statement.view = View(out.statement.view.value + tools.random.below(3));
    switch (tools.random.below(5)) {
      case 0:
        (void)out.signers.push_back(0);
        break;
      case 1:
        out.signers[0] = 0xff;
        break;
      case 2:
        for (Ed25519Signature& signature : out.signatures) {
          signature = tools.vote(out.statement).signature;
        }
        break;
      case 3:
        out.statement.hash.bytes[0] ^= 1;
        break;
      default:
        out.statement.kind = VoteKind::nullify;
        out.statement.hash = Hash{};
        break;
    }
    return out;
  }

  std::optional<Certificate> last_;
};

}  // namespace

std::unique_ptr<Adversary> make_conflicting_certificates() {
  return std::make_unique<ConflictingCertificates>();
}

}  // namespace tally::sim
