#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "attestation/appraisal/result.h"
#include "attestation/quote/quote.h"
#include "base/bytes.h"
#include "base/result.h"
#include "tpm_types/name.h"

// The primary of the NULL hierarchy, whose seed a TPM draws anew at each TPM Reset: as long as its Name is the same,
// nobody reset the TPM (docs/protocols/attestation.md, "The NULL primary").
namespace warifu::attestation {

// Who noted the Name at the start of the boot.
enum class NameRecorder : std::uint8_t { kKernel, kInitramfs };
std::string_view to_string(NameRecorder recorder);

// The system's own word: it shows a reset under a system that is honest.
struct RecordedName {
  tpm::Name name;
  NameRecorder source;
};
// "evidence.null-name" (kInvalidInput): no SHA-256 Name in hexadecimal, or no source that is known.
Result<RecordedName> parse_recorded_name(std::string_view hex, std::string_view source);

// What a device shows of it: the key, and TPM2_Certify of it by the AK over the quote's extraData.
struct NullPrimary {
  Bytes public_area;  // TPM2B_PUBLIC
  Bytes attest;       // TPMS_ATTEST
  Bytes signature;    // TPMT_SIGNATURE
  std::optional<RecordedName> recorded = {};
};

// Its Name, as the AK certified it with the quote. kRefused "attestation.null-primary": certified over something else,
// in another boot, another key than the one that came, or no ECC P-256 storage primary of the NULL hierarchy.
// kInvalidInput: the codes of tpm::CertifyAttest, Signature and PublicArea.
Result<tpm::Name> check_null_primary(const NullPrimary& primary, const VerifiedQuote& quote);

// The freshness layer: what check_null_primary() says. nullopt: nothing came, or it contradicts the layer.
std::optional<tpm::Name> appraise_null_primary(const std::optional<NullPrimary>& primary, const VerifiedQuote& quote,
                                               AttestationResult& result);

// The freshness layer: what the boot recorded against what was certified now. False: the TPM was reset in between. A
// Name that nobody recorded has no weight.
bool appraise_recorded_name(const std::optional<RecordedName>& recorded, const tpm::Name& certified,
                            AttestationResult& result);

}  // namespace warifu::attestation
