#include "client-sdk/task/certificate.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <memory>

#include "primitives/crypto/hash.hpp"

namespace tally::task {

namespace {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using KeyHandle = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using CertificateHandle = std::unique_ptr<X509, Freer<X509_free>>;
using BioHandle = std::unique_ptr<BIO, Freer<BIO_free_all>>;

constexpr long kValidFor = 10L * 365 * 24 * 3600;
// A clock that is a day slow must not make a fresh certificate invalid.
constexpr long kValidSince = -24L * 3600;

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

Failure<Error> openssl_failed() {
  return fail_with("cannot make a TLS certificate: OpenSSL failed");
}

bool fill(X509* certificate, EVP_PKEY* key) {
  std::uint8_t serial[8];
  if (RAND_bytes(serial, sizeof(serial)) != 1) return false;
  std::uint64_t number = 0;
  std::memcpy(&number, serial, sizeof(number));
  X509_NAME* const name = X509_get_subject_name(certificate);
  const auto* const common = reinterpret_cast<const unsigned char*>(kCertificateName.data());
  return X509_set_version(certificate, 2) == 1 &&
         ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), number >> 1) == 1 &&
         X509_gmtime_adj(X509_getm_notBefore(certificate), kValidSince) != nullptr &&
         X509_gmtime_adj(X509_getm_notAfter(certificate), kValidFor) != nullptr &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common,
                                    static_cast<int>(kCertificateName.size()), -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
         X509_sign(certificate, key, nullptr) > 0;
}

}  // namespace

Result<TlsIdentity, Error> make_tls_identity() {
  const KeyHandle key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const CertificateHandle certificate(X509_new());
  const BioHandle key_text(BIO_new(BIO_s_mem()));
  const BioHandle certificate_text(BIO_new(BIO_s_mem()));
  if (!key || !certificate || !key_text || !certificate_text ||
      !fill(certificate.get(), key.get()) ||
      PEM_write_bio_PKCS8PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                    nullptr) != 1 ||
      PEM_write_bio_X509(certificate_text.get(), certificate.get()) != 1) {
    return openssl_failed();
  }
  TlsIdentity identity{.key_pem = text_of(key_text.get()),
                       .certificate_pem = text_of(certificate_text.get())};
  identity.leaf = TALLY_TRY(leaf_hash(identity.certificate_pem));
  return identity;
}

Result<LeafHash, Error> leaf_hash(std::string_view pem) {
  const BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) return openssl_failed();
  const CertificateHandle certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!certificate) return fail_with("expected a certificate in PEM, got something else");
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate.get(), &der);
  if (size < 0) return openssl_failed();
  const LeafHash hash = sha256({der, static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return hash;
}

}  // namespace tally::task
