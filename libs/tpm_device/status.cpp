// What a TPM says of itself.
#include <algorithm>
#include <cctype>

#include "tpm_device/capability.h"
#include "tpm_device/care.h"
#include "tpm_device/ek_certificate.h"

namespace warifu::tpm_device {
namespace {

constexpr std::uint32_t kOrderly = 1u << 31;  // TPMA_STARTUP_CLEAR (Part 2, 8.7)

using Properties = std::map<std::uint32_t, std::uint32_t>;

std::uint32_t value_of(const Properties& properties, std::uint32_t property) {
  const auto found = properties.find(property);
  return found == properties.end() ? 0 : found->second;
}

// Four characters; what is not printable is left out, for this ends on a terminal.
std::string text_of(std::uint32_t value) {
  std::string out;
  for (const unsigned shift : {24u, 16u, 8u, 0u}) {
    const auto character = static_cast<char>(value >> shift & 0x7F);
    if (std::isprint(static_cast<unsigned char>(character)) != 0) out += character;
  }
  return out;
}

std::string trimmed(std::string text) {
  while (!text.empty() && text.back() == ' ')
    text.pop_back();
  return text;
}

void fill_fixed(const Properties& fixed, tcb::TpmStatus& out) {
  out.manufacturer = trimmed(text_of(value_of(fixed, kPtManufacturer)));
  for (std::uint32_t i = 0; i < 4; ++i)
    out.model += text_of(value_of(fixed, kPtVendorString1 + i));
  out.model = trimmed(out.model);
  out.firmware_version =
      std::uint64_t{value_of(fixed, kPtFirmwareVersion1)} << 32 | value_of(fixed, kPtFirmwareVersion2);
  out.specification_revision = value_of(fixed, kPtRevision);
}

void fill_variable(const Properties& variable, tcb::TpmStatus& out) {
  const std::uint32_t permanent = value_of(variable, kPtPermanent);
  out.owner_auth_set = (permanent & kOwnerAuthSet) != 0;
  out.endorsement_auth_set = (permanent & kEndorsementAuthSet) != 0;
  out.lockout_auth_set = (permanent & kLockoutAuthSet) != 0;
  out.clear_disabled = (permanent & kDisableClear) != 0;
  out.in_lockout = (permanent & kInLockout) != 0;
  out.orderly = (value_of(variable, kPtStartupClear) & kOrderly) != 0;
  out.lockout_counter = value_of(variable, kPtLockoutCounter);
  out.dictionary_attack = {.max_tries = value_of(variable, kPtMaxAuthFail),
                           .recovery_seconds = value_of(variable, kPtLockoutInterval),
                           .lockout_recovery_seconds = value_of(variable, kPtLockoutRecovery)};
}

}  // namespace

Result<tcb::TpmStatus> read_status(Device& device) {
  tcb::TpmStatus out;
  TRY(const Properties fixed, read_properties(device, kPtRevision, kPtFirmwareVersion2));
  fill_fixed(fixed, out);
  TRY(const Properties variable, read_properties(device, kPtPermanent, kPtLockoutRecovery));
  fill_variable(variable, out);
  TRY(const tpm::EkPublic ek, device.ek());
  out.ek_name = to_bytes(ek.name().bytes());
  TRY(const auto certificate, certificate_of(device, ek));
  out.has_ek_certificate = certificate.has_value();
  return out;
}

}  // namespace warifu::tpm_device
