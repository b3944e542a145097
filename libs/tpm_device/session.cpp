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
  const bool in_doubt = in_doubt_;
  Status ready = make_ready();
  if (!ready && prepare_retry(ready.error(), in_doubt)) ready = make_ready();
  if (!ready) {
    // If its error was forged, the TPM has gone on in the session, and we have not.
    forget_session();
    return std::move(ready).error();
  }
  const TPMA_SESSION attributes = attributes_for(protect, protects());
  TRY_STATUS(check(Esys_TRSess_SetAttributes(esys_, session_->get(), attributes, kAll), "Esys_TRSess_SetAttributes"));
  return session_->get();
}

Status Device::make_ready() {
  TRY_STATUS(restart_if_broken());
  if (!session_) TRY_STATUS(start_session());
  if (must_look_at_kept_) TRY_STATUS(extend_what_is_zero());
  must_look_at_kept_ = false;
  return {};
}

// That the session is lost, or the TPM not started, nobody signs, and anybody may say it. He gains nothing: what the
// PCRs are is read under the HMAC of a session to the EK, so that one that is capped stays as it is, and its quotes
// too; and as long as the reading or the extending fails, no command of ours is sent that could use a key. A bank that
// the TPM does not have is not read, and has no key that works.
Status Device::extend_what_is_zero() {
  const TPMA_SESSION attributes = attributes_for(Protect::kAnswers, protects());
  TRY_STATUS(check(Esys_TRSess_SetAttributes(esys_, session_->get(), attributes, kAll), "Esys_TRSess_SetAttributes"));
  tcb::PcrList kept;
  for (const auto& [pcr, digest] : kept_extended_)
    kept.push_back(pcr);
  TRY(const auto values, read_pcrs_once(*this, session_->get(), kept));
  for (const PcrValue& one : values) {
    if (one.value != crypto::Digest(one.value.algorithm())) continue;
    TRY(const TPML_DIGEST_VALUES digest, to_digest_values(kept_extended_.at(one.pcr)));
    TRY_STATUS(
        check(Esys_PCR_Extend(esys_, ESYS_TR_PCR0 + one.pcr, session_->get(), ESYS_TR_NONE, ESYS_TR_NONE, &digest),
              "TPM2_PCR_Extend"));
  }
  return {};
}

// The EK does not stay loaded: a TPM without a resource manager has three slots.
Status Device::start_session() {
  TRY(const Handle ek, load_ek());
  TRY(Handle session, start_auth_session(ek.get(), TPM2_SE_HMAC, crypto::HashAlgorithm::kSha256));
  session_ = std::move(session);
  in_doubt_ = false;
  look_at_kept_extended();
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
