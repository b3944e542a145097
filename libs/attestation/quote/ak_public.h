#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "crypto/public_key.h"
#include "crypto/signature_verifier.h"
#include "tpm_types/public_area.h"
#include "tpm_types/signature.h"

namespace warifu::attestation {

enum class Sha1Use : std::uint8_t { kRefused, kAllowed };

// What an AK's public area fixes: with what it signs, and its Name.
struct AkIdentity {
  tpm::PublicArea area;
  tpm::Name name;
  tpm::Scheme scheme;
};

// An attestation key, ready to verify: an RSA key of 2048 to 4096 bits, or ECC on P-256 or P-384. Copies share the key.
class AkPublic {
 public:
  // Of a TPMT_PUBLIC or TPM2B_PUBLIC. Only a restricted signing key of the TPM itself cannot sign a forged TPMS_ATTEST:
  // restricted, sign, fixedTPM, fixedParent and sensitiveDataOrigin are set, decrypt is clear (Part 2, 8.3). Codes, all
  // kRefused, beside those of PublicArea: "ak.attributes", "ak.kind", "ak.scheme", "ak.sha1" (as scheme or nameAlg,
  // without Sha1Use::kAllowed), "ak.key", "ak.roca" (CVE-2017-15361, whoever vouches for it).
  static Result<AkPublic> from_public_area(tpm::PublicArea area, Sha1Use sha1 = Sha1Use::kRefused);
  static Result<AkPublic> from_tpm_public(ByteView bytes, Sha1Use sha1 = Sha1Use::kRefused);
  // A SubjectPublicKeyInfo, which says nothing about attributes: whoever gives it vouches for them.
  static Result<AkPublic> from_pem(std::string_view pem);
  // TPMT_PUBLIC, TPM2B_PUBLIC, or a SubjectPublicKeyInfo as PEM or DER.
  static Result<AkPublic> from_file(ByteView bytes, Sha1Use sha1 = Sha1Use::kRefused);

  // nullptr: it came as a SubjectPublicKeyInfo.
  const AkIdentity* identity() const { return identity_.get(); }
  bool is_rsa() const { return std::holds_alternative<Rsa>(key_); }
  std::size_t key_bits() const;

  // "quote.scheme" when the key signs otherwise (Q7), "crypto.signature" when it did not sign this.
  Status verify(ByteView message, const tpm::Signature& signature) const;

 private:
  using Rsa = std::shared_ptr<const crypto::RsaVerifier>;
  using Ecdsa = std::shared_ptr<const crypto::EcdsaVerifier>;
  using Key = std::variant<Rsa, Ecdsa>;
  AkPublic(Key key, std::shared_ptr<const AkIdentity> identity)
      : key_(std::move(key)), identity_(std::move(identity)) {}
  static Result<Key> key_of(const tpm::PublicArea& area);
  static Result<AkPublic> from_bare_key(const crypto::PublicKey& spki);
  Status expect_scheme(const tpm::Signature& signature) const;

  Key key_;
  std::shared_ptr<const AkIdentity> identity_;
};

}  // namespace warifu::attestation
