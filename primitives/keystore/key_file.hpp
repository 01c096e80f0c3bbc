// Keys at rest: one JSON file a key, encrypted under a password.
//
// The key of the cipher is Argon2id(password, salt); the secret is sealed with XChaCha20-Poly1305,
// with kind, public key and cost as associated data, so that none of them can be exchanged. A
// plain checksum over the file tells damage (refused as such) from a wrong password. Files have
// mode 0600, and are refused when others may read them. Writing is atomic and synced: after a crash
// the file is there whole, or not at all.
//
// Threads: every function may be called from any thread; Argon2id takes `memory_bytes` for a second
// or so. Errors name the file, what was expected, and what to do; they never hold secrets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "primitives/crypto/sign.hpp"
#include "primitives/crypto/vrf.hpp"
#include "primitives/result.hpp"

namespace tally {

// What a key is for. Accounts are `ecdsa` and `ed25519`; a validator has the other three.
enum class KeyKind : std::uint8_t { ecdsa, ed25519, consensus, vrf, node };
TALLY_DESCRIBE_ENUM(KeyKind, ecdsa, ed25519, consensus, vrf, node);

std::optional<KeyKind> parse_key_kind(std::string_view name);

// A secret and what it is for; made by from(), so that the secret is a valid key of its kind.
struct StoredKey {
  KeyKind kind{};
  Secret secret;

  // Nothing if the secret is not a valid key of this kind.
  static std::optional<StoredKey> from(KeyKind kind, const Secret& secret);
  static StoredKey generate(KeyKind kind);
  // 33 bytes for `ecdsa`, 32 for all others.
  Bytes public_key() const;
  // The signing pair of an account key; nothing for the validator kinds.
  std::optional<KeyPair> account_pair() const;
};

struct KeyCost {
  std::uint64_t passes = 3;
  std::uint64_t memory_bytes = 256ull << 20;
  // Enough to keep a test honest, far too little for a key of worth.
  static KeyCost least() { return {1, 8192}; }
  friend bool operator==(const KeyCost&, const KeyCost&) = default;
};

// The file's content without the secret.
struct KeyFile {
  KeyKind kind{};
  Bytes public_key;
  KeyCost cost;
  Bytes salt;
  Bytes nonce;
  Bytes sealed;
  friend bool operator==(const KeyFile&, const KeyFile&) = default;

  // Strict: every field present, of the right length, none unknown, costs within 16 passes and
  // 1 GiB, checksum right. Of hostile bytes it costs no more than reading them.
  static Result<KeyFile, Error> parse(std::string_view json);
  std::string to_json() const;
};

Result<KeyFile, Error> encrypt_key(const StoredKey& key, std::string_view password,
                                   const KeyCost& cost = {});
Result<StoredKey, Error> decrypt_key(const KeyFile& file, std::string_view password);

enum class IfKeyExists { refuse, replace };

Result<void, Error> write_key_file(const std::filesystem::path& path, const KeyFile& file,
                                   IfKeyExists if_exists = IfKeyExists::refuse);
// Kind and public key; needs no password.
Result<KeyFile, Error> read_key_file(const std::filesystem::path& path);
Result<StoredKey, Error> open_key_file(const std::filesystem::path& path,
                                       std::string_view password);

}  // namespace tally
