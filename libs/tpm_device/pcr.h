#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "crypto/digest.h"
#include "tcb/tpm.h"
#include "tpm_device/device.h"
#include "tpm_types/policy_digest.h"

// PCRs, of the SHA-256 bank where nothing else is said.
namespace warifu::tpm_device {

struct PcrValue {
  std::uint8_t pcr;
  crypto::Digest value;
};

// Ascending, all from one moment: when a PCR changes while they are read, they are read again. kUnavailable "tpm.pcr"
// when the TPM has no such bank or they do not come to rest; kInvalidInput "tpm.pcr" for a number above 23.
Result<std::vector<PcrValue>> read_pcrs(Device& device, const tcb::PcrList& pcrs);
Result<std::vector<PcrValue>> read_pcrs(Device& device, const tcb::BankRegisters& registers);
// Of those that the TPM has, in this session, which audits: at most eight, from one moment.
Result<std::vector<PcrValue>> read_pcrs_once(Device& device, ESYS_TR session, const tcb::PcrList& pcrs);
// TPM2_PCR_Extend of this bank with a digest of SHA-256. After an error it may be extended or not, after a success it
// is so once.
Status extend_pcr(Device& device, std::uint8_t pcr, const crypto::Digest& digest);

// What TPM2_PCR_Extend takes: of the SHA-256 bank alone. kInvalidInput "tpm.pcr".
Result<TPML_DIGEST_VALUES> to_digest_values(const crypto::Digest& digest);

// TPML_PCR_SELECTION. kInvalidInput "tpm.pcr".
Result<TPML_PCR_SELECTION> to_selection(const tcb::RegisterSelection& registers);
// Of these numbers. kInvalidInput "tpm.pcr".
Result<tpm::PolicyPcrs> pcr_selection(const tcb::PcrList& pcrs);
// The hash over the values one after another, as TPM2_PolicyPCR and TPM2_Quote have it.
crypto::Digest pcr_digest(const std::vector<PcrValue>& values);

}  // namespace warifu::tpm_device
