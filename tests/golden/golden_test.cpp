// The bytes of all types on the wire and in the state, pinned: each hash covers 256 drawn values. A
// failure here means that a format has changed: change docs, vectors and this list in one commit,
// or take the change back. A changed state type also needs a new spec version.
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

namespace tally {

using tests::golden_hash;

TEST_CASE("golden bytes: votes, certificates and proofs of finality") {
  CHECK(golden_hash<Vote>() == "32d0f8b832e41eddf8d63bdfe00ad443");
  CHECK(golden_hash<Certificate>() == "4b7552e8c3a153f9b7d698edf9cb3cae");
  CHECK(golden_hash<Evidence>() == "cff8857303a4504affd7434991e250f8");
  CHECK(golden_hash<FinalityProof>() == "336ac818e917924c3a8c98dc1005e612");
  CHECK(golden_hash<ValidatorSet>() == "c1b955e419eb9e3676abe2cd434c5502");
}

TEST_CASE("golden bytes: proofs of inclusion and state") {
  CHECK(golden_hash<InclusionProof>() == "5a83ea879ec1087b38c3561bef08448d");
  CHECK(golden_hash<Mmr>() == "cacce374ce83a4d3f2d678a3d47c6bf4");
  CHECK(golden_hash<StateProof>() == "a492c915c15c9926a39e94d2a4ba5f12");
}

TEST_CASE("golden bytes: calls of the modules") {
  CHECK(golden_hash<system::Call>() == "f81901a2e560d9581f1536046df557ff");
  CHECK(golden_hash<credits::Call>() == "0ab2d6def93035893cdf6839be6ab1de");
  CHECK(golden_hash<channels::Call>() == "210bea0d8066bd1aaa20bc610f8e7c7e");
  CHECK(golden_hash<validators::Call>() == "7df0d4b8eac9895fc86e1f36bfd06172");
}

TEST_CASE("golden bytes: events of the modules") {
  CHECK(golden_hash<system::Event>() == "aa77740b80e462d90f60530ccc317a08");
  CHECK(golden_hash<credits::Event>() == "3a16e9a10815faddce02c0b22137662b");
  CHECK(golden_hash<channels::Event>() == "75fb2ee1efee8b51b3f150bd7ffe4a67");
  CHECK(golden_hash<validators::Event>() == "c1f8986e41c1c9073e5cc464680feee9");
}

TEST_CASE("golden bytes: what the modules store") {
  CHECK(golden_hash<system::AccountInfo>() == "902790a5458824cee6967f1a3e9ba78a");
  CHECK(golden_hash<system::LaneUsage>() == "9c9b45d51863807b02b464bf69a7a758");
  CHECK(golden_hash<system::Config>() == "b960dd4be95e2142a705b4edb375447e");
  CHECK(golden_hash<credits::DebtTotals>() == "d19e6a23b60a276f61fdff913f4c614a");
  CHECK(golden_hash<credits::Config>() == "0b82356823b008d44d5a7fdaae3be131");
  CHECK(golden_hash<channels::Channel>() == "3db9779116f4f63b82942f6042434275");
  CHECK(golden_hash<channels::Config>() == "00ad2961eddc5c668e88c2e6359c23d1");
  CHECK(golden_hash<validators::EpochInfo>() == "8097ad34a8fa2ff48dcf8b4757c17990");
  CHECK(golden_hash<validators::Candidate>() == "819e72f2ab337521fbe6b402f2560971");
  CHECK(golden_hash<validators::Delegation>() == "227d7eab32a8a4cd605f7b859e082f69");
  CHECK(golden_hash<validators::EpochSet>() == "b5024f4a0d80bc686b9d94ec84da984d");
  CHECK(golden_hash<validators::Offence>() == "d674eb7432a24cb8dbdbc4e630cb523a");
  CHECK(golden_hash<validators::DrawWindow>() == "c2dbc9d8e6bf0fab8c6b796b88be4fb3");
  CHECK(golden_hash<validators::Config>() == "32381e5fdb81bfe6ce5a34d0e56e9b1b");
}

TEST_CASE("golden bytes: what channel parties sign, say and keep") {
  CHECK(golden_hash<channels::ChannelState>() == "6834213683784966e2781d6b681830ac");
  CHECK(golden_hash<channels::CoSignedState>() == "d3ccde5d8ae53742f1afee8085d5465e");
  CHECK(golden_hash<channels::SpliceBody>() == "fee39e464b310b10242499d55f3d1b18");
  CHECK(golden_hash<channel::Message>() == "d5ed2d89be47f64705ac7ad7e7b3dca2");
  CHECK(golden_hash<channel::Record>() == "95aeb9a12d846383fac4758763da53d2");
}

TEST_CASE("golden bytes: what nodes say and keep") {
  CHECK(golden_hash<core::WireMessage>() == "6446cbeaaaff18f1af5b3ce850cb9aad");
  CHECK(golden_hash<consensus::Envelope>() == "93312c7275c424fe77d38d90f6eb2849");
  CHECK(golden_hash<ports::HighWater>() == "296b09db5da87ef583b4f75cec280b81");
}

TEST_CASE("golden bytes: specs and receipts of tasks") {
  CHECK(golden_hash<task::PrimeSpec>() == "bca0020ba0ebdc4edc5947e73068b346");
  CHECK(golden_hash<task::VectorSearchSpec>() == "52c48283c44ddf315d9ab4e638198a75");
  CHECK(golden_hash<task::ImageResizeSpec>() == "9d760e9efd19721fee8fd7e11497fb66");
  CHECK(golden_hash<task::VectorSearchOutput>() == "f11925f23f8eb0f9fc843373747723a0");
}

}  // namespace tally
