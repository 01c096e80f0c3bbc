// Mnemonics: a key's entropy as 12 to 24 words of a list of 2048, the last bits being a checksum.
//
// Substrate makes its seed from the entropy, not from the words: the first 32 bytes of
// PBKDF2-HMAC-SHA512(entropy, "mnemonic" ‖ password, 2048 rounds). A mnemonic gives other keys in
// wallets that follow BIP-39 to the end.
//
// Sources: BIP-39 (English list), substrate-bip39.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "primitives/crypto/sign.hpp"
#include "primitives/result.hpp"

namespace tally {

// 16, 20, 24, 28 or 32 secret bytes, wiped on destruction.
class Entropy {
 public:
  static constexpr std::size_t kMax = 32;

  static std::optional<Entropy> from(ByteView bytes);
  // The number of words: 12, 15, 18, 21 or 24.
  static std::optional<Entropy> generate(std::size_t words);
  Entropy(const Entropy&) = default;
  Entropy& operator=(const Entropy&) = default;
  ~Entropy();
  ByteView view() const { return {bytes_.data(), size_}; }

 private:
  Entropy() = default;
  std::array<std::uint8_t, kMax> bytes_{};
  std::size_t size_ = 0;
};

constexpr std::size_t kMnemonicWords = 2048;
extern const std::string_view kMnemonicWordText;  // the list, a space after each word
// The words in order, sorted as ASCII.
const std::array<std::string_view, kMnemonicWords>& mnemonic_words();

std::string to_mnemonic(const Entropy& entropy);
// Words are lower case and separated by spaces.
Result<Entropy, Error> parse_mnemonic(std::string_view phrase);
Secret mnemonic_secret(const Entropy& entropy, std::string_view password);

}  // namespace tally
