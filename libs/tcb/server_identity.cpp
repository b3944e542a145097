#include "tcb/server_identity.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "crypto/tls_signature.h"
#include "tcb/handshake_content.h"
#include "tcb/server_role.h"
#include "tcb/tls_handshake.h"

namespace warifu::tcb {
namespace {

// The text keeps this signature apart from a client's, and from every other use of the key.
constexpr std::string_view kContext = "TLS 1.3, server CertificateVerify";

Status check_nonce(const TlsHandshake& handshake, const ServerNonce& nonce) {
  const auto sent = handshake.client_extension(kNonceExtension);
  if (sent && std::ranges::equal(*sent, nonce)) return {};
  return Error{ErrorKind::kRefused, "tcb.handshake.nonce",
               sent ? "the handshake carries another nonce: it is not the one that was asked for"
                    : "the ClientHello carries no nonce",
               fmt::format("extension {:#06x}", kNonceExtension)};
}

Result<std::vector<crypto::Certificate>> parse_certificates(const std::vector<ByteView>& ders) {
  std::vector<crypto::Certificate> certificates;
  for (const ByteView der : ders) {
    TRY(auto certificate, crypto::Certificate::from_der(der));
    certificates.push_back(std::move(certificate));
  }
  return certificates;
}

}  // namespace

Result<VerifiedServer> verify_server(std::span<const Bytes> handshake, const ServerNonce& nonce, const Trust& trust,
                                     const std::optional<trust_bundle::TrustedBundle>& bundle, crypto::PathTime time) {
  TRY(const auto parsed, parse_tls_handshake(handshake));
  return verify_server(parsed, nonce, trust, bundle, time);
}

Result<VerifiedServer> verify_server(const TlsHandshake& handshake, const ServerNonce& nonce, const Trust& trust,
                                     const std::optional<trust_bundle::TrustedBundle>& bundle, crypto::PathTime time) {
  TRY_STATUS(check_nonce(handshake, nonce));
  TRY(const auto path, parse_certificates(handshake.certificates));
  const crypto::ServerUse use{trust.server_name};
  TRY_STATUS(bundle ? verify_server_role(path, *bundle, use, time)
                    : crypto::verify_certificate_path(path, trust.root, use, time));
  TRY(const auto scheme, crypto::signature_scheme(handshake.signature_scheme));
  TRY(const auto key, path.front().public_key());
  TRY_STATUS(crypto::verify_tls_signature(key, scheme, handshake_content(kContext, handshake.transcript),
                                          handshake.signature));
  return VerifiedServer(trust.server_name, path.front().not_before());
}

}  // namespace warifu::tcb
