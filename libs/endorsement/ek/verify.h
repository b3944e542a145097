#pragma once

#include <optional>
#include <string>
#include <vector>

#include "endorsement/ek/ek_certificate.h"
#include "endorsement/ek/root_store.h"

namespace warifu::endorsement {

// An EK certificate whose path to a root of the operator holds. Only verify() makes one: what it says of the TPM's
// maker and class may be believed as far as that root may.
class VerifiedEkCertificate {
 public:
  const EkCertificate& certificate() const { return certificate_; }
  // The authorities, from the one that signed the EK certificate to the root.
  const std::vector<X509Certificate>& authorities() const { return authorities_; }
  VendorId vendor() const { return vendor_; }
  TpmClass tpm_class() const { return tpm_class_; }
  // Of the certificate and of its path.
  const std::vector<Finding>& findings() const { return findings_; }

 private:
  friend class PathSearch;
  VerifiedEkCertificate(EkCertificate certificate, std::vector<X509Certificate> authorities, VendorId vendor,
                        TpmClass tpm_class, std::vector<Finding> findings)
      : certificate_(std::move(certificate)),
        authorities_(std::move(authorities)),
        vendor_(vendor),
        tpm_class_(tpm_class),
        findings_(std::move(findings)) {}

  EkCertificate certificate_;
  std::vector<X509Certificate> authorities_;
  VendorId vendor_;
  TpmClass tpm_class_;
  std::vector<Finding> findings_;
};

// What an operator has to find when a path ends too early.
struct MissingAuthority {
  std::string name;               // RFC 4514
  std::string key_id;             // hexadecimal, of authorityKeyIdentifier; empty if there is none
  std::vector<std::string> urls;  // where the certificate says that it is
  std::string wanted_by;          // whose issuer it is
};

// Why no path goes on from a certificate: authorities of its issuer's name are there, and none of them signed it, or
// none is there. "endorsement.path.signature" or "endorsement.path.missing-ca".
Error unproven(const X509Certificate& child, bool had_names);

// Without a time validity is not looked at, and the result says so.
using JudgedAt = std::optional<Timestamp>;

// Authorities of one path, the root among them.
inline constexpr std::size_t kPathAuthoritiesMax = 7;

// Looks for a path (RFC 5280 §6): issuers are found by their name, byte for byte, and proved by signatures over the
// bytes that came; key identifiers only decide what is tried first. At most kPathAuthoritiesMax authorities and 64
// signatures are looked at. Signatures over SHA-1 hold, and are a finding. All kRefused: those of
// EkCertificate::check_purpose(); "endorsement.path.missing-ca", with `missing` filled; "endorsement.path.signature"
// when authorities of that name are there and none signed it; "endorsement.path.expired",
// "endorsement.path.not-yet-valid", "endorsement.path.authority" (no CA, no keyCertSign, path length, critical
// extension), "endorsement.path.distrusted", "endorsement.path.revoked", "endorsement.path.vendor",
// "endorsement.path.too-long".
Result<VerifiedEkCertificate> verify(const EkCertificate& certificate, const RootStore& store, JudgedAt at,
                                     std::optional<MissingAuthority>* missing = nullptr);

// Every path that holds within the same bounds, at least one, in the order in which they are found. For who asks
// through whom a certificate leads, which the first path alone does not say where authorities certified each other.
// Errors as verify().
Result<std::vector<VerifiedEkCertificate>> verify_all(const EkCertificate& certificate, const RootStore& store,
                                                      JudgedAt at);

}  // namespace warifu::endorsement
