#pragma once

#include <optional>
#include <vector>

#include "endorsement/ek/x509.h"

namespace warifu::endorsement {

inline constexpr std::size_t kMaxRevocationListSize = 16 * 1024 * 1024;

// A CRL (RFC 5280 §5) as it came: parsed and not trusted.
class RevocationList {
 public:
  // DER or one "X509 CRL" in PEM. "endorsement.crl.form", "endorsement.crl.unsupported" for deltas, indirect CRLs and
  // other critical extensions, "wire.*".
  static Result<RevocationList> parse(ByteView content);

  const Name& issuer() const { return issuer_; }
  Timestamp this_update() const { return this_update_; }
  std::optional<Timestamp> next_update() const { return next_update_; }
  std::size_t size() const { return serials_.size(); }
  // It is only of some certificates or reasons (issuingDistributionPoint): who is not on it may be on another.
  bool is_partial() const { return is_partial_; }
  // Its issuingDistributionPoint in DER, which tells one series of lists from another of the same authority; empty
  // without one.
  ByteView distribution_point() const { return distribution_point_; }
  // As it came, without PEM around it.
  ByteView der() const { return der_; }
  bool revokes(ByteView serial) const;
  // True when the key of `authority` made the signature.
  bool signed_by(const X509Certificate& authority) const;

 private:
  RevocationList() = default;
  Status parse_tbs(wire::DerReader tbs, std::string& algorithm);

  Name issuer_;
  Timestamp this_update_;
  std::optional<Timestamp> next_update_;
  std::vector<std::string> serials_;  // as they are encoded, sorted
  bool is_partial_ = false;
  Bytes distribution_point_;
  Bytes der_;
  Bytes tbs_;
  Bytes signature_;
  std::optional<crypto::IssuerSignature> scheme_;
};

}  // namespace warifu::endorsement
