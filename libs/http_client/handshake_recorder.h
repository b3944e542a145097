#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

struct ssl_ctx_st;
struct x509_store_st;

namespace warifu::http_client {

// Private use (RFC 8446 §4.2: what a server does not know, it ignores). docs/formats/tcb-protocol.md
inline constexpr unsigned kNonceExtension = 0xFF57;

// The certificates that a server's chain may end in, and nothing else.
class TrustedRoot {
 public:
  // Exactly one certificate. kInvalidInput "crypto.certificate.form".
  static Result<TrustedRoot> from_pem(std::string_view pem);
  // This one, and those (DER).
  Result<TrustedRoot> and_also(const std::vector<Bytes>& roots) const;

  x509_store_st* native() const { return store_.get(); }

 private:
  explicit TrustedRoot(std::shared_ptr<x509_store_st> store) : store_(std::move(store)) {}
  static Result<TrustedRoot> of(const std::vector<Bytes>& roots);
  Bytes first_;
  std::shared_ptr<x509_store_st> store_;
};

// Puts a nonce into the ClientHello of one connection and records its handshake, up to the client's CertificateVerify
// if it makes one, else its end. Must outlive the SSL_CTX that it was attached to.
class HandshakeRecorder {
 public:
  HandshakeRecorder() = default;
  HandshakeRecorder(const HandshakeRecorder&) = delete;
  HandshakeRecorder& operator=(const HandshakeRecorder&) = delete;

  // Before SSL_new: extension, recording, only `root`, no session that could be resumed. False: libssl refused.
  bool attach(ssl_ctx_st* context, const TrustedRoot& root, Bytes nonce);

  // ClientHello to the server's CertificateVerify; empty when the handshake did not get that far, or was
  // larger than kRecordedMax.
  std::vector<Bytes> server_half() const;
  // All messages so far, under the same limit.
  std::vector<Bytes> so_far() const;
  // The handshake is over: nothing more is recorded, and what was is no longer needed.
  void end();

  // For the callbacks of libssl.
  void record(bool sent, ByteView message);
  ByteView nonce() const { return nonce_; }

 private:
  Bytes nonce_;
  std::vector<Bytes> messages_;
  std::size_t recorded_ = 0;
  std::size_t server_half_ = 0;  // messages; 0: not there yet
  bool ended_ = false;
};

// More than any honest chain; the TCB takes 64 KiB in all.
inline constexpr std::size_t kRecordedMax = 60 * 1024;
inline constexpr std::size_t kMessagesMax = 16;

}  // namespace warifu::http_client
