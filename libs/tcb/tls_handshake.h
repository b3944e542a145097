#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"

namespace warifu::tcb {

// The first half of a TLS 1.3 handshake with a certificate (RFC 8446 §2), ClientHello to the server's
// CertificateVerify, as somebody wrote it: well-formed, and nothing in it believed. Views are into the messages.
struct TlsHandshake {
  struct Extension {
    std::uint16_t type;
    ByteView data;
  };
  std::vector<Extension> client_extensions;  // of the last ClientHello; each type once
  std::vector<ByteView> certificates;        // DER, the server's own first; at least one
  std::uint16_t signature_scheme;
  ByteView signature;
  crypto::Digest transcript;  // of everything before CertificateVerify (§4.4.1)

  // The content of this extension of the last ClientHello.
  std::optional<ByteView> client_extension(std::uint16_t type) const;
};

// `messages`, each with its header of four bytes, must be exactly ClientHello, [HelloRetryRequest, ClientHello,]
// ServerHello, EncryptedExtensions, [CertificateRequest,] Certificate, CertificateVerify, of version 1.3 and without a
// pre-shared key, so that the server did show a certificate and did sign. Codes: "tcb.handshake.order" (a message is
// missing or stands elsewhere), ".version", ".resumed", ".suite", ".form" and those of wire::Reader; `where` is the
// field and its offset in its message.
Result<TlsHandshake> parse_tls_handshake(std::span<const Bytes> messages);

// The same handshake, as far as the client's Certificate: what its CertificateVerify is over. Nothing in it is believed
// either.
struct ClientAuthentication {
  TlsHandshake server;
  std::vector<ByteView> certificates;  // the client's: DER, its own first; at least one
  crypto::Digest transcript;           // of all the messages
};

// `messages` must be exactly those of parse_tls_handshake(), CertificateRequest among them, and then the server's
// Finished and the client's Certificate. The same codes.
Result<ClientAuthentication> parse_client_authentication(std::span<const Bytes> messages);

}  // namespace warifu::tcb
