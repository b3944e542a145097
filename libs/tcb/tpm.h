#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/digest.h"
#include "tcb/anchor_nv.h"

namespace warifu::tcb {

// A key or a sealed value as the TPM hands it out for keeping: nothing but that TPM, with that SRK, can use it.
struct WrappedObject {
  Bytes public_area;   // TPM2B_PUBLIC
  Bytes private_area;  // TPM2B_PRIVATE
};

// What the device shows of itself. Both are public.
struct TpmKeys {
  Bytes ek_public;   // TPM2B_PUBLIC
  Bytes srk_public;  // TPM2B_PUBLIC
};

// What the TPM's maker certified, as it stands in the NV: nobody here believes it. Empty: nothing.
struct EkCertificate {
  static constexpr std::size_t kCertificateSizeMax = 8192;  // of each of them
  static constexpr std::size_t kAuthoritiesMax = 6;
  static constexpr std::size_t kAuthoritiesSizeMax = 16 * 1024;  // together, as the server takes them

  Bytes certificate;               // DER, of the EK of keys()
  std::vector<Bytes> authorities;  // DER
};

// PCRs of the SHA-256 bank, ascending, each 0 to 23. Empty: none.
using PcrList = std::vector<std::uint8_t>;

// Dictionary-attack protection (TPM 2.0 Part 1, "Dictionary Attack Protection").
struct DictionaryAttackParameters {
  std::uint32_t max_tries = 32;
  std::uint32_t recovery_seconds = 600;             // one failed try is forgotten after this time
  std::uint32_t lockout_recovery_seconds = 86'400;  // after a wrong lockoutAuth
};

struct TpmStatus {
  std::string manufacturer;  // TPM_PT_MANUFACTURER, as text: "IBM", "IFX"
  std::string model;         // TPM_PT_VENDOR_STRING_1 to 4
  std::uint64_t firmware_version = 0;
  std::uint32_t specification_revision = 0;  // times 100: 138 for 1.38
  bool owner_auth_set = false;
  bool endorsement_auth_set = false;
  bool lockout_auth_set = false;
  bool clear_disabled = false;
  bool in_lockout = false;
  bool orderly = false;  // the last shutdown was an orderly one
  std::uint32_t lockout_counter = 0;
  DictionaryAttackParameters dictionary_attack;
  Bytes ek_name;
  bool has_ek_certificate = false;
};

// Registers of one bank, ascending, each 0 to 23.
struct BankRegisters {
  crypto::HashAlgorithm bank = crypto::HashAlgorithm::kSha256;
  PcrList pcrs;
};
// In the order in which a quote hashes them.
using RegisterSelection = std::vector<BankRegisters>;

// What the TPM says, signed by its AK.
struct TpmAttestation {
  Bytes attest;     // TPMS_ATTEST
  Bytes signature;  // TPMT_SIGNATURE
};
// A primary of which the TPM says by its AK that it made it (TPM2_CertifyCreation).
struct CreatedPrimary {
  Bytes public_area;    // TPM2B_PUBLIC
  Bytes creation_data;  // TPMS_CREATION_DATA
  TpmAttestation certification;
};
struct CertifiedPrimary {
  Bytes public_area;  // TPM2B_PUBLIC
  TpmAttestation certification;
};

// What is said of a key that belongs to an SRK that is no more. The TPM has said so twice, in two sessions; all the
// same nobody signs it, and an SRK may be back: what can be had again alone is given up for it.
inline constexpr std::string_view kKeyDead = "tpm.key.dead";
// What is said when the TPM did not answer at all.
inline constexpr std::string_view kTpmUnreachable = "tpm.unreachable";

// What is said of a key that works only while a PCR has a certain value, and that PCR has another.
inline constexpr std::string_view kPolicyUnmet = "tpm.policy";

// The TPM, in the words of what the device does with it. Every call protects the bus by itself (tpm_device). Errors:
// kUnavailable "tpm.*" when the TPM is not reachable (kTpmUnreachable) or in lockout, kRefused "tpm.*" when it says no.
class Tpm : public AnchorNv {
 public:
  virtual Result<TpmKeys> keys() = 0;
  virtual Result<EkCertificate> ek_certificate() = 0;
  // Opens the server's authenticationKey (tpm_types/authentication_key.h) with EK and SRK and imports the HMAC key in
  // it. Refuses an object that is not exactly an HMAC-SHA256 signing key, and one that is marked as an application's.
  virtual Result<WrappedObject> activate(ByteView authentication_key) = 0;
  // HMAC-SHA256. kRefused "tpm.key.dead" when the key belongs to an SRK that is no more.
  virtual Result<SecretBytes> hmac(const WrappedObject& key, ByteView message) = 0;
  // activate() of a key for an application (tpm::application_key_use()), capped by this PCR or (0) by nothing. Refuses
  // any other, a hub key too.
  virtual Result<WrappedObject> activate_application_key(ByteView authentication_key, std::uint8_t capped_by) = 0;
  // hmac() by a key that works only while this PCR is zero, and by no other. kRefused kPolicyUnmet when somebody has
  // extended it.
  virtual Result<SecretBytes> hmac_capped(const WrappedObject& key, std::uint8_t pcr, ByteView message) = 0;
  // Extends the PCR if it is zero, so that those keys work no longer until the next TPM Reset or TPM Restart.
  virtual Status cap(std::uint8_t pcr) = 0;
  virtual Result<SecretBytes> random(std::size_t size) = 0;
  // At most 128 bytes. With PCRs it opens only while they have their present values.
  virtual Result<WrappedObject> seal(const SecretBytes& secret, const PcrList& pcrs) = 0;
  virtual Result<SecretBytes> unseal(const WrappedObject& object, const PcrList& pcrs) = 0;

  // The AK (tpm::primary_ak_template): a restricted signing primary of the endorsement hierarchy, so the same each
  // time. TPM2B_PUBLIC.
  virtual Result<Bytes> attestation_key() = 0;
  // TPM2_ActivateCredential of the AK with the EK, from TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET. kRefused
  // "tpm.activation" when it was made for another pair.
  virtual Result<SecretBytes> activate_attestation(ByteView id_object, ByteView encrypted_secret) = 0;
  // TPM2_Quote by the AK. kUnavailable "tpm.pcr" when the TPM has no such bank.
  virtual Result<TpmAttestation> quote(const RegisterSelection& registers, const crypto::Digest& extra_data) = 0;
  // The values one after another, as a quote hashes them.
  virtual Result<Bytes> read_registers(const RegisterSelection& registers) = 0;
  // TPM2_Certify by the AK of the primary of the NULL hierarchy, which is another one after each TPM Reset; nullopt
  // where the TPM has no ECC.
  virtual Result<std::optional<CertifiedPrimary>> certify_null_primary(const crypto::Digest& extra_data) = 0;

  // A new LDevID under the SRK (tpm::ldevid_template): another one each time. kRefused "tpm.ecc" where the TPM has
  // no P-256.
  virtual Result<WrappedObject> create_ldevid() = 0;
  // Whether the TPM opens it: kRefused "tpm.key.dead" when it belongs to an SRK that is no more.
  virtual Status open_key(const WrappedObject& key) = 0;
  // TPMT_SIGNATURE by the key's own scheme. As open_key().
  virtual Result<Bytes> sign(const WrappedObject& key, const crypto::Digest& digest) = 0;
  // TPM2_Certify of the key by the AK. As open_key().
  virtual Result<TpmAttestation> certify(const WrappedObject& key, const crypto::Digest& extra_data) = 0;
  // TPM2B_PUBLIC of the IDevID (tpm::idevid_template), a primary of the endorsement hierarchy, so the same each time.
  virtual Result<Bytes> idevid() = 0;
  // The same, of which the TPM says that it made it.
  virtual Result<CreatedPrimary> certify_idevid(const crypto::Digest& extra_data) = 0;

  virtual Result<TpmStatus> status() = 0;
  // Sets lockoutAuth, which must be empty, and the dictionary-attack parameters: these first, because the caller
  // forgets the auth value, and a power cut in between shall leave a TPM that can be owned anew. kConflict "tpm.owned"
  // when lockoutAuth was set already; after any other error it may be set or not.
  virtual Status own(const SecretBytes& lockout_auth, const DictionaryAttackParameters& parameters) = 0;
  // TPM2_Clear: owner keys, their auth values and lockoutAuth are gone; the EK stays.
  virtual Status clear(const SecretBytes& lockout_auth) = 0;
  virtual Status reset_lockout(const SecretBytes& lockout_auth) = 0;
};

}  // namespace warifu::tcb
