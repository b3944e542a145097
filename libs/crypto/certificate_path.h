#pragma once

#include <span>
#include <string>
#include <variant>

#include "base/result.h"
#include "base/time.h"
#include "crypto/certificate.h"

namespace warifu::crypto {

// A TLS server that answers to this DNS name or IP address (RFC 9525: subjectAltName only), with serverAuth.
struct ServerUse {
  std::string name;
};
// Encryption to the leaf's key (keyUsage keyAgreement, RFC 5753 §7) for what this extended key usage, a dotted OID,
// stands for.
struct ExtendedKeyUse {
  std::string oid;
};
// A TLS client: what its keyUsage and extendedKeyUsage say, if they say anything, allows clientAuth. The root may be an
// intermediate that is trusted by itself. Devices were made by many hands: what RFC 5280 asks of a certificate beyond
// the path (key identifiers, explicit usages) is not held against them.
struct ClientUse {};
using CertificateUse = std::variant<ServerUse, ExtendedKeyUse, ClientUse>;

// The moment at which every certificate of a path must be valid.
struct PathTime {
  Timestamp now;
  // False: the clock is known to be behind, so a certificate may begin later than it says.
  bool check_not_before = true;
};

// Says that `path` (RFC 5280 §6: the leaf first, then whatever leads up, in any order, the root with or without) leads
// to `root` and to nothing else, and that the leaf, which is no CA, may be used for this and (but for clients) says so
// explicitly. Keys:
// EC P-256 and P-384, RSA of 2048 to 4096 bits; signatures over SHA-256, SHA-384 or SHA-512. Codes, all kRefused:
// "crypto.path.issuer", "crypto.path.expired", "crypto.path.not-yet-valid", "crypto.path.purpose", "crypto.path.name",
// "crypto.path.weak", "crypto.path.invalid" for what else is wrong with it.
Status verify_certificate_path(std::span<const Certificate> path, const Certificate& root, const CertificateUse& use,
                               PathTime time);

}  // namespace warifu::crypto
