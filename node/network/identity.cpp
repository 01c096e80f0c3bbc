#include "node/network/identity.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <array>
#include <memory>

#include "primitives/keystore/durable_file.hpp"

namespace tally::network {
namespace {

constexpr std::size_t kFileBytesMax = 16 * 1024;
constexpr long kValidSeconds = 100L * 365 * 24 * 3600;

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Memory = std::unique_ptr<BIO, Freer<BIO_free>>;

std::string text_of(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(size)};
}

Key key_of(const Secret& secret) {
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, secret.view().data(),
                                       secret.view().size()));
  TALLY_ASSERT(key != nullptr);
  return key;
}

// Every call below fails only when memory runs out.
std::string self_signed(const Secret& secret) {
  const Key key = key_of(secret);
  const Certificate certificate(X509_new());
  TALLY_ASSERT(certificate != nullptr);
  std::array<std::uint8_t, 8> serial{};
  TALLY_ASSERT(RAND_bytes(serial.data(), static_cast<int>(serial.size())) == 1);
  serial[0] &= 0x7f;
  X509* x509 = certificate.get();
  TALLY_ASSERT(X509_set_version(x509, X509_VERSION_3) == 1);
  std::uint64_t number = 0;
  std::memcpy(&number, serial.data(), sizeof number);
  TALLY_ASSERT(ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), number >> 1) == 1);
  TALLY_ASSERT(X509_gmtime_adj(X509_getm_notBefore(x509), -24L * 3600) != nullptr);
  TALLY_ASSERT(X509_gmtime_adj(X509_getm_notAfter(x509), kValidSeconds) != nullptr);
  TALLY_ASSERT(X509_set_pubkey(x509, key.get()) == 1);
  X509_NAME* name = X509_get_subject_name(x509);
  const std::string_view text = "tallystick node";
  TALLY_ASSERT(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                          reinterpret_cast<const unsigned char*>(text.data()),
                                          static_cast<int>(text.size()), -1, 0) == 1);
  TALLY_ASSERT(X509_set_issuer_name(x509, name) == 1);
  TALLY_ASSERT(X509_sign(x509, key.get(), nullptr) > 0);
  const Memory out(BIO_new(BIO_s_mem()));
  TALLY_ASSERT(out != nullptr && PEM_write_bio_X509(out.get(), x509) == 1);
  return text_of(out.get());
}

std::string key_pem(const Secret& secret) {
  const Memory out(BIO_new(BIO_s_mem()));
  TALLY_ASSERT(out != nullptr);
  TALLY_ASSERT(PEM_write_bio_PrivateKey(out.get(), key_of(secret).get(), nullptr, nullptr, 0,
                                        nullptr, nullptr) == 1);
  return text_of(out.get());
}

// The secret of a PEM file that holds key and certificate of one Ed25519 key.
std::optional<Secret> secret_in(const std::string& pem) {
  const Memory in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const Key key(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  if (!key || EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519) return std::nullopt;
  const Certificate certificate(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
  if (!certificate || X509_check_private_key(certificate.get(), key.get()) != 1)
    return std::nullopt;
  std::array<std::uint8_t, 32> seed{};
  std::size_t size = seed.size();
  if (EVP_PKEY_get_raw_private_key(key.get(), seed.data(), &size) != 1) return std::nullopt;
  return Secret::from(ByteView(seed.data(), size));
}

}  // namespace

NodeIdentity NodeIdentity::from_secret(const Secret& secret) {
  NodeIdentity out;
  out.secret_ = secret;
  out.id_ = *ports::PeerId::from(ed25519_public(secret));
  out.certificate_pem_ = self_signed(secret);
  return out;
}

Result<NodeIdentity, Error> NodeIdentity::load_or_create(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    NodeIdentity fresh = from_secret(Secret::generate());
    TALLY_TRY(write_private_file(file, key_pem(fresh.secret_) + fresh.certificate_pem_, false));
    return fresh;
  }
  const std::string pem = TALLY_TRY(read_private_file(file, kFileBytesMax));
  const auto secret = secret_in(pem);
  if (!secret) {
    return fail_with("node key file " + file.string() +
                     ": expected a PEM Ed25519 private key followed by its certificate, came "
                     "something else; restore the file from a backup, or remove it to start with "
                     "a new node key (peers that name this node by its key must then be told)");
  }
  return from_secret(*secret);
}

}  // namespace tally::network
