// The salted sessions of a Device (Part 1, "Session-based Encryption", "Salted Session").
#include "tpm_device/device.h"
#include "tpm_device/pcr.h"

namespace warifu::tpm_device {
namespace {

constexpr TPMA_SESSION kAll =
    TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT | TPMA_SESSION_AUDIT;

TPMA_SESSION attributes_for(Protect protect, bool encrypts) {
  if (protect == Protect::kAnswers) return TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_AUDIT;
  // Without a purpose the TPM refuses a session that does not authorize.
  if (!encrypts) return TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_AUDIT;
  return TPMA_SESSION_CONTINUESESSION | TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT;
}

TPMT_SYM_DEF aes_128_cfb() {
  TPMT_SYM_DEF symmetric{};
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = 128;
  symmetric.mode.aes = TPM2_ALG_CFB;
  return symmetric;
}

}  // namespace

Result<ESYS_TR> Device::session(Protect protect) {
  TRY_STATUS(restart_if_broken());
  if (!session_) TRY_STATUS(start_session());
  if (!to_extend_again_.empty()) TRY_STATUS(extend_again());
  const TPMA_SESSION attributes = attributes_for(protect, protects());
  TRY_STATUS(check(Esys_TRSess_SetAttributes(esys_, session_->get(), attributes, kAll), "Esys_TRSess_SetAttributes"));
  return session_->get();
}

// After an error one of them may be extended twice, which is as good.
Status Device::extend_again() {
  const TPMA_SESSION attributes = attributes_for(Protect::kAnswers, protects());
  TRY_STATUS(check(Esys_TRSess_SetAttributes(esys_, session_->get(), attributes, kAll), "Esys_TRSess_SetAttributes"));
  while (!to_extend_again_.empty()) {
    const auto& [pcr, digest] = *to_extend_again_.begin();
    TRY(TPML_DIGEST_VALUES values, to_digest_values(digest));
    const Status extended =
        check(Esys_PCR_Extend(esys_, ESYS_TR_PCR0 + pcr, session_->get(), ESYS_TR_NONE, ESYS_TR_NONE, &values),
              "TPM2_PCR_Extend");
    if (!extended) {
      prepare_retry(extended.error(), false);
      return extended;
    }
    to_extend_again_.erase(to_extend_again_.begin());
  }
  return {};
}

// The EK does not stay loaded: a TPM without a resource manager has three slots.
Status Device::start_session() {
  TRY(const Handle ek, load_ek());
  TRY(Handle session, start_auth_session(ek.get(), TPM2_SE_HMAC, crypto::HashAlgorithm::kSha256));
  session_ = std::move(session);
  in_doubt_ = false;
  return {};
}

Result<Handle> Device::start_policy(ESYS_TR salt_key, crypto::HashAlgorithm hash) {
  TRY_STATUS(restart_if_broken());
  return start_auth_session(salt_key, TPM2_SE_POLICY, hash);
}

Result<Handle> Device::start_auth_session(ESYS_TR salt_key, TPM2_SE type, crypto::HashAlgorithm hash) {
  const TPMT_SYM_DEF symmetric = aes_128_cfb();
  const auto hash_id = static_cast<TPMI_ALG_HASH>(tpm::algorithm_of(hash));
  ESYS_TR session = ESYS_TR_NONE;
  TRY_STATUS(check(Esys_StartAuthSession(esys_, salt_key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                         nullptr, type, &symmetric, hash_id, &session),
                   "TPM2_StartAuthSession"));
  Handle handle(*this, session, Handle::Kind::kInSlot);
  TRY_STATUS(check(Esys_TRSess_SetAttributes(esys_, session, TPMA_SESSION_CONTINUESESSION, kAll),
                   "Esys_TRSess_SetAttributes"));
  return handle;
}

}  // namespace warifu::tpm_device
