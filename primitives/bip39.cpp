#include "primitives/bip39.hpp"

#include <sodium.h>

#include <algorithm>

#include "primitives/assert.hpp"
#include "primitives/balance.hpp"
#include "primitives/crypto/hash.hpp"
#include "primitives/crypto/sodium.hpp"

namespace tally {
namespace {

constexpr std::size_t kBitsPerWord = 11;
constexpr std::uint32_t kRounds = 2048;

bool size_is_allowed(std::size_t size) {
  return size >= 16 && size <= 32 && size % 4 == 0;
}

// Bit i, the most significant bit of byte 0 being bit 0.
bool bit_at(ByteView bytes, std::size_t i) {
  return bytes[i / 8] >> (7 - i % 8) & 1;
}

// Entropy, then the first byte of its SHA-256, of which one bit in 32 of the entropy is used.
std::array<std::uint8_t, Entropy::kMax + 1> with_checksum(ByteView entropy) {
  std::array<std::uint8_t, Entropy::kMax + 1> out{};
  std::copy(entropy.begin(), entropy.end(), out.begin());
  out[entropy.size()] = sha256(entropy)[0];
  return out;
}

std::vector<std::string_view> split_words(std::string_view phrase) {
  std::vector<std::string_view> out;
  while (true) {
    phrase.remove_prefix(std::min(phrase.find_first_not_of(' '), phrase.size()));
    if (phrase.empty()) return out;
    const std::size_t end = std::min(phrase.find(' '), phrase.size());
    out.push_back(phrase.substr(0, end));
    phrase.remove_prefix(end);
  }
}

// The first block of PBKDF2-HMAC-SHA512 (RFC 8018), which is all that 32 bytes need.
std::array<std::uint8_t, 64> pbkdf2_block(ByteView password, ByteView salt) {
  crypto_auth_hmacsha512_state keyed;
  crypto_auth_hmacsha512_init(&keyed, password.data(), password.size());
  const std::uint8_t block_index[] = {0, 0, 0, 1};
  std::array<std::uint8_t, 64> step;
  crypto_auth_hmacsha512_state state = keyed;
  crypto_auth_hmacsha512_update(&state, salt.data(), salt.size());
  crypto_auth_hmacsha512_update(&state, block_index, sizeof block_index);
  crypto_auth_hmacsha512_final(&state, step.data());
  std::array<std::uint8_t, 64> out = step;
  for (std::uint32_t round = 1; round < kRounds; ++round) {
    state = keyed;
    crypto_auth_hmacsha512_update(&state, step.data(), step.size());
    crypto_auth_hmacsha512_final(&state, step.data());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] ^= step[i];
  }
  sodium_memzero(&keyed, sizeof keyed);
  sodium_memzero(&state, sizeof state);
  sodium_memzero(step.data(), step.size());
  return out;
}

}  // namespace

std::optional<Entropy> Entropy::from(ByteView bytes) {
  if (!size_is_allowed(bytes.size())) return std::nullopt;
  Entropy out;
  std::copy(bytes.begin(), bytes.end(), out.bytes_.begin());
  out.size_ = bytes.size();
  return out;
}

std::optional<Entropy> Entropy::generate(std::size_t words) {
  if (words < 12 || words > 24 || words % 3 != 0) return std::nullopt;
  const Secret random = Secret::generate();
  return from(random.view().first(words / 3 * 4));
}

Entropy::~Entropy() {
  sodium_memzero(bytes_.data(), bytes_.size());
}

const std::array<std::string_view, kMnemonicWords>& mnemonic_words() {
  static const auto words = [] {
    std::array<std::string_view, kMnemonicWords> out;
    std::string_view rest = kMnemonicWordText;
    for (std::string_view& word : out) {
      word = rest.substr(0, rest.find(' '));
      rest.remove_prefix(word.size() + 1);
    }
    TALLY_ASSERT(rest.empty());
    return out;
  }();
  return words;
}

std::string to_mnemonic(const Entropy& entropy) {
  auto bits = with_checksum(entropy.view());
  const std::size_t words = entropy.view().size() * 3 / 4;
  std::string out;
  for (std::size_t word = 0; word < words; ++word) {
    std::size_t index = 0;
    for (std::size_t i = 0; i < kBitsPerWord; ++i) {
      index = index << 1 | (bit_at(bits, word * kBitsPerWord + i) ? 1 : 0);
    }
    if (word != 0) out.push_back(' ');
    out += mnemonic_words()[index];
  }
  sodium_memzero(bits.data(), bits.size());
  return out;
}

// Errors do not repeat words: they end up in logs.
Result<Entropy, Error> parse_mnemonic(std::string_view phrase) {
  const auto words = split_words(phrase);
  const std::size_t size = words.size() / 3 * 4;
  if (words.size() % 3 != 0 || !size_is_allowed(size)) {
    return fail_with("a mnemonic has 12, 15, 18, 21 or 24 words, this has " +
                     to_decimal(words.size()));
  }
  std::array<std::uint8_t, Entropy::kMax + 1> bits{};
  const auto& list = mnemonic_words();
  for (std::size_t word = 0; word < words.size(); ++word) {
    const auto found = std::lower_bound(list.begin(), list.end(), words[word]);
    if (found == list.end() || *found != words[word]) {
      return fail_with("word " + to_decimal(word + 1) +
                       " of the mnemonic is not in the English list; check its spelling, in "
                       "lower case");
    }
    const auto index = static_cast<std::size_t>(found - list.begin());
    for (std::size_t i = 0; i < kBitsPerWord; ++i) {
      const std::size_t at = word * kBitsPerWord + i;
      if (index >> (kBitsPerWord - 1 - i) & 1) {
        bits[at / 8] = static_cast<std::uint8_t>(bits[at / 8] | 1u << (7 - at % 8));
      }
    }
  }
  auto entropy = Entropy::from(ByteView(bits).first(size));
  auto expected = with_checksum(ByteView(bits).first(size));
  const auto unused = static_cast<unsigned>(8 - size / 4);
  const bool matches = expected[size] >> unused == bits[size] >> unused;
  sodium_memzero(bits.data(), bits.size());
  sodium_memzero(expected.data(), expected.size());
  if (!matches) {
    return fail_with("the mnemonic's checksum does not match: a word is wrong or out of place");
  }
  return *entropy;
}

Secret mnemonic_secret(const Entropy& entropy, std::string_view password) {
  detail::ready_sodium();
  Bytes salt = to_bytes(as_bytes("mnemonic"));
  append(salt, as_bytes(password));
  auto block = pbkdf2_block(entropy.view(), salt);
  const Secret out = *Secret::from(ByteView(block).first(32));
  sodium_memzero(block.data(), block.size());
  sodium_memzero(salt.data(), salt.size());
  return out;
}

}  // namespace tally
