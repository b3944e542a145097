#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/ec.h"

// The public areas from which a device makes its keys, each as a TPM2B_PUBLIC for TPM2_CreatePrimary or TPM2_Create.
// A primary key is a function of its template and the hierarchy's seed: one other byte here is another key.
namespace warifu::tpm {

// The endorsement keys of the TCG EK Credential Profile 2.6: low range (B.3), high range (B.4). Not here: H-5 (SM2) and
// H-7 (RSA-4096), which no TPM that we can test has.
enum class EkProfile : std::uint8_t {
  kL1,     // RSA-2048, `unique` of 256 zero bytes: swtpm, tpm2-tools, Windows
  kL1Dps,  // the same with an empty `unique`, as the Azure DPS SDKs in C and Node make it: another key
  kL2,     // ECC P-256
  kH1,     // RSA-2048
  kH2,     // ECC P-256
  kH3,     // ECC P-384
  kH4,     // ECC P-521: PublicArea does not read it
  kH6,     // RSA-3072
};
struct EkProfileInfo {
  EkProfile profile;
  std::string_view name;            // "L-1"
  std::uint32_t certificate_index;  // NV index of the EK certificate (2.2.1.4, 2.2.1.5); 0: none can exist
  crypto::HashAlgorithm name_algorithm;
};
// All of them, in the order above.
std::span<const EkProfileInfo> ek_profiles();
const EkProfileInfo& info_of(EkProfile profile);
Bytes ek_template(EkProfile profile);

// PolicyA of the EK Credential Profile: PolicySecret(TPM_RH_ENDORSEMENT). The policy of the low range, and one of the
// two ways to satisfy PolicyB.
crypto::Digest ek_policy_a(crypto::HashAlgorithm hash);
// PolicyC: PolicyAuthorizeNV of the index I-1 to I-3 (B.5, B.6.4). SHA-256, SHA-384 and SHA-512 only.
crypto::Digest ek_policy_c(crypto::HashAlgorithm hash);
// PolicyB: PolicyOR(PolicyA, PolicyC). The policy of the high range.
crypto::Digest ek_policy_b(crypto::HashAlgorithm hash);

// Where an EK is when it is persistent (TCG Registry of Reserved TPM 2.0 Handles and Localities; swtpm and Windows).
inline constexpr std::uint32_t kEkHandle = 0x81010001;
inline constexpr std::uint32_t kSrkHandle = 0x81000001;

// Storage Root Keys, for the owner hierarchy. RSA-2048 with an empty `unique`, as the Azure DPS SDKs make it.
Bytes srk_rsa_template();
// ECC P-256 of the TCG TPM v2.0 Provisioning Guidance 1.0, 7.5.1.
Bytes srk_ecc_template();
// The same two by the rule of 7.5.1 (an EK's template with other attributes and no policy) from H-6 and H-3: with
// SHA-384 and AES-256.
Bytes srk_rsa_3072_template();
Bytes srk_ecc_p384_template();

// TCG "TPM 2.0 Keys for Device Identity and Attestation" 1.00 revision 12, 7.3.4: templates H-1, H-2 and H-3.
enum class IdentityAlgorithm : std::uint8_t { kRsa2048, kEccP256, kEccP384 };
// Initial Device Identity: primary of the endorsement hierarchy that signs anything (IEEE 802.1AR).
Bytes idevid_template(IdentityAlgorithm algorithm);
// Initial Attestation Key: the same, restricted to what the TPM itself made.
Bytes iak_template(IdentityAlgorithm algorithm);

// The attestation key that a device shows to its own server: restricted like the IAK, and like it a primary of the
// endorsement hierarchy, so that it outlives TPM2_Clear and its quotes show the true counters. Not the IAK itself: that
// one's policy (7.3.6) lets nobody but its manufacturer's procedure use it in TPM2_ActivateCredential, whose ADMIN role
// is by policy alone (adminWithPolicy), so it cannot be bound to the EK as a server without its certificate must.
// ECC P-256 or RSA-2048 (RSASSA), with SHA-256, an empty auth value, noDA.
Bytes primary_ak_template(IdentityAlgorithm algorithm);

// The primary of the NULL hierarchy that Linux makes at boot to know the TPM again: /sys/class/tpm/tpm0/null_name is
// its Name (drivers/char/tpm/tpm2-sessions.c since 6.10, tpm2_create_primary() with TPM2_OA_NULL_KEY: ECC, SHA-256,
// noDA | fixedTPM | fixedParent | sensitiveDataOrigin | userWithAuth | decrypt | restricted, no policy, AES-128-CFB, no
// scheme, P-256, no KDF, two empty coordinates: the SRK template H of the Provisioning Guidance).
Bytes null_primary_template();

// Keys under the SRK: ECDSA P-256 with SHA-256, fixedTPM, noDA (a power cut must not lock a device out).
// Local Device Identity: signs anything.
Bytes ldevid_template();
// Attestation Key: restricted.
Bytes ak_template();
// A key of the organisation in its server's TPM: as the LDevID, and with P-384 also by SHA-384.
Bytes organisation_key_template(crypto::EcCurve curve);

}  // namespace warifu::tpm
