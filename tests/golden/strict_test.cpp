// Round trips and strictness of the types on the wire and in the state, over drawn values.
#include <catch2/catch.hpp>

#include "client-sdk/channel/messages.hpp"
#include "client-sdk/channel/record.hpp"
#include "client-sdk/task/specs.hpp"
#include "modules/channels/config.hpp"
#include "modules/channels/types.hpp"
#include "modules/credits/config.hpp"
#include "modules/credits/types.hpp"
#include "modules/system/config.hpp"
#include "modules/system/types.hpp"
#include "modules/validators/config.hpp"
#include "modules/validators/types.hpp"
#include "node/core/wire.hpp"
#include "node/ports/vote_log.hpp"
#include "primitives/finality/evidence.hpp"
#include "primitives/finality/proof.hpp"
#include "primitives/merkle/merkle.hpp"
#include "primitives/merkle/state_proof.hpp"
#include "runtime/call.hpp"
#include "tests/golden/drawn.hpp"
#include "tests/support/strict_codec.hpp"

namespace tally {

using tests::codec_is_strict;

TEST_CASE("one encoding: votes, certificates and proofs of finality") {
  CHECK(codec_is_strict<Vote>());
  CHECK(codec_is_strict<Certificate>());
  CHECK(codec_is_strict<Evidence>());
  CHECK(codec_is_strict<FinalityProof>());
  CHECK(codec_is_strict<ValidatorSet>());
}

TEST_CASE("one encoding: proofs of inclusion and state") {
  CHECK(codec_is_strict<InclusionProof>());
  CHECK(codec_is_strict<Mmr>());
  CHECK(codec_is_strict<StateProof>());
}

TEST_CASE("one encoding: calls of the modules") {
  CHECK(codec_is_strict<system::Call>());
  CHECK(codec_is_strict<credits::Call>());
  CHECK(codec_is_strict<channels::Call>());
  CHECK(codec_is_strict<validators::Call>());
}

TEST_CASE("one encoding: events of the modules") {
  CHECK(codec_is_strict<system::Event>());
  CHECK(codec_is_strict<credits::Event>());
  CHECK(codec_is_strict<channels::Event>());
  CHECK(codec_is_strict<validators::Event>());
}

TEST_CASE("one encoding: what the modules store") {
  CHECK(codec_is_strict<system::AccountInfo>());
  CHECK(codec_is_strict<system::LaneUsage>());
  CHECK(codec_is_strict<system::Config>());
  CHECK(codec_is_strict<credits::DebtTotals>());
  CHECK(codec_is_strict<credits::Config>());
  CHECK(codec_is_strict<channels::Channel>());
  CHECK(codec_is_strict<channels::Config>());
  CHECK(codec_is_strict<validators::EpochInfo>());
  CHECK(codec_is_strict<validators::Candidate>());
  CHECK(codec_is_strict<validators::Delegation>());
  CHECK(codec_is_strict<validators::EpochSet>());
  CHECK(codec_is_strict<validators::Offence>());
  CHECK(codec_is_strict<validators::DrawWindow>());
  CHECK(codec_is_strict<validators::Config>());
}

TEST_CASE("one encoding: what channel parties sign, say and keep") {
  CHECK(codec_is_strict<channels::ChannelState>());
  CHECK(codec_is_strict<channels::CoSignedState>());
  CHECK(codec_is_strict<channels::SpliceBody>());
  CHECK(codec_is_strict<channel::Message>());
  CHECK(codec_is_strict<channel::Record>());
}

TEST_CASE("one encoding: what nodes say and keep") {
  CHECK(codec_is_strict<core::WireMessage, false>());
  CHECK(codec_is_strict<consensus::Envelope, false>());
  CHECK(codec_is_strict<ports::HighWater>());
}

TEST_CASE("one encoding: specs and receipts of tasks") {
  CHECK(codec_is_strict<task::PrimeSpec>());
  CHECK(codec_is_strict<task::VectorSearchSpec>());
  CHECK(codec_is_strict<task::ImageResizeSpec>());
  CHECK(codec_is_strict<task::VectorSearchOutput>());
}

}  // namespace tally
