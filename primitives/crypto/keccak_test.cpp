#include "primitives/crypto/keccak.hpp"

#include <catch2/catch.hpp>

namespace tally {
namespace {

// The first three from the Keccak team's known answers; the others are what ethers and go-ethereum
// have fixed in their own tests (addresses and function selectors).
TEST_CASE("Keccak-256 of known bytes", "[keccak]") {
  CHECK(to_hex(keccak_256({})) ==
        "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
  CHECK(to_hex(keccak_256(Bytes{0xcc})) ==
        "eead6dbfc7340a56caedc044696a168870549a6a7f6f56961e84a54bd9970b8a");
  CHECK(to_hex(keccak_256(as_bytes("abc"))) ==
        "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
  CHECK(to_hex(keccak_256(as_bytes("transfer(address,uint256)"))).substr(0, 8) == "a9059cbb");
}

}  // namespace
}  // namespace tally
