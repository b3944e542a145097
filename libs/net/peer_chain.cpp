#include "net/peer_chain.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <new>
#include <optional>

namespace warifu::net {
namespace {

using Chain = std::shared_ptr<const std::vector<Bytes>>;

void free_chain(void*, void* chain, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Chain*>(chain);
}

// TLS 1.3 gives each ticket a copy of the session: they share the chain.
int copy_chain(CRYPTO_EX_DATA*, const CRYPTO_EX_DATA*, void** slot, int, long, void*) {
  auto** chain = reinterpret_cast<Chain**>(slot);
  if (*chain == nullptr) return 1;
  *chain = new (std::nothrow) Chain(**chain);
  return *chain == nullptr ? 0 : 1;
}

// -1 if OpenSSL has no memory.
int session_slot() {
  static const int slot = SSL_SESSION_get_ex_new_index(0, nullptr, nullptr, copy_chain, free_chain);
  return slot;
}

std::optional<Bytes> der_of(const X509* certificate) {
  const int size = i2d_X509(certificate, nullptr);
  if (size <= 0) return std::nullopt;
  Bytes der(static_cast<std::size_t>(size));
  std::uint8_t* out = der.data();
  i2d_X509(certificate, &out);
  return der;
}

bool keep_with(SSL_SESSION* session, std::vector<Bytes> chain) {
  auto kept = std::make_unique<Chain>(std::make_shared<const std::vector<Bytes>>(std::move(chain)));
  if (SSL_SESSION_set_ex_data(session, session_slot(), kept.get()) != 1) return false;
  kept.release();  // NOLINT(bugprone-unused-return-value): the session owns it now
  return true;
}

// Called in place of X509_verify_cert, in the middle of the handshake: nobody else knows the session yet.
int take_chain(X509_STORE_CTX* verification, void*) {
  const auto* ssl =
      static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx()));
  STACK_OF(X509)* sent = X509_STORE_CTX_get0_untrusted(verification);
  std::vector<Bytes> chain;
  for (int i = 0; i < sk_X509_num(sent); ++i) {
    auto der = der_of(sk_X509_value(sent, i));
    if (!der) return 0;
    chain.push_back(*std::move(der));
  }
  while (sk_X509_num(sent) > 1)
    X509_free(sk_X509_pop(sent));
  return keep_with(SSL_get_session(ssl), std::move(chain)) ? 1 : 0;
}

}  // namespace

bool keep_any_peer_chain(SSL_CTX* context) {
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  // We have no roots here, and building a chain to ignore it is a quarter of the handshake. OpenSSL still checks
  // CertificateVerify, so that possession of the key is proved. Resumption carries the certificate over without asking
  // again.
  SSL_CTX_set_cert_verify_callback(context, take_chain, nullptr);
  return session_slot() >= 0;
}

Chain peer_chain_of(const SSL* ssl) {
  const SSL_SESSION* session = SSL_get_session(ssl);
  const void* chain = session == nullptr ? nullptr : SSL_SESSION_get_ex_data(session, session_slot());
  return chain == nullptr ? nullptr : *static_cast<const Chain*>(chain);
}

}  // namespace warifu::net
