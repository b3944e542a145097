#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "crypto/digest.h"
#include "endorsement/flaws/signed_text.h"

// What an operator allows a model of machine that does not behave: warifu.firmware-quirks.v1
// (docs/formats/tpm-flaws.md). Every result that one was needed for names it.
namespace warifu::endorsement {

// Which machines: as SMBIOS names them. Empty is any; never all three.
struct MachineMatch {
  std::string manufacturer;
  std::string product;
  std::string firmware_version;

  bool matches(const MachineMatch& machine) const;
};

// A known deviation of firmware that an appraisal may then expect (pitfall L13).
enum class FirmwareQuirk : std::uint8_t {
  kExitBootServicesNotLogged,  // "Exit Boot Services Invocation" and "Returned with Success" are in PCR 5, not in the
                               // log
  kDmaProtectionActionEvent,   // an action event about DMA protection in PCR 7
  kSeparatorMissing,           // a PCR of 0 to 7 without its separator
};
struct QuirkEntry {
  std::string id;
  MachineMatch machine;
  FirmwareQuirk quirk;
  std::string source;  // a URL
};

// A register that is not held against its log for these machines until then (pitfall L14).
struct Waiver {
  std::string id;
  MachineMatch machine;
  crypto::HashAlgorithm bank;
  std::uint32_t pcr = 0;
  std::string reason;
  std::string approved_by;
  Timestamp until;
};

class FirmwareQuirks {
 public:
  // "endorsement.quirks.format" and the codes of wire::JsonFields.
  static Result<FirmwareQuirks> load(const SignedText& text);

  std::vector<const QuirkEntry*> quirks_of(const MachineMatch& machine) const;
  // Those that are not over.
  std::vector<const Waiver*> waivers_of(const MachineMatch& machine, Timestamp now) const;
  // Those that are: they allow nothing, and who looks for the reason wants to see them.
  std::vector<const Waiver*> expired_waivers_of(const MachineMatch& machine, Timestamp now) const;

 private:
  FirmwareQuirks() = default;

  std::vector<QuirkEntry> quirks_;
  std::vector<Waiver> waivers_;
};

}  // namespace warifu::endorsement
