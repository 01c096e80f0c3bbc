// The keys of a validator: a consensus key that signs votes and a VRF key that proves the beacon's
// outputs. They live in two encrypted key files of one folder, or come from a development name that
// everybody knows (//Alice), for chains that are worth nothing.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

#include "node/ports/signer.hpp"
#include "primitives/keystore/key_file.hpp"
#include "primitives/result.hpp"

namespace tally::keystore {

struct ValidatorKeys {
  Secret consensus;
  Secret vrf;

  Ed25519Key consensus_key() const { return ed25519_public(consensus); }
  VrfKey vrf_key() const { return vrf_public(vrf); }
  std::unique_ptr<ports::Signer> signer() const {
    return std::make_unique<ports::MemorySigner>(consensus, vrf);
  }
};

constexpr std::string_view kConsensusFile = "consensus.json";
constexpr std::string_view kVrfFile = "vrf.json";

// Of a secret URI of the form //Name.
Result<ValidatorKeys, Error> dev_validator_keys(std::string_view uri);
// The key of a development validator's transport, so that bootnodes can be known beforehand.
Result<Secret, Error> dev_node_secret(std::string_view uri);

// Writes both files; neither may be there yet.
Result<ValidatorKeys, Error> create_validator_keys(const std::filesystem::path& folder,
                                                   std::string_view password,
                                                   const KeyCost& cost = {});
Result<ValidatorKeys, Error> load_validator_keys(const std::filesystem::path& folder,
                                                 std::string_view password);

}  // namespace tally::keystore
