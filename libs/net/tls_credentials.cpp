#include "net/tls_credentials.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <limits>
#include <string>

#include "net/peer_chain.h"

namespace warifu::net {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free>>;
using X509Ptr = std::unique_ptr<X509, Deleter<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;

// A device chain has three certificates of 1 to 2 KiB. OpenSSL's default of 100 KiB is a gift to whoever floods us.
constexpr long kPeerChainBytesMax = 16 * 1024;
// Devices reconnect after an outage of the server or the link, which mostly last less.
constexpr long kSessionSeconds = 2 * 60 * 60;

std::string openssl_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason == nullptr ? "unknown" : reason;
}

BioPtr reader_of(ByteView bytes) {
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return nullptr;
  return BioPtr(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

// OpenSSL would ask on the terminal.
int no_password(char*, int, int, void*) {
  return -1;
}

X509Ptr next_certificate(BIO* reader) {
  return X509Ptr(PEM_read_bio_X509(reader, nullptr, no_password, nullptr));
}

Status use_leaf(SSL_CTX* context, BIO* reader, Timestamp now) {
  const X509Ptr leaf = next_certificate(reader);
  if (leaf == nullptr) return invalid_input("tls.certificate.pem", "expected a PEM certificate: " + openssl_reason());
  auto seconds = std::chrono::system_clock::to_time_t(std::chrono::time_point_cast<std::chrono::seconds>(now));
  if (X509_cmp_time(X509_get0_notAfter(leaf.get()), &seconds) < 0)
    return invalid_input("tls.certificate.expired", "expected a certificate that is valid after " + to_rfc3339(now));
  if (SSL_CTX_use_certificate(context, leaf.get()) != 1)
    return invalid_input("tls.certificate.pem", "the certificate cannot be used for TLS: " + openssl_reason());
  return {};
}

Status use_intermediates(SSL_CTX* context, BIO* reader) {
  while (X509Ptr certificate = next_certificate(reader)) {
    if (SSL_CTX_add1_chain_cert(context, certificate.get()) != 1)
      return invalid_input("tls.certificate.pem", "an intermediate cannot be used for TLS: " + openssl_reason());
  }
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
    return invalid_input("tls.certificate.pem", "expected PEM certificates only: " + openssl_reason());
  ERR_clear_error();
  return {};
}

Status use_key(SSL_CTX* context, const SecretBytes& key_pem) {
  const BioPtr reader = reader_of(key_pem.reveal());
  const KeyPtr key(reader == nullptr ? nullptr : PEM_read_bio_PrivateKey(reader.get(), nullptr, no_password, nullptr));
  if (key == nullptr)
    return invalid_input("tls.key.pem", "expected an unencrypted PEM private key: " + openssl_reason());
  if (X509_check_private_key(SSL_CTX_get0_certificate(context), key.get()) != 1)
    return invalid_input("tls.key.mismatch", "the private key is not that of the certificate: " + openssl_reason());
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1)
    return invalid_input("tls.key.pem", "the private key cannot be used for TLS: " + openssl_reason());
  return {};
}

// What TLS 1.2 may use: an ephemeral key, and encryption that authenticates (RFC 9325 §4.2).
constexpr char kCompatCiphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

bool set_protocol(SSL_CTX* context, TlsProfile profile) {
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Buffers only while there is something in them; a long response record by record, so that others get their turn.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
  SSL_CTX_set_read_ahead(context, 1);  // the header of a record and its body in one call of the kernel
  SSL_CTX_set_max_cert_list(context, kPeerChainBytesMax);
  const int oldest = profile == TlsProfile::kCompat ? TLS1_2_VERSION : TLS1_3_VERSION;
  return SSL_CTX_set_min_proto_version(context, oldest) == 1 && SSL_CTX_set_cipher_list(context, kCompatCiphers) == 1;
}

// Stateful resumption costs a quarter of a handshake with a client certificate; a stateless ticket would carry the
// certificate and cost three quarters (openssl 3.0, measured). In TLS 1.3 OpenSSL would give everybody a ticket: a
// TlsStream gives one to those who gain by it.
bool set_resumption(SSL_CTX* context, std::size_t cache_size) {
  constexpr unsigned char kSessionIdContext[] = "warifu";  // required with SSL_VERIFY_PEER
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  // A session that is too old is not resumed, and makes room when the cache is full: looking through all of them every
  // 255 connections would cost each of these 3 %, and the one that does it a pause.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_AUTO_CLEAR);
  SSL_CTX_sess_set_cache_size(context, static_cast<long>(cache_size));
  SSL_CTX_set_timeout(context, kSessionSeconds);
  return SSL_CTX_set_num_tickets(context, 0) == 1 &&
         SSL_CTX_set_session_id_context(context, kSessionIdContext, sizeof(kSessionIdContext)) == 1;
}

}  // namespace

Result<TlsCredentials> TlsCredentials::make(std::string_view chain_pem, const SecretBytes& key_pem, Timestamp now,
                                            TlsOptions options) {
  ERR_clear_error();
  const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (context == nullptr || !set_protocol(context.get(), options.profile) ||
      !set_resumption(context.get(), options.session_cache_size) ||
      (options.request_client_certificate && !keep_any_peer_chain(context.get())))
    return Error{ErrorKind::kInternal, "tls.context", "OpenSSL refused our settings: " + openssl_reason()};

  const BioPtr reader = reader_of(as_bytes(chain_pem));
  if (reader == nullptr) return invalid_input("tls.certificate.pem", "expected PEM certificates of less than 2 GiB");
  TRY_STATUS(use_leaf(context.get(), reader.get(), now));
  TRY_STATUS(use_intermediates(context.get(), reader.get()));
  TRY_STATUS(use_key(context.get(), key_pem));
  return TlsCredentials(context);
}

}  // namespace warifu::net
