// What two nodes say inside TLS before any frame of the core. No proof of a validator is made up.
#include "node/network/handshake.hpp"

#include "tests/fuzz/codec.hpp"

namespace tally::fuzz {

void run(ByteView input) {
  decode_strictly<network::ControlMessage>(input);
  const auto message = decode<network::ControlMessage>(input);
  if (!message.ok()) return;
  const auto* hello = std::get_if<network::Hello>(&*message);
  if (hello == nullptr) return;
  const network::ProofContext peer{hello->genesis, {}, network::Role::dialer};
  const auto refusal = network::judge_hello(*hello, peer);
  TALLY_ASSERT(refusal || !hello->validator);
  network::ProofContext other = peer;
  other.genesis.bytes[0] ^= 1;
  TALLY_ASSERT(network::judge_hello(*hello, other).has_value());
}

}  // namespace tally::fuzz
