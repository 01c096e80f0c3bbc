#include "primitives/keystore/key_file.hpp"

#include <sodium.h>

#include <nlohmann/json.hpp>

#include "primitives/assert.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/crypto/hash.hpp"
#include "primitives/crypto/sodium.hpp"
#include "primitives/keystore/durable_file.hpp"

namespace tally {
namespace {

constexpr std::string_view kFormat = "tallystick key file, version 1";
constexpr std::string_view kDerivation = "argon2id13";
constexpr std::string_view kCipher = "xchacha20-poly1305";
constexpr KeyCost kCostMax{16, 1ull << 30};
constexpr std::size_t kFileSizeMax = 16 << 10;
constexpr std::size_t kFieldCount = 11;
constexpr std::size_t kSaltSize = crypto_pwhash_argon2id_SALTBYTES;
constexpr std::size_t kNonceSize = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kSealedSize = 32 + crypto_aead_xchacha20poly1305_ietf_ABYTES;

// What the secret is bound to.
struct Bound {
  KeyKind kind{};
  Bytes public_key;
  std::uint64_t passes{};
  std::uint64_t memory_bytes{};
};
TALLY_DESCRIBE(Bound, kind, public_key, passes, memory_bytes);

Bytes associated_data(const KeyFile& file) {
  Bytes out = domain_tag("key-file");
  append(out, encode(Bound{file.kind, file.public_key, file.cost.passes, file.cost.memory_bytes}));
  return out;
}

std::string checksum_of(const KeyFile& file) {
  return to_hex(
      blake2_256({associated_data(file), file.salt, file.nonce, file.sealed}).view().first(8));
}

std::size_t public_key_size(KeyKind kind) {
  return kind == KeyKind::ecdsa ? Secp256k1Key::kSize : Ed25519Key::kSize;
}

// Nothing if this machine cannot give the memory.
std::optional<Secret> cipher_key(std::string_view password, ByteView salt, const KeyCost& cost) {
  detail::ready_sodium();
  std::array<std::uint8_t, 32> key;
  if (crypto_pwhash_argon2id(key.data(), key.size(), password.data(), password.size(), salt.data(),
                             cost.passes, cost.memory_bytes,
                             crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
    return std::nullopt;
  }
  const Secret out(key);
  sodium_memzero(key.data(), key.size());
  return out;
}

Failure<Error> no_memory(const KeyCost& cost) {
  return fail_with("not enough memory for the key file: Argon2id needs " +
                   to_decimal(cost.memory_bytes >> 20) + " MiB; free some and try again");
}

Failure<Error> damaged(std::string_view reason) {
  return fail_with("the key file is damaged or not a key file: " + std::string(reason) +
                   "; restore it from its backup or make the key again from its mnemonic");
}

// A field of lower-case hexadecimal; nothing if it is absent, of another type or length.
std::optional<Bytes> hex_field(const nlohmann::json& json, const char* name, std::size_t size) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_string()) return std::nullopt;
  const auto& text = found->get_ref<const std::string&>();
  auto bytes = from_hex(text);
  if (!bytes || bytes->size() != size || to_hex(*bytes) != text) return std::nullopt;
  return bytes;
}

bool is_text(const nlohmann::json& json, const char* name, std::string_view expected) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() &&
         found->get_ref<const std::string&>() == expected;
}

std::optional<std::uint64_t> count_field(const nlohmann::json& json, const char* name,
                                         std::uint64_t least, std::uint64_t most) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number_unsigned()) return std::nullopt;
  const auto value = found->get<std::uint64_t>();
  if (value < least || value > most) return std::nullopt;
  return value;
}

}  // namespace

std::optional<KeyKind> parse_key_kind(std::string_view name) {
  for (const auto& entry : tally_describe_enum(KeyKind{})) {
    if (entry.name == name) return entry.value;
  }
  return std::nullopt;
}

std::optional<StoredKey> StoredKey::from(KeyKind kind, const Secret& secret) {
  if (kind == KeyKind::ecdsa && !secp256k1_public(secret)) return std::nullopt;
  return StoredKey{kind, secret};
}

StoredKey StoredKey::generate(KeyKind kind) {
  for (;;) {  // a second round has a chance of 2^-128, for secp256k1 only
    if (auto key = from(kind, Secret::generate())) return *key;
  }
}

Bytes StoredKey::public_key() const {
  switch (kind) {
    case KeyKind::ecdsa: {
      const auto key = secp256k1_public(secret);
      TALLY_ASSERT(key.has_value());
      return to_bytes(*key);
    }
    case KeyKind::vrf:
      return to_bytes(vrf_public(secret));
    case KeyKind::ed25519:
    case KeyKind::consensus:
    case KeyKind::node:
      return to_bytes(ed25519_public(secret));
  }
  return {};
}

std::optional<KeyPair> StoredKey::account_pair() const {
  if (kind == KeyKind::ecdsa) return KeyPair::from_secret(KeyScheme::ecdsa, secret);
  if (kind == KeyKind::ed25519) return KeyPair::from_secret(KeyScheme::ed25519, secret);
  return std::nullopt;
}

Result<KeyFile, Error> KeyFile::parse(std::string_view text) {
  if (text.size() > kFileSizeMax) return damaged("it is longer than any key file");
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return damaged("expected a JSON object");
  if (!is_text(json, "format", kFormat)) {
    return fail_with("expected \"format\": \"" + std::string(kFormat) +
                     "\"; the file is another kind of file or of a newer version");
  }
  if (!is_text(json, "derivation", kDerivation) || !is_text(json, "cipher", kCipher)) {
    return damaged("unknown derivation or cipher");
  }
  const auto kind = json.contains("kind") && json["kind"].is_string()
                        ? parse_key_kind(json["kind"].get_ref<const std::string&>())
                        : std::nullopt;
  if (!kind) return damaged("its kind is none of ecdsa, ed25519, consensus, vrf, node");
  const auto public_key = hex_field(json, "public_key", public_key_size(*kind));
  const auto passes = count_field(json, "passes", KeyCost::least().passes, kCostMax.passes);
  const auto memory =
      count_field(json, "memory_bytes", KeyCost::least().memory_bytes, kCostMax.memory_bytes);
  const auto salt = hex_field(json, "salt", kSaltSize);
  const auto nonce = hex_field(json, "nonce", kNonceSize);
  const auto sealed = hex_field(json, "sealed", kSealedSize);
  if (!public_key || !passes || !memory || !salt || !nonce || !sealed) {
    return damaged("a field is missing or malformed");
  }
  const KeyFile out{*kind, *public_key, {*passes, *memory}, *salt, *nonce, *sealed};
  if (!is_text(json, "checksum", checksum_of(out))) return damaged("its checksum does not match");
  if (json.size() != kFieldCount) return damaged("it has fields that it should not have");
  return out;
}

std::string KeyFile::to_json() const {
  const nlohmann::json json = {
      {"format", kFormat},
      {"kind", enumerator_name(kind)},
      {"public_key", to_hex(public_key)},
      {"derivation", kDerivation},
      {"passes", cost.passes},
      {"memory_bytes", cost.memory_bytes},
      {"salt", to_hex(salt)},
      {"cipher", kCipher},
      {"nonce", to_hex(nonce)},
      {"sealed", to_hex(sealed)},
      {"checksum", checksum_of(*this)},
  };
  return json.dump(2) + "\n";
}

Result<KeyFile, Error> encrypt_key(const StoredKey& key, std::string_view password,
                                   const KeyCost& cost) {
  detail::ready_sodium();
  if (cost.passes < KeyCost::least().passes || cost.passes > kCostMax.passes ||
      cost.memory_bytes < KeyCost::least().memory_bytes ||
      cost.memory_bytes > kCostMax.memory_bytes) {
    return fail_with("the cost of a key file is 1 to 16 passes over 8 KiB to 1 GiB of memory");
  }
  KeyFile out{key.kind, key.public_key(), cost, Bytes(kSaltSize), Bytes(kNonceSize), {}};
  randombytes_buf(out.salt.data(), out.salt.size());
  randombytes_buf(out.nonce.data(), out.nonce.size());
  const auto cipher = cipher_key(password, out.salt, cost);
  if (!cipher) return no_memory(cost);
  const Bytes bound = associated_data(out);
  out.sealed.resize(kSealedSize);
  crypto_aead_xchacha20poly1305_ietf_encrypt(out.sealed.data(), nullptr, key.secret.view().data(),
                                             key.secret.view().size(), bound.data(), bound.size(),
                                             nullptr, out.nonce.data(), cipher->view().data());
  return out;
}

Result<StoredKey, Error> decrypt_key(const KeyFile& file, std::string_view password) {
  const auto cipher = cipher_key(password, file.salt, file.cost);
  if (!cipher) return no_memory(file.cost);
  const Bytes bound = associated_data(file);
  std::array<std::uint8_t, 32> plain;
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain.data(), nullptr, nullptr, file.sealed.data(),
                                                 file.sealed.size(), bound.data(), bound.size(),
                                                 file.nonce.data(), cipher->view().data()) != 0) {
    return fail_with("the password is wrong: the key does not open with it");
  }
  const auto key = StoredKey::from(file.kind, Secret(plain));
  sodium_memzero(plain.data(), plain.size());
  if (!key || key->public_key() != file.public_key) {
    return damaged("the secret is not that of its public key");
  }
  return *key;
}

Result<void, Error> write_key_file(const std::filesystem::path& path, const KeyFile& file,
                                   IfKeyExists if_exists) {
  return write_private_file(path, file.to_json(), if_exists == IfKeyExists::replace);
}

Result<KeyFile, Error> read_key_file(const std::filesystem::path& path) {
  const std::string text = TALLY_TRY(read_private_file(path, kFileSizeMax));
  auto file = KeyFile::parse(text);
  if (!file) return fail_with("'" + path.string() + "': " + file.error().message);
  return file;
}

Result<StoredKey, Error> open_key_file(const std::filesystem::path& path,
                                       std::string_view password) {
  const KeyFile file = TALLY_TRY(read_key_file(path));
  auto key = decrypt_key(file, password);
  if (!key) return fail_with("'" + path.string() + "': " + key.error().message);
  return key;
}

}  // namespace tally
