#include "node/keystore/validator_keys.hpp"

#include "genesis/dev_keys.hpp"

namespace tally::keystore {
namespace {

Result<std::string_view, Error> dev_name(std::string_view uri) {
  const bool good = uri.size() > 2 && uri.starts_with("//") &&
                    uri.find('/', 2) == std::string_view::npos && chain_code(uri.substr(2)).ok();
  if (!good) {
    return fail_with("development validator: expected a name like //Alice, came '" +
                     std::string(uri) + "'; a real validator's keys are named by their folder");
  }
  return uri.substr(2);
}

Result<Secret, Error> open_as(const std::filesystem::path& file, KeyKind kind,
                              std::string_view password) {
  const StoredKey key = TALLY_TRY(open_key_file(file, password));
  if (key.kind != kind) {
    return fail_with("key file " + file.string() + ": expected a key of kind " +
                     std::string(enumerator_name(kind)) + ", came one of kind " +
                     std::string(enumerator_name(key.kind)));
  }
  return key.secret;
}

}  // namespace

Result<ValidatorKeys, Error> dev_validator_keys(std::string_view uri) {
  const auto secrets = genesis::dev_validator_secrets(TALLY_TRY(dev_name(uri)));
  return ValidatorKeys{secrets.consensus, secrets.vrf};
}

Result<Secret, Error> dev_node_secret(std::string_view uri) {
  const auto name = TALLY_TRY(dev_name(uri));
  const ChainCode node = TALLY_TRY(chain_code("node"));
  return derive_hard(KeyScheme::ed25519, dev_key(KeyScheme::ed25519, name).secret(), node);
}

Result<ValidatorKeys, Error> create_validator_keys(const std::filesystem::path& folder,
                                                   std::string_view password, const KeyCost& cost) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail_with("cannot make the folder " + folder.string() + ": " + error.message());
  const StoredKey consensus = StoredKey::generate(KeyKind::consensus);
  const StoredKey vrf = StoredKey::generate(KeyKind::vrf);
  for (const std::string_view file : {kConsensusFile, kVrfFile}) {
    if (std::filesystem::exists(folder / file, error)) {
      return fail_with("there is a key already in " + (folder / file).string() +
                       "; name another folder, or move it away if it is no longer used");
    }
  }
  const KeyFile consensus_file = TALLY_TRY(encrypt_key(consensus, password, cost));
  const KeyFile vrf_file = TALLY_TRY(encrypt_key(vrf, password, cost));
  TALLY_TRY(write_key_file(folder / kConsensusFile, consensus_file));
  TALLY_TRY(write_key_file(folder / kVrfFile, vrf_file));
  return ValidatorKeys{consensus.secret, vrf.secret};
}

Result<ValidatorKeys, Error> load_validator_keys(const std::filesystem::path& folder,
                                                 std::string_view password) {
  ValidatorKeys out;
  out.consensus = TALLY_TRY(open_as(folder / kConsensusFile, KeyKind::consensus, password));
  out.vrf = TALLY_TRY(open_as(folder / kVrfFile, KeyKind::vrf, password));
  return out;
}

}  // namespace tally::keystore
