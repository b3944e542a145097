#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "device_ca/desk.h"
#include "front/http/shown_certificates.h"
#include "front/revocation/standings.h"

namespace warifu::front::revocation {

// Judges certificates of our own issuer by what this node knows in memory. The database is asked about one that is
// refused, and about all while the node knows nothing reliable. The objects that it is given outlive it.
class CertificateGate final : public ShownCertificates {
 public:
  CertificateGate(const Standings& standings, const device_ca::Desk& desk, store::Store& store, const Clock& clock)
      : standings_(standings), desk_(desk), store_(store), clock_(clock) {}

  // The issuer of ours. While there is none, every certificate is looked for among ours.
  void set_issuer(const std::optional<crypto::Certificate>& issuer);

  Status check(ByteView leaf, bool passes_over_lapsed) const override;

 private:
  bool is_foreign(ByteView issuer) const;
  Status look_up(ByteView leaf, bool passes_over_lapsed) const;

  const Standings& standings_;
  const device_ca::Desk& desk_;
  store::Store& store_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  Bytes issuer_name_;  // in DER; empty: there is none
};

}  // namespace warifu::front::revocation
