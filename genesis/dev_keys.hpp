// Keys that everybody knows, for chains on one machine. Never for credits that are worth anything.
//
// A development validator called Alice signs votes with the Ed25519 key of //Alice//consensus,
// proves with the VRF key whose seed is that of //Alice//vrf (Ed25519 derivation), and is paid to
// the ECDSA account of //Alice.
#pragma once

#include <string_view>

#include "primitives/crypto/sign.hpp"
#include "primitives/crypto/vrf.hpp"
#include "primitives/derivation.hpp"
#include "primitives/finality/validator_set.hpp"

namespace tally::genesis {

// In the order of the presets' validators.
constexpr std::array<std::string_view, 4> kDevValidators{"Alice", "Bob", "Charlie", "Dave"};
constexpr std::array<std::string_view, 6> kDevNames{"Alice", "Bob", "Charlie",
                                                    "Dave",  "Eve", "Ferdie"};

struct DevValidatorSecrets {
  Secret consensus;  // Ed25519 seed
  Secret vrf;        // VRF seed
};
DevValidatorSecrets dev_validator_secrets(std::string_view name);
Validator dev_validator(std::string_view name, std::uint64_t weight);

// The keys of //Bench//0, //Bench//1, …, ECDSA.
class BenchKeys {
 public:
  BenchKeys();
  KeyPair key(std::uint32_t index) const;

 private:
  Secret root_;
};

}  // namespace tally::genesis
