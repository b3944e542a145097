#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"

struct ssl_ctx_st;

namespace warifu::net {

enum class TlsProfile {
  kModern,  // TLS 1.3 only
  // TLS 1.2 too, for devices that have nothing newer: with an ephemeral ECDH key and AEAD, without renegotiation. A TLS
  // 1.2 client shows its certificate to whoever listens on the wire.
  kCompat,
};

struct TlsOptions {
  TlsProfile profile = TlsProfile::kModern;
  // Ask for a client certificate and take any chain, or none: the handshake proves possession of the key and nothing
  // else. Route and enrollment judge the certificate, on every request, also after resumption.
  bool request_client_certificate = false;
  // Sessions kept for resumption, about 5 KiB each with a client certificate. As many as a process has connections.
  std::size_t session_cache_size = 10'000;
};

// A server's certificate and key, ready for handshakes. Cheap to copy: copies share one SSL_CTX and its
// session cache.
class TlsCredentials {
 public:
  // `chain_pem` is the leaf and then its intermediates, without the root; `key_pem` an unencrypted private key.
  // Errors: tls.certificate.pem, tls.certificate.expired, tls.key.pem, tls.key.mismatch.
  static Result<TlsCredentials> make(std::string_view chain_pem, const SecretBytes& key_pem, Timestamp now,
                                     TlsOptions options = {});

  ssl_ctx_st* native() const { return context_.get(); }

 private:
  explicit TlsCredentials(std::shared_ptr<ssl_ctx_st> context) : context_(std::move(context)) {}
  std::shared_ptr<ssl_ctx_st> context_;
};

}  // namespace warifu::net
