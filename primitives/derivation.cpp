#include "primitives/derivation.hpp"

#include <algorithm>
#include <limits>

#include "primitives/assert.hpp"
#include "primitives/codec/scale.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally {
namespace {

constexpr std::string_view kPasswordMark = "///";

bool is_number(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view tag_of(KeyScheme scheme) {
  switch (scheme) {
    case KeyScheme::ed25519:
      return "Ed25519HDKD";
    case KeyScheme::ecdsa:
      return "Secp256k1HDKD";
  }
  return {};
}

Result<std::vector<ChainCode>, Error> parse_path(std::string_view path) {
  std::vector<ChainCode> out;
  while (!path.empty()) {
    if (!path.starts_with("//")) {
      return fail_with(
          "a secret URI's path has soft junctions (/x), which ECDSA and Ed25519 keys do not have; "
          "use hard ones (//x)");
    }
    path.remove_prefix(2);
    const std::size_t end = std::min(path.find('/'), path.size());
    out.push_back(TALLY_TRY(chain_code(path.substr(0, end))));
    path.remove_prefix(end);
  }
  return out;
}

Result<Secret, Error> parse_root(std::string_view root, std::string_view password) {
  if (!root.starts_with("0x")) {
    const Entropy entropy = TALLY_TRY(parse_mnemonic(root.empty() ? kDevPhrase : root));
    return mnemonic_secret(entropy, password);
  }
  if (!password.empty()) {
    return fail_with("a secret URI that starts with a seed (0x…) takes no password");
  }
  auto bytes = from_hex(root);
  auto seed = bytes ? Secret::from(*bytes) : std::nullopt;
  if (!seed) return fail_with("a secret URI's seed is 0x and 64 hexadecimal digits");
  return *seed;
}

}  // namespace

Result<ChainCode, Error> chain_code(std::string_view junction) {
  if (junction.empty()) return fail_with("a secret URI has an empty junction; name it (//Alice)");
  if (junction.starts_with("0x")) {
    return fail_with("a secret URI's junction starts with 0x, which clients read in two ways");
  }
  if (!detail::valid_utf8(junction)) return fail_with("a secret URI's junction is not UTF-8");
  ChainCode out{};
  if (is_number(junction)) {
    const auto number = parse_decimal(junction);
    if (!number || *number > std::numeric_limits<std::uint64_t>::max()) {
      return fail_with(
          "a secret URI's junction is a number above 2^64, which clients read in "
          "two ways");
    }
    const Bytes little_endian = encode(static_cast<std::uint64_t>(*number));
    std::copy(little_endian.begin(), little_endian.end(), out.begin());
    return out;
  }
  const Bytes text = encode(std::string(junction));
  if (text.size() > out.size()) return blake2_256(text).bytes;
  std::copy(text.begin(), text.end(), out.begin());
  return out;
}

Secret derive_hard(KeyScheme scheme, const Secret& seed, const ChainCode& junction) {
  const Bytes tag = encode(std::string(tag_of(scheme)));
  return Secret(blake2_256({tag, seed.view(), junction}).bytes);
}

Result<SecretUri, Error> SecretUri::parse(std::string_view text) {
  const std::size_t mark = std::min(text.find(kPasswordMark), text.size());
  std::string_view password = text.substr(mark);
  if (!password.empty()) password.remove_prefix(kPasswordMark.size());
  const std::string_view before = text.substr(0, mark);
  const std::size_t path = std::min(before.find('/'), before.size());
  if (before.empty()) {
    return fail_with("a secret URI is empty; give a mnemonic, 0x and a seed, or //Name");
  }
  auto junctions = TALLY_TRY(parse_path(before.substr(path)));
  const Secret root = TALLY_TRY(parse_root(before.substr(0, path), password));
  return SecretUri{root, std::move(junctions)};
}

Secret SecretUri::derive(KeyScheme scheme) const {
  Secret out = root;
  for (const ChainCode& junction : junctions) out = derive_hard(scheme, out, junction);
  return out;
}

Result<KeyPair, Error> key_from_uri(KeyScheme scheme, std::string_view uri) {
  const SecretUri parsed = TALLY_TRY(SecretUri::parse(uri));
  const auto pair = KeyPair::from_secret(scheme, parsed.derive(scheme));
  if (!pair) return fail_with("the secret is not a key of secp256k1: it is zero or too large");
  return *pair;
}

KeyPair dev_key(KeyScheme scheme, std::string_view name) {
  auto pair = key_from_uri(scheme, "//" + std::string(name));
  TALLY_ASSERT(pair.ok());
  return *pair;
}

}  // namespace tally
