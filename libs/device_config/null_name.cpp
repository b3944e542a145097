#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "device_config/device_config.h"

namespace warifu::device_config {
namespace {

constexpr const char* kInitramfsNullName = "/run/warifu-boot/null-name";

// "0" of "device:/dev/tpmrm0" and of "device:/dev/tpm0": the same TPM, with and without the kernel's resource manager.
std::optional<std::string_view> number_of_device(std::string_view tcti) {
  constexpr std::size_t kDigitsMax = 5;
  for (const std::string_view device : std::array<std::string_view, 2>{"device:/dev/tpmrm", "device:/dev/tpm"}) {
    if (!tcti.starts_with(device)) continue;
    const std::string_view number = tcti.substr(device.size());
    const bool is_number = !number.empty() && number.size() <= kDigitsMax &&
                           std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; });
    if (is_number) return number;
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::filesystem::path> null_name_files(const DeviceConfig& config) {
  if (config.attestation.null_name) return {*config.attestation.null_name};
  const auto number = number_of_device(config.tcb.tcti);
  if (!number) return {};
  std::vector<std::filesystem::path> files = {fmt::format("/sys/class/tpm/tpm{}/null_name", *number)};
  if (*number == "0") files.emplace_back(kInitramfsNullName);
  return files;
}

}  // namespace warifu::device_config
