#include "client-sdk/arweave/rsa.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <nlohmann/json.hpp>

#include "primitives/base64url.hpp"
#include "primitives/crypto/hash.hpp"

namespace tally::arweave {

namespace {

constexpr std::size_t kLeastModulusBytes = 256;
constexpr std::size_t kSaltBytes = 32;
constexpr std::size_t kJwkMaxBytes = 16 << 10;
constexpr unsigned kExponent = 65537;

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* thing) const {
    Free(thing);
  }
};
using Pkey = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Freer<BN_clear_free>>;
using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, Freer<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Freer<OSSL_PARAM_free>>;

// What a JWK calls its numbers, and what OpenSSL does.
struct Part {
  const char* jwk;
  const char* openssl;
};
constexpr std::array<Part, 8> kParts = {{{"n", OSSL_PKEY_PARAM_RSA_N},
                                         {"e", OSSL_PKEY_PARAM_RSA_E},
                                         {"d", OSSL_PKEY_PARAM_RSA_D},
                                         {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
                                         {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},
                                         {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
                                         {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2},
                                         {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}}};

Number to_number(ByteView bytes) {
  return Number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
}

Bytes from_number(const BIGNUM* number) {
  Bytes out(static_cast<std::size_t>(BN_num_bytes(number)));
  BN_bn2bin(number, out.data());
  return out;
}

// Nothing when OpenSSL does not take the numbers.
Pkey make_key(const std::vector<std::pair<const char*, Number>>& numbers, int selection) {
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  TALLY_ASSERT(builder != nullptr);
  for (const auto& [name, number] : numbers) {
    if (OSSL_PARAM_BLD_push_BN(builder.get(), name, number.get()) != 1) return nullptr;
  }
  const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, selection, params.get()) != 1) {
    return nullptr;
  }
  return Pkey(key);
}

bool set_pss(EVP_PKEY_CTX* context, int salt) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1;
}

bool modulus_is_acceptable(ByteView modulus) {
  return modulus.size() >= kLeastModulusBytes && modulus.size() <= kRsaBytes &&
         (modulus.front() & 0x80) != 0 && (modulus.back() & 1) != 0;
}

}  // namespace

struct RsaKey::Handle {
  Pkey key;
};

bool rsa_verify(ByteView modulus, ByteView message, ByteView signature) {
  if (!modulus_is_acceptable(modulus) || signature.size() != modulus.size()) return false;
  std::vector<std::pair<const char*, Number>> numbers;
  numbers.emplace_back(OSSL_PKEY_PARAM_RSA_N, to_number(modulus));
  numbers.emplace_back(OSSL_PKEY_PARAM_RSA_E, Number(BN_new()));
  BN_set_word(numbers.back().second.get(), kExponent);
  const Pkey key = make_key(numbers, EVP_PKEY_PUBLIC_KEY);
  const Digest digest(EVP_MD_CTX_new());
  EVP_PKEY_CTX* context = nullptr;
  return key && digest &&
         EVP_DigestVerifyInit(digest.get(), &context, EVP_sha256(), nullptr, key.get()) == 1 &&
         set_pss(context, RSA_PSS_SALTLEN_AUTO) &&
         EVP_DigestVerify(digest.get(), signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

RsaKey RsaKey::generate() {
  auto handle = std::make_shared<Handle>();
  handle->key = Pkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", kRsaBytes * 8));
  TALLY_ASSERT(handle->key != nullptr);
  BIGNUM* modulus = nullptr;
  TALLY_ASSERT(EVP_PKEY_get_bn_param(handle->key.get(), OSSL_PKEY_PARAM_RSA_N, &modulus) == 1);
  const Number owned(modulus);
  return {std::move(handle), from_number(modulus)};
}

Result<RsaKey, Error> RsaKey::from_jwk(std::string_view jwk) {
  const std::string advice = ": export the wallet again as a JWK file";
  if (jwk.size() > kJwkMaxBytes) return fail_with("the JWK is longer than any RSA key" + advice);
  const auto json = nlohmann::json::parse(jwk, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return fail_with("expected a JWK, which is a JSON object" + advice);
  const auto kind = json.find("kty");
  if (kind == json.end() || *kind != "RSA") {
    return fail_with("expected a JWK with \"kty\": \"RSA\"; other keys are no Arweave wallets");
  }
  std::vector<std::pair<const char*, Number>> numbers;
  Bytes modulus;
  for (const Part& part : kParts) {
    const auto found = json.find(part.jwk);
    const auto bytes = found != json.end() && found->is_string()
                           ? from_base64url(found->get_ref<const std::string&>())
                           : std::nullopt;
    if (!bytes || bytes->empty() || bytes->size() > kRsaBytes) {
      return fail_with("the JWK's \"" + std::string(part.jwk) +
                       "\" is missing or no base64url number" + advice);
    }
    if (modulus.empty()) modulus = *bytes;
    numbers.emplace_back(part.openssl, to_number(*bytes));
  }
  if (!modulus_is_acceptable(modulus) || BN_is_word(numbers[1].second.get(), kExponent) != 1) {
    return fail_with("expected an RSA key of 2048 to 4096 bits with the exponent 65537" + advice);
  }
  auto handle = std::make_shared<Handle>();
  handle->key = make_key(numbers, EVP_PKEY_KEYPAIR);
  const PkeyContext check(handle->key ? EVP_PKEY_CTX_new(handle->key.get(), nullptr) : nullptr);
  if (!check || EVP_PKEY_check(check.get()) != 1) {
    return fail_with("the JWK's numbers do not make one RSA key" + advice);
  }
  return RsaKey(std::move(handle), std::move(modulus));
}

std::string RsaKey::to_jwk() const {
  nlohmann::json out = {{"kty", "RSA"}};
  for (const Part& part : kParts) {
    BIGNUM* number = nullptr;
    TALLY_ASSERT(EVP_PKEY_get_bn_param(key_->key.get(), part.openssl, &number) == 1);
    const Number owned(number);
    out[part.jwk] = to_base64url(from_number(number));
  }
  return out.dump();
}

Bytes RsaKey::sign(ByteView message) const {
  const Digest digest(EVP_MD_CTX_new());
  EVP_PKEY_CTX* context = nullptr;
  Bytes out(modulus_.size());
  std::size_t size = out.size();
  TALLY_ASSERT(
      digest &&
      EVP_DigestSignInit(digest.get(), &context, EVP_sha256(), nullptr, key_->key.get()) == 1 &&
      set_pss(context, kSaltBytes) &&
      EVP_DigestSign(digest.get(), out.data(), &size, message.data(), message.size()) == 1 &&
      size == out.size());
  return out;
}

std::string address_of(ByteView owner) {
  return to_base64url(sha256(owner));
}

}  // namespace tally::arweave
