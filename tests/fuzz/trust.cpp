// A light client's chain of trust: the file of a former run, proofs of epochs and of heads.
// Whatever they say, nothing is final that the validators did not sign.
#include "client-sdk/chain/trust.hpp"

#include "client-sdk/chain/trust_file.hpp"
#include "tests/fuzz/codec.hpp"
#include "tests/fuzz/input.hpp"

namespace tally::fuzz {
namespace {

client::TrustRoot make_root() {
  client::TrustRoot root{};
  root.epoch_blocks = 5;
  for (std::uint8_t i = 0; i < 4; ++i) {
    const Secret secret(std::array<std::uint8_t, 32>{i, 1});
    TALLY_ASSERT(
        root.validators.members.push_back({ed25519_public(secret), vrf_public(secret), {}, 1}));
  }
  return root;
}

void run_proofs(client::Trust trust, Input input) {
  while (!input.empty()) {
    const bool learn = input.byte() % 2 == 0;
    const auto proof = decode<FinalityProof>(input.piece());
    if (!proof.ok()) continue;
    // Nobody signed anything on this chain.
    TALLY_ASSERT(!(learn ? trust.learn(*proof).ok() : trust.verify(*proof).ok()));
  }
}

}  // namespace

void run(ByteView input) {
  static const client::Trust begun{make_root()};
  if (input.empty()) return;
  const ByteView rest = input.subspan(1);
  if (input[0] == 'p') return run_proofs(begun, Input(rest));
  if (input[0] == 'b') {
    const auto block = client::parse_trusted_block(as_text(rest));
    TALLY_ASSERT(block.ok() || !block.error().message.empty());
    return;
  }
  client::Trust trust = begun;
  const Bytes before = trust.save();
  if (!trust.restore(rest)) {
    TALLY_ASSERT(trust.save() == before);
    return;
  }
  TALLY_ASSERT(equal(trust.save(), rest));
  (void)trust.wanted_for(Epoch(~std::uint64_t{0}));
  (void)trust.wanted_for(trust.known_up_to());
  (void)trust.verify_age(TimestampMs(~std::uint64_t{0})).ok();
}

}  // namespace tally::fuzz
