#include "endorsement/ek/vendor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"

namespace warifu::endorsement {
namespace {

constexpr std::string_view kCommonName = "2.5.4.3";
constexpr std::string_view kOrganization = "2.5.4.10";

constexpr std::uint32_t of(const char (&text)[5]) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i)
    number = number << 8 | static_cast<unsigned char>(text[i]);
  return number;
}

// swtpm and IBM's simulator give IBM's PCI vendor ID.
constexpr std::uint32_t kSoftwareTpm = 0x00001014;

const std::array<Vendor, 31>& vendors() {
  using enum TpmClass;
  static const std::array<Vendor, 31> table = {{
      {VendorId(of("AMD ")), "AMD", kFirmware, "Advanced Micro Devices"},
      {VendorId(of("ANT ")), "Ant Group", kUnknown, ""},
      {VendorId(of("ARM ")), "Arm", kUnknown, ""},
      {VendorId(of("ATML")), "Atmel", kDiscrete, "Atmel"},
      {VendorId(of("BRCM")), "Broadcom", kUnknown, ""},
      {VendorId(of("CSCO")), "Cisco", kUnknown, ""},
      {VendorId(of("FLYS")), "Flyslice", kUnknown, ""},
      {VendorId(of("GOOG")), "Google", kVirtual, "Google"},
      {VendorId(of("HISI")), "Huawei", kUnknown, ""},
      {VendorId(of("HPE ")), "HPE", kUnknown, ""},
      {VendorId(of("HPI ")), "HPI", kUnknown, ""},
      {VendorId(of("IBM ")), "IBM", kUnknown, ""},
      {VendorId(of("IFX ")), "Infineon", kDiscrete, "Infineon"},
      {VendorId(of("INTC")), "Intel", kFirmware, "Intel"},
      {VendorId(of("LEN ")), "Lenovo", kUnknown, ""},
      {VendorId(of("MSFT")), "Microsoft", kUnknown, "Microsoft", true},
      {VendorId(of("NSG ")), "NSING", kDiscrete, "NSING"},
      {VendorId(of("NSM ")), "National Semiconductor", kDiscrete, ""},
      {VendorId(of("NTC ")), "Nuvoton", kDiscrete, "Nuvoton"},
      {VendorId(of("NTZ ")), "Nationz", kDiscrete, "Nationz"},
      {VendorId(of("QCOM")), "Qualcomm", kFirmware, ""},
      {VendorId(of("ROCC")), "Fuzhou Rockchip", kUnknown, ""},
      {VendorId(of("SEAL")), "Wisekey", kUnknown, ""},
      {VendorId(of("SECE")), "SecEdge", kUnknown, ""},
      {VendorId(of("SMSC")), "SMSC", kUnknown, ""},
      {VendorId(of("SMSN")), "Samsung", kUnknown, ""},
      {VendorId(of("SNS ")), "Sinosun", kDiscrete, ""},
      {VendorId(of("STM ")), "STMicroelectronics", kDiscrete, "STMicroelectronics"},
      {VendorId(of("TXN ")), "Texas Instruments", kDiscrete, ""},
      {VendorId(of("WEC ")), "Winbond", kDiscrete, ""},
      {VendorId(kSoftwareTpm), "a software TPM (swtpm)", kSoftware, ""},
  }};
  return table;
}

std::uint32_t with_blanks(std::uint32_t number) {
  for (unsigned shift = 0; shift < 32 && (number >> shift & 0xFF) == 0; shift += 8)
    number |= 0x20U << shift;
  return number;
}

}  // namespace

VendorId::VendorId(std::uint32_t number) : number_(with_blanks(number)) {
}

std::optional<VendorId> VendorId::parse(std::string_view text) {
  if (text.starts_with("id:")) {
    const auto bytes = from_hex(text.substr(3));
    if (!bytes || bytes->size() != 4) return std::nullopt;
    std::uint32_t number = 0;
    for (const std::uint8_t byte : *bytes)
      number = number << 8 | byte;
    return VendorId(number);
  }
  const bool is_text = std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 0x7F; });
  if (text.empty() || text.size() > 4 || text.front() == ' ' || !is_text) return std::nullopt;
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i)
    number = number << 8 | static_cast<unsigned char>(i < text.size() ? text[i] : ' ');
  return VendorId(number);
}

std::string VendorId::text() const {
  std::string out;
  for (unsigned shift = 32; shift > 0; shift -= 8)
    out.push_back(static_cast<char>(number_ >> (shift - 8) & 0xFF));
  out.resize(out.find_last_not_of(' ') + 1);
  return parse(out) == *this ? out : fmt::format("id:{:08X}", number_);
}

std::string_view to_string(TpmClass tpm_class) {
  switch (tpm_class) {
    case TpmClass::kUnknown:
      return "unknown";
    case TpmClass::kDiscrete:
      return "discrete";
    case TpmClass::kFirmware:
      return "firmware";
    case TpmClass::kIntegrated:
      return "integrated";
    case TpmClass::kVirtual:
      return "virtual";
    case TpmClass::kSoftware:
      return "software";
  }
  return "unknown";
}

const Vendor* find_vendor(VendorId id) {
  const auto* found = std::ranges::find(vendors(), id, &Vendor::id);
  return found != vendors().end() ? found : nullptr;
}

const Vendor* vendor_named_by(const Name& authority) {
  const std::string_view organization = authority.find(kOrganization);
  const std::string_view common_name = authority.find(kCommonName);
  if (organization.empty() && common_name.starts_with("swtpm-localca")) return find_vendor(VendorId(kSoftwareTpm));
  // Intel's on-die authorities have no organization.
  if (organization.empty() && common_name == "www.intel.com") return find_vendor(VendorId(of("INTC")));
  for (const Vendor& vendor : vendors())
    if (!vendor.organization.empty() && organization.starts_with(vendor.organization)) return &vendor;
  return nullptr;
}

bool is_same_maker(const Vendor& authority, VendorId tpm) {
  if (authority.id == tpm) return true;
  // NSING is what Nationz calls its business outside China.
  return authority.id == VendorId(of("NSG ")) && tpm == VendorId(of("NTZ "));
}

}  // namespace warifu::endorsement
