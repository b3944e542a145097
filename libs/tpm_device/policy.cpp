#include "tpm_device/policy.h"

#include <fmt/format.h>
#include <tss2/tss2_mu.h>

#include <algorithm>

#include "tpm_device/keys.h"
#include "tpm_device/marshal.h"
#include "tpm_device/nv.h"
#include "tpm_device/pcr.h"
#include "tpm_device/verify.h"

namespace warifu::tpm_device {
namespace {

constexpr auto kHash = crypto::HashAlgorithm::kSha256;

Result<TPML_PCR_SELECTION> to_tpml(const tpm::PolicyPcrs& selection) {
  const Bytes bytes = selection.tpml();
  TPML_PCR_SELECTION out{};
  std::size_t offset = 0;
  if (Tss2_MU_TPML_PCR_SELECTION_Unmarshal(bytes.data(), bytes.size(), &offset, &out) == TSS2_RC_SUCCESS) return out;
  return invalid_input("tpm.pcr", "expected a selection that tpm2-tss can read");
}

// The TPM says TPM_RC_VALUE when the PCRs are not what was expected of them.
template <class Answer>
Answer as_policy(Answer status, std::string_view what) {
  if (status || status.error().kind != ErrorKind::kRefused || status.error().code == kNotAuthorized) return status;
  return Error{ErrorKind::kRefused, "tpm.policy", fmt::format("{}: {}", what, status.error().message),
               status.error().where};
}

}  // namespace

Result<PolicySession> PolicySession::start(Device& device) {
  TRY(const ESYS_TR srk, device.srk());
  TRY(Handle handle, device.start_policy(srk, kHash));
  return PolicySession(device, std::move(handle));
}

template <class Call>
Status PolicySession::assert_that(std::string_view command, Call call) {
  return device_->run(Protect::kAnswers,
                      [&](ESYS_TR session) { return device_->check(call(device_->esys(), session), command); });
}

Status PolicySession::pcr(const tcb::PcrList& pcrs) {
  TRY(const tpm::PolicyPcrs selection, pcr_selection(pcrs));
  TRY(const TPML_PCR_SELECTION in, to_tpml(selection));
  const TPM2B_DIGEST present{};
  return assert_that("TPM2_PolicyPCR", [&](ESYS_CONTEXT* esys, ESYS_TR session) {
    return Esys_PolicyPCR(esys, get(), session, ESYS_TR_NONE, ESYS_TR_NONE, &present, &in);
  });
}

Status PolicySession::pcr(const tpm::PolicyPcrs& selection, const crypto::Digest& digest) {
  TRY(const TPML_PCR_SELECTION in, to_tpml(selection));
  TPM2B_DIGEST expected{};
  TRY_STATUS(fill(expected, &TPM2B_DIGEST::buffer, digest.bytes(), "digest of PCRs"));
  return as_policy(assert_that("TPM2_PolicyPCR",
                               [&](ESYS_CONTEXT* esys, ESYS_TR session) {
                                 return Esys_PolicyPCR(esys, get(), session, ESYS_TR_NONE, ESYS_TR_NONE, &expected,
                                                       &in);
                               }),
                   "the PCRs are not what the policy wants");
}

Status PolicySession::secret(ESYS_TR hierarchy) {
  return assert_that("TPM2_PolicySecret", [&](ESYS_CONTEXT* esys, ESYS_TR session) {
    return Esys_PolicySecret(esys, hierarchy, get(), session, ESYS_TR_NONE, ESYS_TR_NONE, nullptr, nullptr, nullptr, 0,
                             nullptr, nullptr);
  });
}

Status PolicySession::nv(std::uint32_t index, const tpm::NvOperand& operand) {
  TPM2B_OPERAND in{};
  TRY_STATUS(fill(in, &TPM2B_OPERAND::buffer, operand.value, "operand"));
  TRY(const NvIndex found, find_nv(*device_, index));
  const auto comparison = static_cast<TPM2_EO>(operand.comparison);
  return as_policy(assert_that("TPM2_PolicyNV",
                               [&](ESYS_CONTEXT* esys, ESYS_TR session) {
                                 return Esys_PolicyNV(esys, found.reader(), found.handle.get(), get(), session,
                                                      ESYS_TR_NONE, ESYS_TR_NONE, &in, operand.offset, comparison);
                               }),
                   "the NV index is not what the policy wants");
}

Status PolicySession::command_code(std::uint32_t code) {
  return assert_that("TPM2_PolicyCommandCode", [&](ESYS_CONTEXT* esys, ESYS_TR session) {
    return Esys_PolicyCommandCode(esys, get(), session, ESYS_TR_NONE, ESYS_TR_NONE, code);
  });
}

Status PolicySession::auth_value() {
  return assert_that("TPM2_PolicyAuthValue", [&](ESYS_CONTEXT* esys, ESYS_TR session) {
    return Esys_PolicyAuthValue(esys, get(), session, ESYS_TR_NONE, ESYS_TR_NONE);
  });
}

Status PolicySession::any_of(std::span<const crypto::Digest> branches) {
  TPML_DIGEST in{};
  if (branches.size() < 2 || branches.size() > std::size(in.digests))
    return invalid_input("tpm.policy.branches", fmt::format("expected 2 to 8 branches, {} came", branches.size()));
  for (const crypto::Digest& branch : branches)
    TRY_STATUS(fill(in.digests[in.count++], &TPM2B_DIGEST::buffer, branch.bytes(), "branch"));
  return as_policy(assert_that("TPM2_PolicyOR",
                               [&](ESYS_CONTEXT* esys, ESYS_TR session) {
                                 return Esys_PolicyOR(esys, get(), session, ESYS_TR_NONE, ESYS_TR_NONE, &in);
                               }),
                   "the policy so far is none of the branches");
}

Status PolicySession::authorize(const ApprovedPolicy& approved) {
  TRY(const crypto::Digest present, digest());
  const auto hash = tpm::approved_policy_hash(approved.key.hash(), present, approved.reference);
  TRY(const TPMT_TK_VERIFIED ticket, verify_signature(*device_, approved.key, hash, approved.signature));
  TPM2B_DIGEST policy{};
  TRY_STATUS(fill(policy, &TPM2B_DIGEST::buffer, present.bytes(), "policy"));
  TPM2B_NONCE reference{};
  TRY_STATUS(fill(reference, &TPM2B_NONCE::buffer, approved.reference.bytes, "policyRef"));
  TPM2B_NAME key{};
  TRY_STATUS(fill(key, &TPM2B_NAME::name, approved.key.name().bytes(), "Name"));
  return as_policy(assert_that("TPM2_PolicyAuthorize",
                               [&](ESYS_CONTEXT* esys, ESYS_TR session) {
                                 return Esys_PolicyAuthorize(esys, get(), session, ESYS_TR_NONE, ESYS_TR_NONE, &policy,
                                                             &reference, &key, &ticket);
                               }),
                   "the policy so far is not the approved one");
}

Status PolicySession::restart() {
  return assert_that("TPM2_PolicyRestart", [&](ESYS_CONTEXT* esys, ESYS_TR session) {
    return Esys_PolicyRestart(esys, get(), session, ESYS_TR_NONE, ESYS_TR_NONE);
  });
}

Result<crypto::Digest> PolicySession::digest() {
  return device_->run(Protect::kAnswers, [&](ESYS_TR session) -> Result<crypto::Digest> {
    TPM2B_DIGEST* raw = nullptr;
    TRY_STATUS(device_->check(Esys_PolicyGetDigest(device_->esys(), get(), session, ESYS_TR_NONE, ESYS_TR_NONE, &raw),
                              "TPM2_PolicyGetDigest"));
    const EsysPtr<TPM2B_DIGEST> value(raw);
    crypto::Digest out(kHash);
    if (value->size != out.size())
      return Error{ErrorKind::kUnavailable, "tpm.policy.digest", "the TPM gave a digest of another size"};
    std::ranges::copy(content(*value, &TPM2B_DIGEST::buffer), out.writable().begin());
    return out;
  });
}

// The policy authorizes, the session to the EK encrypts.
Result<SecretBytes> hmac(Device& device, const Handle& key, const PolicySession& policy, ByteView message) {
  Wiped<TPM2B_MAX_BUFFER> in;
  TRY_STATUS(fill(in.value, &TPM2B_MAX_BUFFER::buffer, message, "message"));
  // A PCR that moves after the assertion is seen now (Part 3, TPM2_PolicyPCR: pcrUpdateCounter).
  return as_policy(device.run(Protect::kSecrets,
                              [&](ESYS_TR session) -> Result<SecretBytes> {
                                TPM2B_DIGEST* raw = nullptr;
                                TRY_STATUS(device.check(Esys_HMAC(device.esys(), key.get(), policy.get(), session,
                                                                  ESYS_TR_NONE, &in.value, TPM2_ALG_SHA256, &raw),
                                                        "TPM2_HMAC"));
                                const EsysPtr<TPM2B_DIGEST> mac(raw);
                                return take_secret(*mac, &TPM2B_DIGEST::buffer);
                              }),
                   "the PCRs are no longer what the policy wants");
}

Result<SecretBytes> unseal(Device& device, const tcb::WrappedObject& object, const PolicySession& policy) {
  TRY(const Handle loaded, load(device, object));
  return device.run(Protect::kSecrets, [&](ESYS_TR session) -> Result<SecretBytes> {
    TPM2B_SENSITIVE_DATA* raw = nullptr;
    TRY_STATUS(device.check(Esys_Unseal(device.esys(), loaded.get(), policy.get(), session, ESYS_TR_NONE, &raw),
                            "TPM2_Unseal"));
    const EsysPtr<TPM2B_SENSITIVE_DATA> data(raw);
    return take_secret(*data, &TPM2B_SENSITIVE_DATA::buffer);
  });
}

}  // namespace warifu::tpm_device
