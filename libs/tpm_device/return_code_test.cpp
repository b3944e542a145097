#include "tpm_device/return_code.h"

#include <gtest/gtest.h>
#include <tss2/tss2_tpm2_types.h>

namespace warifu::tpm_device {
namespace {

TEST(ReturnCode, SaysWhatTheCallerCanDo) {
  struct Row {
    TSS2_RC rc;
    ErrorKind kind;
    std::string_view code;
  };
  const Row rows[] = {
      {TPM2_RC_LOCKOUT, ErrorKind::kUnavailable, "tpm.lockout"},
      {TPM2_RC_AUTH_FAIL | TPM2_RC_S | TPM2_RC_1, ErrorKind::kRefused, "tpm.auth"},
      {TPM2_RC_BAD_AUTH | TPM2_RC_S | TPM2_RC_2, ErrorKind::kRefused, "tpm.auth"},
      {TPM2_RC_HANDLE | TPM2_RC_H | TPM2_RC_1, ErrorKind::kNotFound, "tpm.handle"},
      {TPM2_RC_HANDLE | TPM2_RC_S | TPM2_RC_1, ErrorKind::kUnavailable, "tpm.session.lost"},
      {TPM2_RC_VALUE | TPM2_RC_S | TPM2_RC_1, ErrorKind::kUnavailable, "tpm.session.lost"},
      {TPM2_RC_VALUE | TPM2_RC_P | TPM2_RC_1, ErrorKind::kRefused, "tpm.rc"},
      {TPM2_RC_REFERENCE_S0, ErrorKind::kUnavailable, "tpm.session.lost"},
      {TPM2_RC_REFERENCE_H0, ErrorKind::kNotFound, "tpm.handle"},
      {TPM2_RC_INTEGRITY | TPM2_RC_P | TPM2_RC_1, ErrorKind::kRefused, "tpm.integrity"},
      {TPM2_RC_HIERARCHY | TPM2_RC_H | TPM2_RC_1, ErrorKind::kUnavailable, "tpm.disabled"},
      {TPM2_RC_FAILURE, ErrorKind::kUnavailable, "tpm.failure-mode"},
      {TSS2_RESMGR_TPM_RC_LAYER | TPM2_RC_OBJECT_MEMORY, ErrorKind::kUnavailable, "tpm.memory"},
      {TPM2_RC_RETRY, ErrorKind::kUnavailable, "tpm.busy"},
      {TPM2_RC_INITIALIZE, ErrorKind::kUnavailable, "tpm.not-started"},
      {TSS2_ESYS_RC_RSP_AUTH_FAILED, ErrorKind::kUnavailable, "tpm.bus.altered"},
      {TSS2_SYS_RC_MALFORMED_RESPONSE, ErrorKind::kUnavailable, "tpm.bus.altered"},
      {TSS2_TCTI_RC_IO_ERROR, ErrorKind::kUnavailable, "tpm.unreachable"},
      {TSS2_ESYS_RC_BAD_SEQUENCE, ErrorKind::kInternal, "tpm.esys"},
  };
  for (const Row& row : rows) {
    const Error error = error_of(row.rc, "TPM2_Load");
    EXPECT_EQ(error.code, row.code) << std::hex << row.rc;
    EXPECT_EQ(error.kind, row.kind) << std::hex << row.rc;
    EXPECT_EQ(error.where, "TPM2_Load");
    EXPECT_NE(error.message.find("TPM2_Load"), std::string::npos);
  }
}

TEST(ReturnCode, KnowsWhatTheTpmSaidAndWhatWasSaidForIt) {
  EXPECT_TRUE(is_from_tpm(TPM2_RC_LOCKOUT));
  EXPECT_TRUE(is_from_tpm(TSS2_RESMGR_TPM_RC_LAYER | TPM2_RC_COMMAND_CODE));
  EXPECT_FALSE(is_from_tpm(TSS2_TCTI_RC_IO_ERROR));
  EXPECT_FALSE(is_from_tpm(TSS2_ESYS_RC_RSP_AUTH_FAILED));
}

}  // namespace
}  // namespace warifu::tpm_device
