#pragma once

#include <vector>

#include "measured_boot/event_log/event_log.h"

namespace warifu::measured_boot {

// The first event of a crypto-agile log (PFP 1.06, "Specification ID Version Event").
struct SpecId {
  std::vector<LoggedBank> banks;
  // What vendorInfoSize promises and the event does not hold; 0 in any sound log.
  std::size_t missing_vendor_info = 0;
  std::size_t unknown_bytes = 0;  // after the vendor information
};

enum class SpecIdKind : std::uint8_t {
  kNone,
  kLegacy,   // "Spec ID Event00" (BIOS) and "Spec ID Event02" (EFI for TPM 1.2): no list of algorithms
  kAgile,    // "Spec ID Event03"
  kUnknown,  // another version
};
SpecIdKind spec_id_kind(ByteView event_data);

// `offset` is where the data stands in the file. "eventlog.spec-id", "eventlog.truncated", "eventlog.too-large".
Result<SpecId> parse_spec_id(ByteView event_data, std::size_t offset);

}  // namespace warifu::measured_boot
