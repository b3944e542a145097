#pragma once

#include "base/bytes.h"

namespace warifu::provisioning {

// What a device encrypted to the escrow certificate: a CMS ContentInfo (RFC 5652 §3) whose content is EnvelopedData or
// AuthEnvelopedData (RFC 5083). Only the outer structure was read: this process has no key for what is inside.
class EscrowPackage {
 public:
  // A lockoutAuth with its recipient takes less than 1 KiB.
  static constexpr std::size_t kSizeMax = 6 * 1024;

  // kInvalidInput "escrow.package", with the offset, for what is not exactly one such structure in DER, and
  // "escrow.package.size" for more than kSizeMax bytes.
  static Result<EscrowPackage> parse(Bytes der);

  ByteView der() const { return der_; }
  // SHA-256 of the DER: what tells one package from another.
  Bytes sha256() const;

 private:
  explicit EscrowPackage(Bytes der) : der_(std::move(der)) {}
  Bytes der_;
};

}  // namespace warifu::provisioning
