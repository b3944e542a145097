#include <algorithm>

#include "measured_boot/claims/extraction.h"

// U-Boot's bootm, if it was built with CONFIG_MEASURED_BOOT (doc/usage/measured_boot.rst; bootm_measure() in
// boot/bootm.c, 2023.10 and later): its version in PCR 0, "linux" in 8, "initrd" in 9, "dts" in 1 (of old 9 or 0), the
// text of "bootargs" in 1; then it closes PCR 0 to 7.
namespace warifu::measured_boot {
namespace {

constexpr std::string_view kVersion = "U-Boot ";

// A C string with its NUL, and nothing behind it.
std::optional<std::string> whole_text(ByteView bytes) {
  if (bytes.empty() || std::ranges::find(bytes, 0) != bytes.end() - 1) return std::nullopt;
  return std::string(as_text(bytes.first(bytes.size() - 1)));
}

}  // namespace

void Extraction::before_separator(const Event& event) {
  if (is_pcr_log() && event.register_index == 1 && separators_[1] == 0) last_of_pcr1_ = &event;
}

// 2025.01's booti measures a kernel whose place it has not noted yet; tcg2_measure_data() then takes the name for it.
bool Extraction::is_name_alone(const Event& event) const {
  return prover_.data(event) || prover_.hash_of(event, {});
}

// What comes last before the separator is the command line whatever its type: later nothing can be put before it, and a
// device tree is no text.
std::optional<Proved<std::string>> Extraction::u_boot_command_line() const {
  const auto& version = claims_.firmware_version;
  if (claims_.kernel != KernelEvidence::kUBoot || !version || !(*version)->starts_with(kVersion)) return std::nullopt;
  if (last_of_pcr1_ == nullptr || !is_separated(1)) return std::nullopt;
  const auto data = prover_.data(*last_of_pcr1_);
  auto text = whole_text(last_of_pcr1_->data);
  if (!data || !text) return std::nullopt;
  return data->derive([&](ByteView) { return std::move(*text); });
}

}  // namespace warifu::measured_boot
