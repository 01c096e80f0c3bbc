#include "genesis/dev_keys.hpp"

#include "primitives/assert.hpp"

namespace tally::genesis {

namespace {

Secret secret_of(const std::string& uri) {
  const auto key = key_from_uri(KeyScheme::ed25519, uri);
  TALLY_ASSERT(key.ok());
  return key->secret();
}

}  // namespace

DevValidatorSecrets dev_validator_secrets(std::string_view name) {
  const std::string uri = "//" + std::string(name);
  return {secret_of(uri + "//consensus"), secret_of(uri + "//vrf")};
}

Validator dev_validator(std::string_view name, std::uint64_t weight) {
  const DevValidatorSecrets secrets = dev_validator_secrets(name);
  return {ed25519_public(secrets.consensus), vrf_public(secrets.vrf),
          dev_key(KeyScheme::ecdsa, name).account(), weight};
}

BenchKeys::BenchKeys() : root_(dev_key(KeyScheme::ecdsa, "Bench").secret()) {}

KeyPair BenchKeys::key(std::uint32_t index) const {
  const auto code = chain_code(std::to_string(index));
  TALLY_ASSERT(code.ok());
  const auto key =
      KeyPair::from_secret(KeyScheme::ecdsa, derive_hard(KeyScheme::ecdsa, root_, *code));
  TALLY_ASSERT(key.has_value());  // a scalar out of range has probability 2^-127
  return *key;
}

}  // namespace tally::genesis
