#include "tpm_device/return_code.h"

#include <fmt/format.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tpm2_types.h>

#include <algorithm>
#include <iterator>

namespace warifu::tpm_device {
namespace {

struct Meaning {
  TSS2_RC rc;
  ErrorKind kind;
  std::string_view code;
  std::string_view advice;
};

constexpr Meaning kMeanings[] = {
    {TPM2_RC_LOCKOUT, ErrorKind::kUnavailable, "tpm.lockout",
     "too many wrong tries: wait, or reset the lockout with lockoutAuth"},
    {TPM2_RC_AUTH_FAIL, ErrorKind::kRefused, kNotAuthorized, "the auth value is wrong"},
    {TPM2_RC_BAD_AUTH, ErrorKind::kRefused, kNotAuthorized, "the auth value is wrong"},
    {TPM2_RC_AUTH_UNAVAILABLE, ErrorKind::kRefused, kNotAuthorized, "the object cannot be used with an auth value"},
    {TPM2_RC_POLICY_FAIL, ErrorKind::kRefused, "tpm.policy", "its policy is not satisfied; are the PCRs the same?"},
    {TPM2_RC_PCR_CHANGED, ErrorKind::kRefused, "tpm.policy", "a PCR has changed"},
    {TPM2_RC_RETRY, ErrorKind::kUnavailable, "tpm.busy", "try again"},
    {TPM2_RC_YIELDED, ErrorKind::kUnavailable, "tpm.busy", "try again"},
    {TPM2_RC_TESTING, ErrorKind::kUnavailable, "tpm.busy", "it tests itself; try again"},
    {TPM2_RC_NV_RATE, ErrorKind::kUnavailable, "tpm.busy", "it protects its memory from wear; try again"},
    {TPM2_RC_NV_UNAVAILABLE, ErrorKind::kUnavailable, "tpm.busy", "its memory is not accessible; try again"},
    {TPM2_RC_INITIALIZE, ErrorKind::kUnavailable, kNotStarted, "TPM2_Startup was not sent"},
    {TPM2_RC_FAILURE, ErrorKind::kUnavailable, kFailure, "its self-test failed; switch it off and on"},
    {TPM2_RC_HIERARCHY, ErrorKind::kUnavailable, "tpm.disabled", "the hierarchy is not enabled or not the right one"},
    {TPM2_RC_DISABLED, ErrorKind::kUnavailable, "tpm.disabled", "the command is disabled"},
    {TPM2_RC_OBJECT_MEMORY, ErrorKind::kUnavailable, kMemory, "no slot for an object is free"},
    {TPM2_RC_SESSION_MEMORY, ErrorKind::kUnavailable, kMemory, "no slot for a session is free"},
    {TPM2_RC_SESSION_HANDLES, ErrorKind::kUnavailable, kMemory, "no session handle is free"},
    {TPM2_RC_OBJECT_HANDLES, ErrorKind::kUnavailable, kMemory, "no object handle is free"},
    {TPM2_RC_MEMORY, ErrorKind::kUnavailable, kMemory, "it has no memory left"},
    {TPM2_RC_INTEGRITY, ErrorKind::kRefused, kIntegrity, "it was not made for this TPM or this parent, or was changed"},
    {TPM2_RC_HANDLE, ErrorKind::kNotFound, kHandleGone, "there is nothing at this handle"},
    {TPM2_RC_NV_DEFINED, ErrorKind::kConflict, "tpm.nv.defined", "the index exists already"},
    {TPM2_RC_NV_SPACE, ErrorKind::kUnavailable, "tpm.nv.space", "there is no room for the index"},
    {TPM2_RC_NV_LOCKED, ErrorKind::kRefused, "tpm.nv.locked", "the index is locked"},
    {TPM2_RC_NV_UNINITIALIZED, ErrorKind::kNotFound, "tpm.nv.unwritten", "the index was never written"},
    {TPM2_RC_SIGNATURE, ErrorKind::kRefused, "tpm.signature", "the signature is wrong"},
};

// Part 2, 6.6: a format-one code says in other bits which handle, parameter or session it means.
constexpr TSS2_RC kSessionBit = 0x800;

bool is_format_one(TSS2_RC rc) {
  return (rc & TPM2_RC_FMT1) != 0;
}

TSS2_RC base_of(TSS2_RC rc) {
  return is_format_one(rc) ? rc & (TPM2_RC_FMT1 | 0x3F) : rc;
}

bool means_session_lost(TSS2_RC rc) {
  if (rc >= TPM2_RC_REFERENCE_S0 && rc <= TPM2_RC_REFERENCE_S6) return true;
  const bool of_session = is_format_one(rc) && (rc & kSessionBit) != 0;
  return of_session && (base_of(rc) == TPM2_RC_HANDLE || base_of(rc) == TPM2_RC_VALUE);
}

Error from_tpm(TSS2_RC rc, std::string_view command) {
  const auto say = [&](ErrorKind kind, std::string_view code, std::string_view advice) {
    return Error{kind, code, fmt::format("the TPM refused {}: {} ({})", command, advice, Tss2_RC_Decode(rc)),
                 std::string(command)};
  };
  if (means_session_lost(rc)) return say(ErrorKind::kUnavailable, kSessionLost, "it has lost the session");
  if (rc >= TPM2_RC_REFERENCE_H0 && rc <= TPM2_RC_REFERENCE_H6)
    return say(ErrorKind::kNotFound, kHandleGone, "there is nothing at this handle");
  const auto* known = std::ranges::find(kMeanings, base_of(rc), &Meaning::rc);
  if (known != std::end(kMeanings)) return say(known->kind, known->code, known->advice);
  return say(ErrorKind::kRefused, "tpm.rc", "see the code");
}

// What ESYS, SYS and MU say when a response does not fit the command, or its HMAC is wrong.
bool means_altered(TSS2_RC layer, TSS2_RC base) {
  if (layer == TSS2_MU_RC_LAYER) return true;
  if (layer != TSS2_ESAPI_RC_LAYER && layer != TSS2_SYS_RC_LAYER) return false;
  return base == TSS2_BASE_RC_RSP_AUTH_FAILED || base == TSS2_BASE_RC_MALFORMED_RESPONSE ||
         base == TSS2_BASE_RC_INSUFFICIENT_RESPONSE || base == TSS2_BASE_RC_AUTHORIZATION_FAILED;
}

}  // namespace

// A resource manager, like the kernel's, answers some commands in the TPM's place and marks its code with that layer.
bool is_from_tpm(TSS2_RC rc) {
  const TSS2_RC layer = rc & TSS2_RC_LAYER_MASK;
  return layer == TSS2_TPM_RC_LAYER || layer == TSS2_RESMGR_TPM_RC_LAYER;
}

Error error_of(TSS2_RC rc, std::string_view command) {
  if (is_from_tpm(rc)) return from_tpm(rc & ~TSS2_RC_LAYER_MASK, command);
  const TSS2_RC layer = rc & TSS2_RC_LAYER_MASK;
  const std::string text = fmt::format("{}: {}", command, Tss2_RC_Decode(rc));
  if (means_altered(layer, rc & ~TSS2_RC_LAYER_MASK)) {
    return {ErrorKind::kUnavailable, kBusAltered, "what came is not what the TPM sent: " + text, std::string(command)};
  }
  if (layer == TSS2_TCTI_RC_LAYER) {
    return {ErrorKind::kUnavailable, "tpm.unreachable", "the TPM does not answer: " + text, std::string(command)};
  }
  return {ErrorKind::kInternal, "tpm.esys", text, std::string(command)};
}

}  // namespace warifu::tpm_device
