#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/digest.h"

// What a TPM signs about itself (TPM 2.0 Part 2, "Attestation Structures"), as parsed types. Parsing proves nothing: it
// may all be forged.
namespace warifu::tpm {

// TPMS_CLOCK_INFO (Part 2). For keys outside the endorsement and platform hierarchies the TPM adds a constant
// of the key to both counters (Part 1, "Timing Components"): two quotes of one key can be compared, those of two keys
// cannot.
struct ClockInfo {
  std::uint64_t clock_ms = 0;  // powered time since the last TPM2_Clear
  std::uint32_t reset_count = 0;
  std::uint32_t restart_count = 0;
  bool safe = false;  // no earlier quote can have shown a later clock
  friend bool operator==(const ClockInfo&, const ClockInfo&) = default;
};

// TPMS_PCR_SELECTION (Part 2).
struct PcrSelection {
  std::uint16_t bank_id = 0;                  // TPM_ALG_ID
  std::optional<crypto::HashAlgorithm> bank;  // nullopt: one that we cannot compute with
  std::uint32_t indices = 0;                  // bit n: PCR n
  bool has(std::uint32_t index) const { return index < 32 && (indices >> index & 1) != 0; }
  friend bool operator==(const PcrSelection&, const PcrSelection&) = default;
};

// TPML_PCR_SELECTION (Part 2), in the order in which the TPM hashes the values.
using PcrSelections = std::vector<PcrSelection>;

// TPMS_ATTEST (Part 2) of TPM2_Quote, and of nothing else: all that an AK signs looks alike up to its type.
struct QuoteAttest {
  Bytes qualified_signer;  // TPM2B_NAME
  Bytes extra_data;        // the caller's nonce
  ClockInfo clock;
  std::uint64_t firmware_version = 0;
  PcrSelections selections;
  Bytes pcr_digest;

  // Codes (kInvalidInput): "tpm.attest.magic", "tpm.attest.type" (what another type is, is said), "tpm.attest.safe",
  // "tpm.attest.signer", "tpm.attest.extra-data", "tpm.attest.pcr-digest", "tpm.pcr-selection.count",
  // "tpm.pcr-selection.size", "tpm.pcr-selection.index" (PCR 24 and above), "tpm.pcr-selection.repeated" (a PCR of a
  // bank twice), "wire.truncated", "wire.trailing".
  static Result<QuoteAttest> parse(ByteView bytes);
};

// TPMS_ATTEST (Part 2) of TPM2_Certify: an object with this Name is loaded in the TPM of the key that signed.
struct CertifyAttest {
  Bytes qualified_signer;  // TPM2B_NAME
  Bytes extra_data;
  ClockInfo clock;
  std::uint64_t firmware_version = 0;
  Bytes name;            // TPM2B_NAME
  Bytes qualified_name;  // TPM2B_NAME

  // Codes as those of QuoteAttest, and "tpm.attest.name".
  static Result<CertifyAttest> parse(ByteView bytes);
};

// TPMS_ATTEST (Part 2) of TPM2_CertifyCreation: the TPM of the key that signed made the object with this Name itself.
struct CreationAttest {
  Bytes qualified_signer;  // TPM2B_NAME
  Bytes extra_data;
  ClockInfo clock;
  std::uint64_t firmware_version = 0;
  Bytes name;           // TPM2B_NAME
  Bytes creation_hash;  // of TPMS_CREATION_DATA

  // Codes as those of CertifyAttest, and "tpm.attest.creation-hash".
  static Result<CreationAttest> parse(ByteView bytes);
};

// TPMS_CREATION_DATA (Part 2, "Creation Data"): where and when an object was made. It is the TPM's word only where its
// digest is a CreationAttest's creation_hash.
struct CreationData {
  PcrSelections selections;
  Bytes pcr_digest;
  std::uint8_t locality = 0;
  std::uint16_t parent_algorithm = 0;  // TPM_ALG_ID: the parent's nameAlg, TPM_ALG_NULL under a hierarchy itself
  Bytes parent_name;                   // TPM2B_NAME; that of a hierarchy is its handle
  Bytes parent_qualified_name;
  Bytes outside_info;

  // A primary: under this hierarchy (TPM_RH) itself.
  bool is_under(std::uint32_t hierarchy) const;
  // Codes as those of QuoteAttest, and "tpm.attest.name".
  static Result<CreationData> parse(ByteView bytes);
};
inline constexpr std::uint32_t kEndorsementHierarchy = 0x4000000b;  // TPM_RH_ENDORSEMENT

}  // namespace warifu::tpm
