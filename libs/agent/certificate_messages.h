#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "tcb_protocol/messages.h"

// The bodies of docs/protocols/device-certificates.md from the device's side. What the server says is bounded and
// checked: kRefused "server.reply", `where` is the field.
namespace warifu::agent {

enum class CertificateKind : std::uint8_t { kLDevId, kIDevId };
std::string_view to_string(CertificateKind kind);  // "ldevid", "idevid"

// The nonce, at most 64 bytes.
Result<Bytes> parse_certificate_nonce(std::string_view body);

struct CertificateRequest {
  CertificateKind kind;
  const Bytes& nonce;
  const tcb_protocol::ProveKey::Answer& proof;
};
std::string certificate_request_body(const CertificateRequest& request);

// A certificate as the server sees it.
struct CertificateStanding {
  std::string serial = {};  // hexadecimal, lower-case
  std::string state = {};   // "active", "inactive", a word of the server's
  Timestamp not_after = {};
  Timestamp renew_after = {};
};
struct IssuedCertificate {
  CertificateStanding standing;
  std::vector<Bytes> chain;  // DER, the certificate first, without the root
};
Result<IssuedCertificate> parse_issued_certificate(std::string_view body);
// GET /api/v1/device/self
Result<CertificateStanding> parse_certificate_standing(std::string_view body);

}  // namespace warifu::agent
