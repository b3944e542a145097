#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "attestation/quote/quote.h"

namespace warifu::attestation {

// What is kept of a device's last accepted quote, to compare the next one with. Of one AK: the TPM hides counters and
// firmware version behind a constant of each key outside the endorsement and platform hierarchies (Q9).
struct QuoteState {
  tpm::ClockInfo clock;
  std::uint64_t firmware_version = 0;
  Bytes qualified_signer = {};  // whether the two are hidden: shown_firmware()
  static QuoteState of(const VerifiedQuote& quote) {
    const auto& attest = quote.attest();
    return {attest.clock, attest.firmware_version, attest.qualified_signer};
  }
  friend bool operator==(const QuoteState&, const QuoteState&) = default;
};

enum class BootRelation : std::uint8_t {
  kSameBoot,  // logs go on where they ended
  kResumed,   // TPM Restart or TPM Resume: PCRs may have been kept
  kNewBoot,   // TPM Reset: everything is read anew
  kUnknown,   // something fell
};
std::string_view to_string(BootRelation relation);

enum class Anomaly : std::uint8_t {
  kClockFell,           // and TPMS_CLOCK_INFO.safe says that it cannot have
  kClockMayHaveFallen,  // without an orderly shutdown the TPM loses some minutes: safe is not set
  kResetCountFell,      // an old state of the TPM was put back, or it was cleared
  kRestartCountFell,    // the same
  kFirmwareChanged,     // an update or a rollback: ask anew what is known of it (Q10)
};
std::string_view to_string(Anomaly anomaly);

struct Progress {
  BootRelation relation = BootRelation::kUnknown;
  std::vector<Anomaly> anomalies;
};
// Both of the same AK. The hidden counters wrap around, so differences are taken modulo 2^32.
Progress compare(const QuoteState& earlier, const QuoteState& now);

}  // namespace warifu::attestation
