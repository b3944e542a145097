#pragma once

#include <vector>

#include "crypto/digest.h"
#include "endorsement/flaws/quirks.h"
#include "measured_boot/registers.h"

namespace warifu::attestation {

// What an operator's signed data lets pass on one machine: waivers of registers (L14) and quirks of firmware (L13).
// Whatever needed one is a finding that names it; of everything else they change nothing.
class Allowances {
 public:
  // None.
  Allowances() = default;
  // Of `data`, which must outlive it, those for this machine. Which machine it is, whoever judges says: nothing in a
  // quote does.
  Allowances(const endorsement::FirmwareQuirks& data, const endorsement::MachineMatch& machine, Timestamp now);

  // nullptr: there is none, or it is over.
  const endorsement::Waiver* waiver_of(crypto::HashAlgorithm bank, measured_boot::RegisterIndex pcr) const;
  // One that is over, so that it can be told why it does not help.
  const endorsement::Waiver* expired_waiver_of(crypto::HashAlgorithm bank, measured_boot::RegisterIndex pcr) const;
  const endorsement::QuirkEntry* find(endorsement::FirmwareQuirk quirk) const;

 private:
  std::vector<const endorsement::Waiver*> waivers_;
  std::vector<const endorsement::Waiver*> expired_;
  std::vector<const endorsement::QuirkEntry*> quirks_;
};

}  // namespace warifu::attestation
