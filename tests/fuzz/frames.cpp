// The byte stream of a peer, cut into frames: the same frames however the bytes arrive.
#include "node/network/framing.hpp"
#include "tests/fuzz/target.hpp"

namespace tally::fuzz {
namespace {

struct Received {
  std::vector<std::pair<network::Lane, Bytes>> frames;
  std::optional<network::FrameError> error;
  friend bool operator==(const Received&, const Received&) = default;
};

Received receive(ByteView stream, std::size_t step, bool open) {
  network::FrameAssembler assembler;
  if (open) assembler.open_channels();
  Received out;
  while (!stream.empty() && !out.error) {
    const ByteView part = stream.first(std::min(step, stream.size()));
    out.error = assembler.consume(part, [&](network::Lane lane, Bytes frame) {
      out.frames.emplace_back(lane, std::move(frame));
      return true;
    });
    stream = stream.subspan(part.size());
  }
  return out;
}

}  // namespace

void run(ByteView input) {
  for (const bool open : {false, true}) {
    const Received whole = receive(input, input.size(), open);
    TALLY_ASSERT(receive(input, 1, open) == whole);
    TALLY_ASSERT(receive(input, 7, open) == whole);
  }
  // What is sent arrives.
  network::SendQueue queue(1 << 20);
  TALLY_ASSERT(queue.push(0, to_bytes(input)));
  Bytes wire;
  while (!queue.empty()) queue.take(wire, wire.size() + 100);
  const Received back = receive(wire, 11, true);
  TALLY_ASSERT(!back.error && back.frames.size() == 1 && equal(back.frames[0].second, input));
}

}  // namespace tally::fuzz
