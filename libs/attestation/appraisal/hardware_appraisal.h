#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "attestation/appraisal/hardware_policy.h"
#include "attestation/appraisal/result.h"
#include "attestation/quote/progress.h"
#include "base/bytes.h"
#include "endorsement/ek/ek_certificate.h"
#include "endorsement/ek/vendor.h"
#include "endorsement/flaws/flaw_table.h"

// The hardware layer: which TPM it is, and what is known of it.
namespace warifu::attestation {

// What the EK certificate of a device is worth, as whoever knows the roots judged it.
struct EkStanding {
  enum class Worth : std::uint8_t { kNoCertificate, kTrusted, kRefused };
  Worth worth = Worth::kNoCertificate;
  std::string detail = {};  // who signed, or why it is not believed
  // What a trusted certificate says, and no other.
  std::optional<endorsement::VendorId> vendor = {};
  std::string model = {};  // empty: it names none
  endorsement::TpmClass tpm_class = endorsement::TpmClass::kUnknown;
  // The EK itself, whatever its certificate is worth: it was proved to be this TPM's.
  std::optional<endorsement::SubjectKey> key = {};
};

// A TPM, as far as it is proved which one it is.
struct ShownTpm {
  const EkStanding& ek;
  std::optional<std::uint64_t> firmware_version;  // nullopt: its quotes hide it

  std::optional<endorsement::FirmwareVersion> firmware() const;
  // "NTC NPCT75x, firmware 7.2.3.1", as far as it is known.
  std::string text() const;
  endorsement::TpmUnderTest under_test() const;
};

// A firmware version as a TPM signs it: of a key outside the endorsement and platform hierarchies it is no version, as
// the TPM adds a constant of the key (Part 1, "Timing Components"). nullopt unless the key with this Name is a primary
// of one of the two, which its qualified name proves.
std::optional<std::uint64_t> shown_firmware(const QuoteState& quote, ByteView ak_name);

// What the TPM is held against.
struct HardwareTerms {
  const endorsement::FlawTable& flaws;
  const HardwarePolicy* policy = nullptr;  // nullptr: flaws that affect it warn
};

// Which TPM it is, by its EK certificate and its firmware version; each flaw that affects it; and one finding for all
// of which nobody knows, which have no weight unless the policy gives them one: nothing is green for being unknown,
// either, as what nobody confirmed never clears. A flaw that a confirmed source or the key itself shows fails at most;
// one that is only said to affect it warns at most. What the policy demands and the TPM is not, or does not show,
// contradicts.
void appraise_hardware(const ShownTpm& tpm, const HardwareTerms& terms, AttestationResult& result);
// The same where nobody looked at the TPM: whatever a policy demands of it is not shown.
void add_unshown_hardware(const QuoteState& quote, const HardwarePolicy* policy, AttestationResult& result);

}  // namespace warifu::attestation
