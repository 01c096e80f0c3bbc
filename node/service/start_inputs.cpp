// What a configuration leaves open and names only: default ports and bootnodes, keys, the node key.
#include <string.h>

#include <algorithm>
#include <cstdlib>

#include "genesis/dev_keys.hpp"
#include "node/service/node.hpp"
#include "primitives/derivation.hpp"
#include "primitives/keystore/durable_file.hpp"
#include "primitives/keystore/key_file.hpp"

namespace tally::service {
namespace {

constexpr std::uint16_t kPeerPort = 30333;
constexpr std::uint16_t kRpcPort = 9943;
constexpr std::uint16_t kMetricsPort = 9615;
constexpr std::uint16_t kPortStep = 10;  // between the validators of one machine
constexpr std::size_t kPasswordBytesMax = 4096;

std::uint16_t port_offset(const std::optional<std::string>& validator) {
  for (std::size_t i = 0; validator && i < genesis::kDevValidators.size(); ++i) {
    if (*validator == "//" + std::string(genesis::kDevValidators[i])) {
      return static_cast<std::uint16_t>(i * kPortStep);
    }
  }
  return 0;
}

Result<std::string, Error> read_line(const std::filesystem::path& file) {
  std::string text = TALLY_TRY(read_private_file(file, kPasswordBytesMax));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

bool is_validator(const genesis::ChainSpec& spec, const Ed25519Key& key) {
  return std::any_of(spec.validators.begin(), spec.validators.end(),
                     [&](const Validator& validator) { return validator.consensus_key == key; });
}

}  // namespace

Result<NodeConfig, Error> with_defaults(NodeConfig config, const genesis::ChainSpec& spec) {
  const bool is_local_chain = spec.chain_type != "Live";
  if (config.validator) {
    if (!is_local_chain) {
      return fail_with("--validator " + *config.validator +
                       " is a development key that everybody knows, and the chain is a live one; "
                       "use --validator-keys");
    }
    TALLY_TRY(keystore::dev_validator_keys(*config.validator));
  }
  const std::uint16_t offset = port_offset(config.validator);
  if (!config.port) config.port = static_cast<std::uint16_t>(kPeerPort + offset);
  if (!config.rpc_port) config.rpc_port = static_cast<std::uint16_t>(kRpcPort + offset);
  if (!config.metrics_port) config.metrics_port = static_cast<std::uint16_t>(kMetricsPort + offset);
  if (config.bootnodes) return config;
  config.bootnodes.emplace();
  for (std::size_t i = 0; is_local_chain && i < genesis::kDevValidators.size(); ++i) {
    const std::string name = "//" + std::string(genesis::kDevValidators[i]);
    const auto keys = TALLY_TRY(keystore::dev_validator_keys(name));
    if (!is_validator(spec, keys.consensus_key())) continue;
    const Secret secret = TALLY_TRY(keystore::dev_node_secret(name));
    config.bootnodes->push_back({*ports::PeerId::from(ed25519_public(secret)), "127.0.0.1",
                                 static_cast<std::uint16_t>(kPeerPort + i * kPortStep)});
  }
  return config;
}

Result<std::string, Error> read_password(const NodeConfig& config) {
  if (config.password_file) return read_line(*config.password_file);
  if (const char* password = std::getenv("TALLY_KEY_PASSWORD")) return std::string(password);
  return fail_with(
      "validator keys need their password: --password-file FILE, or the variable "
      "TALLY_KEY_PASSWORD");
}

Result<std::optional<keystore::ValidatorKeys>, Error> validator_keys_of(const NodeConfig& config) {
  using Keys = std::optional<keystore::ValidatorKeys>;
  if (config.validator) return Keys(TALLY_TRY(keystore::dev_validator_keys(*config.validator)));
  if (!config.validator_keys) return Keys();
  std::string password = TALLY_TRY(read_password(config));
  auto keys = keystore::load_validator_keys(*config.validator_keys, password);
  explicit_bzero(password.data(), password.size());
  return Keys(TALLY_TRY(std::move(keys)));
}

Result<std::optional<KeyPair>, Error> reporter_key_of(const NodeConfig& config) {
  using Key = std::optional<KeyPair>;
  if (!config.reporter_key) {
    if (!config.validator) return Key();
    return Key(TALLY_TRY(key_from_uri(KeyScheme::ecdsa, *config.validator)));
  }
  std::string password;
  if (config.reporter_password_file) {
    password = TALLY_TRY(read_line(*config.reporter_password_file));
  } else if (const char* variable = std::getenv("TALLY_REPORTER_PASSWORD")) {
    password = variable;
  } else {
    return fail_with(
        "the reporter key needs its password: --reporter-password-file FILE, or the variable "
        "TALLY_REPORTER_PASSWORD");
  }
  const StoredKey stored = TALLY_TRY(open_key_file(*config.reporter_key, password));
  Key pair = stored.account_pair();
  if (!pair) {
    return fail_with(config.reporter_key->string() +
                     ": expected an account key (ecdsa or ed25519), came a key of kind " +
                     std::string(enumerator_name(stored.kind)));
  }
  return pair;
}

bool has_identity(const NodeConfig& config) {
  std::error_code error;
  return config.validator || std::filesystem::exists(config.base_path / "node.pem", error);
}

Result<network::NodeIdentity, Error> identity_of(const NodeConfig& config) {
  if (config.validator) {
    const Secret secret = TALLY_TRY(keystore::dev_node_secret(*config.validator));
    return network::NodeIdentity::from_secret(secret);
  }
  return network::NodeIdentity::load_or_create(config.base_path / "node.pem");
}

}  // namespace tally::service
