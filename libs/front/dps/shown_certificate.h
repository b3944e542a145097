#pragma once

#include <optional>
#include <vector>

#include "ek_trust/certificate_desk.h"
#include "provisioning/ek_endorsement.h"

namespace warifu::front::dps {

// The EK certificate of a registration, as it came: base64 was read, nothing else. What the TPM of an enrolled device
// has in its NV, however odd, keeps no device out that needs none.
struct ShownCertificate {
  Bytes certificate;
  std::vector<Bytes> intermediates;
};

// The certificate of that EK, read. Codes of ek_trust::CertifiedEk::make(), parse_intermediates() and
// EkCertificate::parse().
Result<ek_trust::CertifiedEk> parse_shown(const tpm::EkPublic& ek, const ShownCertificate& shown);

// Where provisioning and ek_trust meet: answers for a shown certificate by what operators imported.
class ShownEndorsements final : public provisioning::EkEndorsements {
 public:
  // All outlive it.
  ShownEndorsements(const ek_trust::CertificateDesk& desk, ek_trust::RecordsView& records,
                    const std::optional<ShownCertificate>& shown)
      : desk_(desk), records_(records), shown_(shown) {}

  // A certificate that cannot be read, or is of another EK, vouches for nothing.
  Result<std::optional<provisioning::EkEndorsement>> find(const ScopeId& scope, const tpm::EkPublic& ek) override;

  // What vouched; nullopt if nothing was asked or nothing did.
  std::optional<ek_trust::CertifiedEk> take_certified() { return std::move(certified_); }

 private:
  const ek_trust::CertificateDesk& desk_;
  ek_trust::RecordsView& records_;
  const std::optional<ShownCertificate>& shown_;
  std::optional<ek_trust::CertifiedEk> certified_;
};

// Answers for the certificate that was kept when the device opened its operation: a poll shows none.
class KeptEndorsements final : public provisioning::EkEndorsements {
 public:
  // Both outlive it.
  KeptEndorsements(const ek_trust::CertificateDesk& desk, ek_trust::RecordsView& records)
      : desk_(desk), records_(records) {}

  Result<std::optional<provisioning::EkEndorsement>> find(const ScopeId& scope, const tpm::EkPublic& ek) override;

 private:
  const ek_trust::CertificateDesk& desk_;
  ek_trust::RecordsView& records_;
};

}  // namespace warifu::front::dps
