#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "tcb/tls_handshake.h"

// The single messages of a handshake (RFC 8446 §4), without their headers. For tls_handshake.cpp.
namespace warifu::tcb::tls {

enum class MessageType : std::uint8_t {
  kClientHello = 1,
  kServerHello = 2,  // a HelloRetryRequest too
  kEncryptedExtensions = 8,
  kCertificate = 11,
  kCertificateRequest = 13,
  kCertificateVerify = 15,
  kFinished = 20,
};

using Extensions = std::vector<TlsHandshake::Extension>;

struct ClientHello {
  ByteView session_id;
  std::vector<std::uint16_t> cipher_suites;
  Extensions extensions;
};
struct ServerHello {
  bool is_retry_request;
  ByteView session_id;
  std::uint16_t cipher_suite;
};
struct CertificateVerify {
  std::uint16_t scheme;
  ByteView signature;
};

Result<ClientHello> parse_client_hello(ByteView body);
// Refuses every version but 1.3, and a selected pre-shared key.
Result<ServerHello> parse_server_hello(ByteView body);
Status parse_encrypted_extensions(ByteView body);
Status parse_certificate_request(ByteView body);
Result<std::vector<ByteView>> parse_certificate(ByteView body);
Result<CertificateVerify> parse_certificate_verify(ByteView body);
// Its content is an HMAC by keys that whoever shook hands has.
Status parse_finished(ByteView body, std::size_t hash_size);

}  // namespace warifu::tcb::tls
