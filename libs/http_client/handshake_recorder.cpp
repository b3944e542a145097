#include "http_client/handshake_recorder.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "crypto/certificate.h"

namespace warifu::http_client {
namespace {

constexpr std::uint8_t kCertificateVerify = 15;  // RFC 8446 §4

int add_nonce(SSL*, unsigned, unsigned, const unsigned char** out, std::size_t* size, X509*, std::size_t, int*,
              void* recorder) {
  const ByteView nonce = static_cast<const HandshakeRecorder*>(recorder)->nonce();
  *out = nonce.data();
  *size = nonce.size();
  return 1;
}

void on_message(int sent, int, int content_type, const void* data, std::size_t size, SSL*, void* recorder) {
  if (content_type != SSL3_RT_HANDSHAKE) return;
  static_cast<HandshakeRecorder*>(recorder)->record(sent != 0, {static_cast<const std::uint8_t*>(data), size});
}

}  // namespace

Result<TrustedRoot> TrustedRoot::of(const std::vector<Bytes>& roots) {
  std::shared_ptr<X509_STORE> store(X509_STORE_new(), X509_STORE_free);
  const Error full{ErrorKind::kUnavailable, "server.root", "libssl takes no root certificate: out of memory"};
  if (!store) return full;
  for (const Bytes& der : roots) {
    TRY(const auto certificate, crypto::Certificate::from_der(der));
    if (X509_STORE_add_cert(store.get(), certificate.native()) != 1) return full;
  }
  // The device's clock may be wrong: the TCB judges the times, with what it knows of earlier ones.
  X509_STORE_set_flags(store.get(), X509_V_FLAG_NO_CHECK_TIME);
  return TrustedRoot(std::move(store));
}

Result<TrustedRoot> TrustedRoot::from_pem(std::string_view pem) {
  TRY(const auto certificate, crypto::Certificate::from_pem(pem));
  TRY(auto root, of({certificate.to_der()}));
  root.first_ = certificate.to_der();
  return root;
}

Result<TrustedRoot> TrustedRoot::and_also(const std::vector<Bytes>& roots) const {
  std::vector<Bytes> all = roots;
  all.push_back(first_);
  TRY(auto together, of(all));
  together.first_ = first_;
  return together;
}

bool HandshakeRecorder::attach(ssl_ctx_st* context, const TrustedRoot& root, Bytes nonce) {
  nonce_ = std::move(nonce);
  messages_.clear();
  recorded_ = 0;
  server_half_ = 0;
  ended_ = false;
  SSL_CTX_set1_cert_store(context, root.native());
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
#ifdef SSL_OP_NO_RX_CERTIFICATE_COMPRESSION  // from OpenSSL 3.2 on: the TCB reads Certificate, not its compressed form
  SSL_CTX_set_options(context, SSL_OP_NO_RX_CERTIFICATE_COMPRESSION);
#endif
  // libcurl writes the session's keys to the file that SSLKEYLOGFILE names.
  SSL_CTX_set_keylog_callback(context, nullptr);
  SSL_CTX_set_msg_callback(context, on_message);
  SSL_CTX_set_msg_callback_arg(context, this);
  return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
         SSL_CTX_add_custom_ext(context, kNonceExtension, SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_ONLY, add_nonce,
                                nullptr, this, nullptr, nullptr) == 1;
}

std::vector<Bytes> HandshakeRecorder::server_half() const {
  if (recorded_ > kRecordedMax) return {};
  return {messages_.begin(), messages_.begin() + static_cast<std::ptrdiff_t>(server_half_)};
}

std::vector<Bytes> HandshakeRecorder::so_far() const {
  return recorded_ > kRecordedMax ? std::vector<Bytes>() : messages_;
}

void HandshakeRecorder::end() {
  ended_ = true;
  messages_ = {};
  server_half_ = 0;
}

void HandshakeRecorder::record(bool sent, ByteView message) {
  if (ended_ || message.empty() || recorded_ > kRecordedMax) return;
  recorded_ += message.size();
  // One message too many counts as too much.
  if (messages_.size() == kMessagesMax) recorded_ = kRecordedMax + 1;
  if (recorded_ > kRecordedMax) {
    messages_ = {};
    return;
  }
  if (message.front() == kCertificateVerify && sent) {
    ended_ = true;
    return;
  }
  messages_.push_back(to_bytes(message));
  if (message.front() == kCertificateVerify) server_half_ = messages_.size();
}

}  // namespace warifu::http_client
