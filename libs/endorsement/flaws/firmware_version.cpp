#include "endorsement/flaws/firmware_version.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace warifu::endorsement {

FirmwareVersion FirmwareVersion::from_properties(VendorId vendor, std::uint32_t first, std::uint32_t second) {
  const Vendor* known = find_vendor(vendor);
  if (known != nullptr && (known->tpm_class == TpmClass::kSoftware || known->tpm_class == TpmClass::kVirtual))
    return FirmwareVersion({first, second});
  if (vendor == VendorId::parse("IFX"))
    return FirmwareVersion({first >> 16, first & 0xFFFF, second >> 8 & 0xFFFF, second & 0xFF});
  return FirmwareVersion({first >> 16, first & 0xFFFF, second >> 16, second & 0xFFFF});
}

// As text() writes dates: two numbers of eight hexadecimal digits.
bool FirmwareVersion::is_of_dates(std::string_view text) {
  constexpr std::size_t kDigits = 8;
  return text.size() == 2 * kDigits + 1 && text[kDigits] == '.' &&
         text.find_first_not_of("0123456789abcdef.") == std::string_view::npos && std::ranges::count(text, '.') == 1;
}

std::optional<FirmwareVersion> FirmwareVersion::parse(std::string_view text) {
  const int base = is_of_dates(text) ? 16 : 10;
  std::vector<std::uint32_t> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (numbers.size() < 4) {
    std::uint32_t number = 0;
    const auto [stop, error] = std::from_chars(at, end, number, base);
    if (error != std::errc() || stop == at) return std::nullopt;
    numbers.push_back(number);
    if (stop == end) return FirmwareVersion(std::move(numbers));
    if (*stop != '.') return std::nullopt;
    at = stop + 1;
  }
  return std::nullopt;
}

std::string FirmwareVersion::text() const {
  if (numbers_.size() == 2 && numbers_[0] > 0xFFFF) return fmt::format("{:08x}.{:08x}", numbers_[0], numbers_[1]);
  return fmt::format("{}", fmt::join(numbers_, "."));
}

bool FirmwareVersion::before(const FirmwareVersion& other) const {
  for (std::size_t i = 0; i < std::max(numbers_.size(), other.numbers_.size()); ++i)
    if (at(i) != other.at(i)) return at(i) < other.at(i);
  return false;
}

}  // namespace warifu::endorsement
