#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "crypto/certificate.h"
#include "provisioning/claim.h"
#include "provisioning/enrollment.h"

namespace warifu::provisioning {

// A certificate as a device's hub knows it (Azure DPS: certificateInfo).
struct CertificateInfo {
  std::string subject;
  std::string issuer;
  std::string sha1;  // thumbprints in upper-case hexadecimal
  std::string sha256;
  std::string serial;
  Timestamp not_before;
  Timestamp not_after;
  int version = 3;
};
CertificateInfo info_of(const crypto::Certificate& certificate);

// The certificates of enrolled authorities, decoded once: OpenSSL 3.0 takes a tenth of a millisecond for each. Safe to
// call from several threads.
class CertificateCache {
 public:
  static constexpr std::size_t kSizeMax = 1'024;
  Result<std::shared_ptr<const crypto::Certificate>> get(ByteView der);

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const crypto::Certificate>> certificates_;
};

// What a TLS client presented, decoded; the handshake proved that it has the key of the first.
using ClientChain = std::vector<crypto::Certificate>;

// kUnauthenticated "certificate.missing" without a client certificate, "certificate.form" when one is not readable,
// "certificate.name" when the leaf's common name is not the registration ID.
Result<ClientChain> client_chain_of(const Claim& claim);

// The leaf must be the enrolled certificate, byte by byte, and be valid now. kUnauthenticated "certificate.unknown",
// kRefused "certificate.expired", "certificate.not_yet_valid".
Status check_enrolled_certificate(const ClientChain& chain, const CertificatePair& enrolled, Timestamp now);

// The path must lead to an authority of the group (crypto::verify_certificate_path()). kUnauthenticated
// "certificate.unknown" if no authority of the group is named in it; otherwise what is wrong with the path.
Status check_certificate_path(const ClientChain& chain, const CertificatePair& authorities, CertificateCache& cache,
                              Timestamp now);

}  // namespace warifu::provisioning
