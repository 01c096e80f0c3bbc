#include "tests/sim/lying_server.hpp"

#include "node/core/wire.hpp"

namespace tally::sim {
namespace {

class Liar {
 public:
  explicit Liar(Random& random) : random_(random) {}

  // False: it stays silent.
  bool change(core::Status& status) {
    if (random_.chance(300)) status.head.number = BlockNumber(status.head.number.value + 1'000'000);
    return true;
  }
  bool change(core::RangeReply& reply) {
    if (reply.blocks.empty()) return true;
    const std::size_t which = random_.below(reply.blocks.size());
    switch (random_.below(6)) {
      case 0:
        return false;
      case 1:  // it withholds the proof
        reply.finalization.reset();
        reply.epoch_proof.reset();
        return true;
      case 2:
        reply.blocks[which].extrinsics.push_back(Bytes{1, 2, 3});
        return true;
      case 3:
        reply.blocks[which].header.state_root.bytes[0] ^= 1;
        return true;
      case 4:
        if (reply.finalization) reply.finalization->signatures[0].bytes[5] ^= 1;
        return true;
      default:  // some other range
        reply.blocks.erase(reply.blocks.begin());
        return true;
    }
  }
  bool change(core::EpochProofsReply& reply) {
    switch (random_.below(3)) {
      case 0:
        return false;
      case 1:
        reply.proofs = {};
        return true;
      default:
        if (!reply.proofs.empty()) reply.proofs[0].header.state_root.bytes[3] ^= 1;
        return true;
    }
  }
  bool change(core::SubtreesReply& reply) {
    if (reply.parts.empty()) return true;
    const std::size_t which = random_.below(reply.parts.size());
    auto* leaves = std::get_if<ports::SubtreeLeaves>(&reply.parts[which]);
    switch (random_.below(5)) {
      case 0:
        return false;
      case 1:
        reply.parts = {};
        return true;
      case 2:
        if (leaves == nullptr) std::get<ports::SubtreeNode>(reply.parts[which]).node.back() ^= 1;
        if (leaves != nullptr) leaves->entries.back().value.push_back(0);
        return true;
      case 3:
        if (leaves != nullptr) leaves->entries.pop_back();
        return true;
      default:
        std::swap(reply.parts[0], reply.parts[which]);
        return true;
    }
  }
  template <class Other>
  bool change(Other&) {
    return true;
  }

 private:
  Random& random_;
};

}  // namespace

std::optional<Bytes> lie_to_newcomers(Random& random, const Bytes& frame) {
  auto message = decode<core::WireMessage>(frame);
  if (!message.ok()) return frame;
  // What it does not keep, so it says.
  if (std::holds_alternative<core::RangeReply>(*message) && random.chance(150)) {
    return encode(core::WireMessage(core::RangePruned{BlockNumber(1'000'000)}));
  }
  Liar liar(random);
  if (!std::visit([&](auto& content) { return liar.change(content); }, *message)) {
    return std::nullopt;
  }
  return encode(*message);
}

}  // namespace tally::sim
