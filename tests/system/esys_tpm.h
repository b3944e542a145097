#pragma once

#include <tss2/tss2_esys.h>

#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"

namespace warifu::test {

class EsysTpm;

// A transient object, flushed when it goes: swtpm has three slots.
class Transient {
 public:
  Transient(EsysTpm& tpm, ESYS_TR handle) : tpm_(&tpm), handle_(handle) {}
  Transient(Transient&& other) noexcept : tpm_(other.tpm_), handle_(other.handle_) { other.tpm_ = nullptr; }
  Transient& operator=(Transient&&) = delete;
  ~Transient();

  ESYS_TR handle() const { return handle_; }

 private:
  EsysTpm* tpm_;
  ESYS_TR handle_;
};

// What a device does with its TPM, through tpm2-tss: our code takes no part in it. Error messages are those of the TPM
// (Tss2_RC_Decode), with the code "tpm.rc".
class EsysTpm {
 public:
  explicit EsysTpm(const std::string& tcti);
  ~EsysTpm();
  EsysTpm(const EsysTpm&) = delete;
  EsysTpm& operator=(const EsysTpm&) = delete;

  // `tpm2b_template` is a TPM2B_PUBLIC.
  Result<Transient> create_primary(ESYS_TR hierarchy, ByteView tpm2b_template);
  // TPM2B_PUBLIC as tss2-mu writes it, and the Name as the TPM computes it.
  Bytes read_public(const Transient& object);
  Bytes read_name(const Transient& object);

  // ActivateCredential(activate, key) with PolicySecret(endorsement) in a session of this hash. The two parts are the
  // contents of TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET.
  Result<Bytes> activate_credential(const Transient& activate, const Transient& key, crypto::HashAlgorithm policy_hash,
                                    ByteView id_object, ByteView encrypted_secret);
  // Import with symmetricAlg AES-128-CFB, then Load.
  Result<Transient> import_and_load(const Transient& parent, ByteView inner_key, ByteView tpmt_public,
                                    ByteView private_area, ByteView encrypted_seed);
  Result<Bytes> hmac(const Transient& key, ByteView data);

  // TPM2_Quote with the key's own scheme: TPMS_ATTEST and TPMT_SIGNATURE.
  struct Quote {
    Bytes message;
    Bytes signature;
  };
  Result<Quote> quote(const Transient& key, ByteView nonce, const TPML_PCR_SELECTION& selection);
  // TPM2_CertifyCreation would need a ticket; TPM2_Certify of the key by itself is what looks like a quote too.
  Result<Quote> certify(const Transient& key, ByteView nonce);
  // TPM2_PCR_Read of one register.
  Result<crypto::Digest> pcr(crypto::HashAlgorithm bank, std::uint32_t index);
  // TPM2_PCR_Extend in each active bank, by TPM2_PCR_Event.
  Status measure(std::uint32_t index, ByteView event);
  // TPM2_PCR_Extend with these digests, each in its bank.
  Status extend(std::uint32_t index, std::span<const crypto::Digest> digests);

 private:
  friend class Transient;
  Result<ESYS_TR> endorsement_session(crypto::HashAlgorithm hash);

  TSS2_TCTI_CONTEXT* tcti_ = nullptr;
  ESYS_CONTEXT* esys_ = nullptr;
};

}  // namespace warifu::test
