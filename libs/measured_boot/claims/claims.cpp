#include "measured_boot/claims/claims.h"

#include <fmt/format.h>

#include "measured_boot/claims/extraction.h"

namespace warifu::measured_boot {
namespace {

// UEFI 2.10, "Confidential Computing": which measurement register stands for a PCR. MRTD stands for PCR 0.
RegisterIndex measurement_register_of(RegisterIndex pcr) {
  if (pcr == 1 || pcr == 7) return 1;
  if (2 <= pcr && pcr <= 6) return 2;
  return pcr == 0 ? 0 : 3;
}

}  // namespace

std::string_view to_string(KernelEvidence evidence) {
  switch (evidence) {
    case KernelEvidence::kNone:
      return "none";
    case KernelEvidence::kUki:
      return "uki";
    case KernelEvidence::kGrub:
      return "grub";
    case KernelEvidence::kEfiStub:
      return "efi-stub";
    case KernelEvidence::kUBoot:
      return "u-boot";
    case KernelEvidence::kWindows:
      return "windows";
  }
  return "none";
}

Claims claims_of(const Prover& prover) {
  return Extraction(prover).run();
}

Claims Extraction::run() {
  for (const Event& event : prover_.log().events()) {
    if (!event.is_measured()) continue;
    const bool firmware = !is_pcr_log() || event.register_index < kFirmwareRegisters;
    // Known by their digest, whatever their type.
    if (firmware && separator(event)) continue;
    before_separator(event);
    if (firmware && known_action(event)) continue;
    if (firmware) platform(event);
    if (event.register_index == 0) register_0_extended_ = true;
    if (is_in(event, 4)) boot_manager(event);
    if (is_in(event, 7)) secure_boot(event);
    if (!firmware || event.register_index == 3) boot_loader(event);
    // U-Boot's image of a log without EFI, and systemd-stub of old, use PCR 1 and 8.
    if (firmware && name_of(event.type).empty() && prover_.log().format() == LogFormat::kPfpAgile)
      finding("event.type-unknown",
              fmt::format("type {:08x} in register {}", static_cast<std::uint32_t>(event.type), event.register_index),
              &event);
  }
  check_separators();
  conclude_secure_boot();
  conclude_lists();
  claims_.windows = windows_.take(claims_.findings);
  conclude_kernel();
  conclude_command_line();
  return std::move(claims_);
}

bool Extraction::is_in(const Event& event, RegisterIndex pcr) const {
  return event.register_index == (is_pcr_log() ? pcr : measurement_register_of(pcr));
}

// The digest makes a separator, not the type (PFP 1.06, "EV_SEPARATOR": 00000000 or ffffffff; 00000001 is an error).
bool Extraction::is_separator(const Event& event) const {
  static constexpr std::array<std::uint8_t, 4> kZero{};
  static constexpr std::array<std::uint8_t, 4> kOnes{0xFF, 0xFF, 0xFF, 0xFF};
  return prover_.hash_of(event, kZero) || prover_.hash_of(event, kOnes);
}

bool Extraction::separator(const Event& event) {
  if (is_separator(event)) {
    ++separators_[event.register_index];
    if (event.type != EventType::kSeparator)
      finding("separator.retyped", "a separator's digest under another type", &event);
    return true;
  }
  if (event.type != EventType::kSeparator) return false;
  finding("separator.digest", "a separator whose digest is of something else: an error, or forged", &event);
  if (is_in(event, 7)) secure_boot_broken_ = true;
  return false;
}

bool Extraction::is_separated(RegisterIndex pcr) const {
  return is_pcr_log() ? separators_[pcr] == 1 : separators_[measurement_register_of(pcr)] > 0;
}

void Extraction::unexplained(const Event& event) {
  const auto name = name_of(event.type);
  finding(
      "event.unexplained",
      fmt::format("{} in register {} could be anything", name.empty() ? "an unknown type" : name, event.register_index),
      &event);
}

void Extraction::check_separators() {
  if (!is_pcr_log()) return;  // several PCRs share a register
  for (RegisterIndex index = 0; index < kFirmwareRegisters; ++index)
    if (separators_[index] != 1)
      finding(separators_[index] == 0 ? "separator.missing" : "separator.doubled",
              fmt::format("PCR {} has {} separators", index, separators_[index]));
}

void Extraction::finding(std::string_view code, std::string detail, const Event* event) {
  claims_.findings.push_back({code, std::move(detail), event ? std::optional(event->number) : std::nullopt});
}

}  // namespace warifu::measured_boot
