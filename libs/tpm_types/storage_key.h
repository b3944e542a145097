#pragma once

#include <string>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/ec.h"
#include "crypto/rsa.h"
#include "tpm_types/public_area.h"

namespace warifu::tpm {

using AsymmetricKey = std::variant<crypto::RsaPublicKey, crypto::EcPublicKey>;

// What it takes to protect something for a storage key (Part 1, "Protected Storage"): the key, the hash of its Name,
// and the AES key size of its own symmetric algorithm.
struct Protector {
  AsymmetricKey key;
  crypto::HashAlgorithm hash;
  std::uint16_t aes_bits;
};

// An Endorsement Key: a restricted decryption key that never leaves its TPM (TCG EK Credential Profile, B.3, B.4).
// RSA-2048 or RSA-3072 with exponent 65537, or ECC on P-256 or P-384. Two are equal when their TPMT_PUBLIC is.
// Codes: those of PublicArea, and "tpm.ek.<field>".
class EkPublic {
 public:
  static Result<EkPublic> from_tpm2b(ByteView bytes);
  static Result<EkPublic> from_any(ByteView bytes);
  static Result<EkPublic> from_public_area(PublicArea area);

  const PublicArea& area() const { return area_; }
  ByteView tpm2b() const { return area_.tpm2b(); }
  Name name() const { return area_.name(); }
  const Protector& protector() const { return protector_; }

  friend bool operator==(const EkPublic& a, const EkPublic& b) { return a.area_ == b.area_; }

 private:
  EkPublic(PublicArea area, Protector protector) : area_(std::move(area)), protector_(std::move(protector)) {}

  PublicArea area_;
  Protector protector_;
};

// A Storage Root Key that may become the parent of what we send: a restricted decryption key with fixedTPM,
// fixedParent, sensitiveDataOrigin and an empty policy, of the same types and sizes as an EK (TCG TPM v2.0 Provisioning
// Guidance, 7.5.1: an EK's template with other attributes). That these attributes are true, and that it is in the EK's
// TPM, is proved only when the device activates a credential bound to its Name. Codes: those of PublicArea, and
// "tpm.srk.<field>".
class SrkPublic {
 public:
  static Result<SrkPublic> from_tpm2b(ByteView bytes);
  static Result<SrkPublic> from_public_area(PublicArea area);

  const PublicArea& area() const { return area_; }
  ByteView tpm2b() const { return area_.tpm2b(); }
  Name name() const { return area_.name(); }
  const Protector& protector() const { return protector_; }

  friend bool operator==(const SrkPublic& a, const SrkPublic& b) { return a.area_ == b.area_; }

 private:
  SrkPublic(PublicArea area, Protector protector) : area_(std::move(area)), protector_(std::move(protector)) {}

  PublicArea area_;
  Protector protector_;
};

// The registration ID that the Azure SDKs give a TPM device without one: lower-case base32, unpadded, of the SHA-256 of
// the EK's TPM2B_PUBLIC.
std::string default_registration_id(const EkPublic& ek);

}  // namespace warifu::tpm
