#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/certificate.h"
#include "crypto/certificate_path.h"
#include "trust_bundle/trusted_bundle.h"

namespace warifu::tcb {

struct TlsHandshake;  // tls_handshake.h

// Whom the device believes: the organisation's root, until it has a trust bundle, and what its server is called (DNS
// name or IP address).
struct Trust {
  crypto::Certificate root;
  std::string server_name;
};

// What makes a handshake ours and fresh. Public; used once.
using ServerNonce = std::array<std::uint8_t, 32>;

// The extension of the ClientHello that carries the nonce: from the range for private use (RFC 8446 §11).
inline constexpr std::uint16_t kNonceExtension = 0xFF57;

// The server at the other end of a connection, proved by verify_server() and by nothing else.
class VerifiedServer {
 public:
  const std::string& name() const { return name_; }
  // When its certificate began: the organisation says that it is later than this.
  Timestamp certificate_not_before() const { return not_before_; }

 private:
  friend Result<VerifiedServer> verify_server(const TlsHandshake&, const ServerNonce&, const Trust&,
                                              const std::optional<trust_bundle::TrustedBundle>&, crypto::PathTime);
  VerifiedServer(std::string name, Timestamp not_before) : name_(std::move(name)), not_before_(not_before) {}

  std::string name_;
  Timestamp not_before_;
};

// Looks at the handshake of a connection, as the agent recorded it (docs/protocols/server-identity.md): the server that
// this trust names signed it (RFC 8446 §4.4.3), and it was begun with this nonce. With a bundle its certificate must be
// of the bundle's role of servers (server_role.h); the pinned root counts no more. Codes: those of
// parse_tls_handshake(), verify_certificate_path() and verify_server_role(), "tcb.handshake.nonce",
// "crypto.tls.scheme", "crypto.signature".
Result<VerifiedServer> verify_server(std::span<const Bytes> handshake, const ServerNonce& nonce, const Trust& trust,
                                     const std::optional<trust_bundle::TrustedBundle>& bundle, crypto::PathTime time);
Result<VerifiedServer> verify_server(const TlsHandshake& handshake, const ServerNonce& nonce, const Trust& trust,
                                     const std::optional<trust_bundle::TrustedBundle>& bundle, crypto::PathTime time);

}  // namespace warifu::tcb
