#include "attestation/appraisal/allowances.h"

#include <algorithm>

namespace warifu::attestation {
namespace {

using endorsement::Waiver;

const Waiver* find_in(const std::vector<const Waiver*>& waivers, crypto::HashAlgorithm bank,
                      measured_boot::RegisterIndex pcr) {
  const auto found =
      std::ranges::find_if(waivers, [&](const Waiver* waiver) { return waiver->bank == bank && waiver->pcr == pcr; });
  return found == waivers.end() ? nullptr : *found;
}

}  // namespace

Allowances::Allowances(const endorsement::FirmwareQuirks& data, const endorsement::MachineMatch& machine, Timestamp now)
    : waivers_(data.waivers_of(machine, now)),
      expired_(data.expired_waivers_of(machine, now)),
      quirks_(data.quirks_of(machine)) {
}

const Waiver* Allowances::waiver_of(crypto::HashAlgorithm bank, measured_boot::RegisterIndex pcr) const {
  return find_in(waivers_, bank, pcr);
}

const Waiver* Allowances::expired_waiver_of(crypto::HashAlgorithm bank, measured_boot::RegisterIndex pcr) const {
  return find_in(expired_, bank, pcr);
}

const endorsement::QuirkEntry* Allowances::find(endorsement::FirmwareQuirk quirk) const {
  const auto found = std::ranges::find(quirks_, quirk, &endorsement::QuirkEntry::quirk);
  return found == quirks_.end() ? nullptr : *found;
}

}  // namespace warifu::attestation
