// Verifiable random function: RFC 9381, suite ECVRF-EDWARDS25519-SHA512-TAI (0x03), with the key
// validation of section 5.4.5. A proof is 80 bytes, its output 64.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "primitives/bytes.hpp"
#include "primitives/crypto/sign.hpp"

namespace tally {

TALLY_STRONG_BYTES(VrfKey, 32);  // public
TALLY_STRONG_BYTES(VrfProof, 80);
TALLY_STRONG_BYTES(VrfOutput, 64);

VrfKey vrf_public(const Secret& seed);
VrfProof vrf_prove(const Secret& seed, ByteView alpha);
// The output if the proof is valid for this key and alpha, else nothing.
std::optional<VrfOutput> vrf_verify(const VrfKey& key, ByteView alpha, const VrfProof& proof);
// The output that a valid proof stands for; does not verify it.
std::optional<VrfOutput> vrf_proof_to_hash(const VrfProof& proof);
bool vrf_key_is_valid(const VrfKey& key);

}  // namespace tally
