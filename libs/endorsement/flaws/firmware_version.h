#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "endorsement/ek/vendor.h"

namespace warifu::endorsement {

// The numbers of a TPM's firmware as its maker counts them, like 7.85.4555.0. One with fewer numbers names all that
// begin with them.
class FirmwareVersion {
 public:
  // TPM_PT_FIRMWARE_VERSION_1 and _2 (TPM 2.0 Part 2, 6.13), which are the maker's own. Most makers: four halves of 16
  // bits, the higher first, as fwupd and Windows show them. Infineon: two halves, then a reserved byte, 16 bits of
  // build and 8 bits of its kind (0: certified), as wolfTPM reads them. Software TPMs and Google: a date and a time,
  // which stay whole and are written in hexadecimal.
  static FirmwareVersion from_properties(VendorId vendor, std::uint32_t first, std::uint32_t second);
  // "7.85" or "7.85.4555.0": one to four decimals. "20191023.00163636": two numbers of eight hexadecimal digits, as
  // text() writes dates.
  static std::optional<FirmwareVersion> parse(std::string_view text);

  std::string text() const;
  // Compares number by number; a missing one counts as zero.
  bool before(const FirmwareVersion& other) const;

 private:
  static bool is_of_dates(std::string_view text);
  explicit FirmwareVersion(std::vector<std::uint32_t> numbers) : numbers_(std::move(numbers)) {}
  std::uint32_t at(std::size_t index) const { return index < numbers_.size() ? numbers_[index] : 0; }

  std::vector<std::uint32_t> numbers_;
};

}  // namespace warifu::endorsement
