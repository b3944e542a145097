#pragma once

#include <optional>
#include <utility>

#include "attestation/quote/ak_public.h"
#include "base/bytes.h"
#include "base/result.h"
#include "crypto/public_key.h"
#include "tpm_types/attest.h"
#include "tpm_types/public_area.h"

// How a device proves that a key is its TPM's, so that the owner may certify it (TCG "TPM 2.0 Keys for Device Identity
// and Attestation" 1.00, 3.3 and 5): the AK, which is known to be that TPM's, attests the key.
namespace warifu::attestation {

// How the AK attested the key.
enum class KeyEvidence : std::uint8_t {
  kCertify,   // TPM2_Certify: the TPM has it loaded
  kCreation,  // TPM2_CertifyCreation: the TPM made it itself, as `creation_data` says
};

struct KeyProof {
  KeyEvidence kind = KeyEvidence::kCertify;
  Bytes public_area;         // TPM2B_PUBLIC
  Bytes attest;              // TPMS_ATTEST
  Bytes signature;           // TPMT_SIGNATURE
  Bytes creation_data = {};  // TPMS_CREATION_DATA, of kCreation
};

// A signing key that cannot leave the TPM of the AK that attested it. check_key_proof() alone makes one.
class ProvenKey {
 public:
  const tpm::PublicArea& area() const { return area_; }
  const crypto::PublicKey& public_key() const { return public_key_; }
  // What the TPM says of how it made it; none of kCertify.
  const std::optional<tpm::CreationData>& creation() const { return creation_; }

 private:
  friend Result<ProvenKey> check_key_proof(const KeyProof&, const AkPublic&, ByteView);
  ProvenKey(tpm::PublicArea area, crypto::PublicKey key, std::optional<tpm::CreationData> creation)
      : area_(std::move(area)), public_key_(std::move(key)), creation_(std::move(creation)) {}

  tpm::PublicArea area_;
  crypto::PublicKey public_key_;
  std::optional<tpm::CreationData> creation_;
};

// The key of a proof that this AK made over these `extra_data`, all of them. The key: fixedTPM, fixedParent,
// sensitiveDataOrigin and sign are set; restricted and decrypt are clear (Part 2, 8.3), since a restricted key signs no
// TLS handshake, and one that decrypts is for something else; ECC on P-256 or P-384, or RSA of 2048 bits and more with
// an exponent of 65537 and more. Codes, kRefused: "key-proof.nonce" (over other data), "key-proof.key" (another key was
// attested than came), "key-proof.creation" (other creation data), "key-proof.attributes", "key-proof.kind",
// "key-proof.roca", "crypto.signature", "quote.scheme". kInvalidInput: those of tpm::CertifyAttest, CreationAttest,
// CreationData, Signature, PublicArea and of the key's numbers.
Result<ProvenKey> check_key_proof(const KeyProof& proof, const AkPublic& ak, ByteView extra_data);

// True when the key is what TCG's template for an IDevID makes (7.3.4 there), as a primary of the endorsement
// hierarchy, which comes back after TPM2_Clear: the TPM says so of its creation.
bool is_idevid(const ProvenKey& key);

}  // namespace warifu::attestation
