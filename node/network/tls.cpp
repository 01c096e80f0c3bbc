#include "node/network/tls.hpp"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "primitives/assert.hpp"

namespace tally::network {
namespace {

// A node's certificate is some hundred bytes.
constexpr long kCertificateBytesMax = 4096;

std::optional<ports::PeerId> key_of(X509* certificate) {
  EVP_PKEY* key = certificate ? X509_get0_pubkey(certificate) : nullptr;
  if (!key || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519) return std::nullopt;
  ports::PeerId id;
  std::size_t size = id.bytes.size();
  if (EVP_PKEY_get_raw_public_key(key, id.bytes.data(), &size) != 1 || size != id.bytes.size()) {
    return std::nullopt;
  }
  return id;
}

// Replaces chain building: one certificate with an Ed25519 key. That its holder has the secret key
// is proved by the CertificateVerify message, which OpenSSL checks.
int accept_any_ed25519(X509_STORE_CTX* store, void*) {
  const bool alone = sk_X509_num(X509_STORE_CTX_get0_untrusted(store)) <= 1;
  if (alone && key_of(X509_STORE_CTX_get0_cert(store))) {
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
  }
  X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
  return 0;
}

}  // namespace

boost::asio::ssl::context make_tls_context(const NodeIdentity& identity) {
  namespace ssl = boost::asio::ssl;
  ssl::context context(ssl::context::tls);
  SSL_CTX* native = context.native_handle();
  TALLY_ASSERT(SSL_CTX_set_min_proto_version(native, TLS1_3_VERSION) == 1);
  TALLY_ASSERT(SSL_CTX_set1_sigalgs_list(native, "ed25519") == 1);
  SSL_CTX_set_options(native, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  TALLY_ASSERT(SSL_CTX_set_num_tickets(native, 0) == 1);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_max_cert_list(native, kCertificateBytesMax);
  SSL_CTX_set_verify(native, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(native, accept_any_ed25519, nullptr);

  const std::string& pem = identity.certificate_pem();
  context.use_certificate(boost::asio::buffer(pem), ssl::context::pem);
  EVP_PKEY* key = EVP_PKEY_new_raw_private_key(
      EVP_PKEY_ED25519, nullptr, identity.secret().view().data(), identity.secret().view().size());
  TALLY_ASSERT(key != nullptr && SSL_CTX_use_PrivateKey(native, key) == 1);
  EVP_PKEY_free(key);
  return context;
}

std::optional<ports::PeerId> peer_key(SSL* ssl) {
  X509* certificate = SSL_get1_peer_certificate(ssl);
  const auto key = key_of(certificate);
  X509_free(certificate);
  return key;
}

std::optional<TlsExporter> tls_exporter(SSL* ssl) {
  TlsExporter out{};
  const int ok = SSL_export_keying_material(ssl, out.data(), out.size(), kExporterLabel.data(),
                                            kExporterLabel.size(), nullptr, 0, 0);
  if (ok != 1) return std::nullopt;
  return out;
}

}  // namespace tally::network
