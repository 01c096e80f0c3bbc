// The bytes of the primitives' wire types, pinned: each hash covers 256 drawn values. A failure
// here means that a format has changed: change docs, vectors and this list in one commit, or take
// the change back.
#include <catch2/catch.hpp>

#include "primitives/extrinsic.hpp"
#include "primitives/header.hpp"
#include "tests/support/draw.hpp"

namespace tally {

using tests::golden_hash;

TEST_CASE("the bytes of wire types are what they were") {
  CHECK(golden_hash<Header>() == "0629ff2cc6cd18bed91c0b8746fb0093");
  CHECK(golden_hash<DigestItem>() == "0a3b4dd696656a524c7f44075b565c32");
  CHECK(golden_hash<ConsensusDigest>() == "9d6f0600210da5d0837c1a92c89ea3ce");
  CHECK(golden_hash<Block>() == "f51599e70c1f514beabfeec4195b4a53");
  CHECK(golden_hash<Era>() == "e572894d4ad398a0a9d714a85353e063");
  CHECK(golden_hash<MultiAddress>() == "ee7e0b9b217ae5fc1b7a942f884064fd");
  CHECK(golden_hash<MultiSignature>() == "7ea434e0915532608d3c661cdcab4331");
  CHECK(golden_hash<SignedExtra>() == "f10c253452b9279e857cbbcaaa927c24");
  CHECK(golden_hash<SignedAdditional>() == "5f1cbade62af3965b841cbdc0a4e5967");
  CHECK(golden_hash<ExtrinsicSignature>() == "67f54b2d6575c7c65353e106ee885925");
}

}  // namespace tally
