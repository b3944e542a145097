#include <algorithm>

#include "measured_boot/claims/windows/extraction.h"
#include "measured_boot/event_log/cursor.h"

namespace warifu::measured_boot::windows {

const std::array<FlagRow, kFlagCount> kFlags = {{
    {SipaType::kBootDebugging, "boot-debugging", true, "windows.boot-debugging"},
    {SipaType::kKernelDebugging, "kernel-debugging", true, "windows.kernel-debugging"},
    {SipaType::kHypervisorDebugging, "hypervisor-debugging", true, "windows.hypervisor-debugging"},
    {SipaType::kCodeIntegrity, "code-integrity", false, "windows.no-code-integrity"},
    {SipaType::kTestSigning, "test-signing", true, "windows.test-signing"},
    {SipaType::kFlightSigning, "flight-signing", true, "windows.flight-signing"},
    {SipaType::kSafeMode, "safe-mode", true, "windows.safe-mode"},
    {SipaType::kWinPe, "winpe", true, "windows.winpe"},
    {SipaType::kBootDmaProtection, "boot-dma-protection", false, "windows.no-boot-dma-protection"},
    {SipaType::kVsmRequired, "vsm-required", false, ""},
    {SipaType::kVbsSecureBootRequired, "vbs-secure-boot-required", false, ""},
    {SipaType::kVbsIommuRequired, "vbs-iommu-required", false, ""},
    {SipaType::kVbsMandatory, "vbs-mandatory", false, ""},
}};

namespace {

// Numbers have one, two, four or eight bytes.
std::optional<std::uint64_t> number_of(ByteView data) {
  if (data.empty() || data.size() > 8 || (data.size() & (data.size() - 1)) != 0) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = data.size(); i > 0; --i)
    value = value << 8 | data[i - 1];
  return value;
}

}  // namespace

template <class T>
void Extraction::keep(std::optional<Proved<T>>& claim, T value, std::string_view what) {
  if (std::ranges::find(ambiguous_, what) != ambiguous_.end()) return;
  if (!claim) {
    claim = proved(std::move(value));
  } else if (**claim != value) {
    ambiguous_.push_back(what);
    claim.reset();
  }
}

bool Extraction::read_all(const std::vector<SipaEvent>& events) {
  bool is_read = true;
  for (const SipaEvent& event : events)
    is_read = read(event) && is_read;
  return is_read;
}

bool Extraction::read(const SipaEvent& event) {
  const auto* row = std::ranges::find(kFlags, event.type, &FlagRow::type);
  if (row != kFlags.end()) return read_flag(event, static_cast<std::size_t>(row - kFlags.begin()));
  switch (event.type) {
    case SipaType::kTrustBoundary:
      return read_all(event.inner);
    case SipaType::kLoadedModule:
      return read_module(event);
    case SipaType::kElamDriver:
      return read_elam(event);
    case SipaType::kNxPolicy:
      return read_nx_policy(event);
    case SipaType::kHypervisorLaunchType:
      return read_number(event, claims_.hypervisor_launch_type);
    case SipaType::kVsmLaunchType:
      return read_number(event, claims_.vsm_launch_type);
    case SipaType::kHvciPolicy:
      return read_number(event, claims_.hvci_policy);
    case SipaType::kBootCounter:
      return read_number(event, claims_.boot_counter);
    case SipaType::kVsmIdentityKey:
      if (!claims_.vsm_identity_key) claims_.vsm_identity_key = proved(event.data);
      return true;
    case SipaType::kBitLockerUnlock:
      return read_unlock(event);
    case SipaType::kCodeIntegrityPolicy:
      return read_code_integrity_policy(event);
    case SipaType::kSecureBootCustomPolicy:
      return read_custom_policy(event);
    case SipaType::kAuthorityKey:
      claims_.authorities.found_.push_back(proved(event.data));
      return true;
    default:
      return true;  // proved, and no claim of ours
  }
}

bool Extraction::read_flag(const SipaEvent& event, std::size_t row) {
  if (event.data.size() != 1) return false;
  const bool value = event.data[0] != 0;
  auto& flag = claims_.flags[row];
  if (!flag || value == kFlags[row].worse) flag = proved(value);
  return true;
}

bool Extraction::read_number(const SipaEvent& event, std::optional<Proved<std::uint64_t>>& value) {
  const auto number = number_of(event.data);
  if (!number) return false;
  keep(value, *number,
       event.type == SipaType::kBootCounter            ? "the boot counter"
       : event.type == SipaType::kHypervisorLaunchType ? "the hypervisor's launch type"
       : event.type == SipaType::kVsmLaunchType        ? "the launch type of VSM"
                                                       : "the policy of HVCI");
  return true;
}

bool Extraction::read_nx_policy(const SipaEvent& event) {
  const auto number = number_of(event.data);
  if (!number || *number > static_cast<std::uint64_t>(NxPolicy::kAlwaysOn)) return false;
  keep(claims_.nx_policy, static_cast<NxPolicy>(*number), "data execution prevention");
  return true;
}

// PCR 13 says the same again.
bool Extraction::read_unlock(const SipaEvent& event) {
  const auto number = number_of(event.data);
  if (!number || *number > 0xFFFFFFFF) return false;
  if (current_->register_index() == 12)
    claims_.unlocks.push_back(proved(BitLockerUnlock{static_cast<std::uint32_t>(*number)}));
  return true;
}

// u64 version, u16 size of the name, u16 TPM_ALG_ID, u32 size of the digest, name, digest.
bool Extraction::read_code_integrity_policy(const SipaEvent& event) {
  if (!has_room()) return false;
  Cursor cursor(event.data, event.offset);
  const auto version = cursor.u64("policy.version");
  const auto name_size = cursor.u16("policy.nameLength");
  const auto algorithm = cursor.u16("policy.hashAlgID");
  const auto digest_size = cursor.u32("policy.digestLength");
  if (!version || !name_size || !algorithm || !digest_size) return false;
  const auto raw_name = cursor.bytes(*name_size, "policy.name");
  if (!raw_name) return false;
  const auto digest = cursor.bytes(*digest_size, "policy.digest");
  auto name = utf8_of_utf16(*raw_name);
  if (!digest || !name || cursor.remaining() != 0) return false;
  if (current_->register_index() != 13) return true;
  claims_.policies.push_back(proved(CodeIntegrityPolicy{*version, std::move(*name), *digest}));
  return true;
}

// u32 version (1), u32 offset of the digest, u16 TPM_ALG_ID, u16 size of the digest, u32 options, u32 signers.
bool Extraction::read_custom_policy(const SipaEvent& event) {
  if (!has_room()) return false;
  Cursor cursor(event.data, event.offset);
  const auto version = cursor.u32("policy.payloadVersion");
  const auto offset = cursor.u32("policy.varDataOffset");
  const auto algorithm = cursor.u16("policy.hashAlgID");
  const auto size = cursor.u16("policy.digestLength");
  const auto options = cursor.u32("policy.options");
  const auto signers = cursor.u32("policy.signersCount");
  if (!version || !offset || !algorithm || !size || !options || !signers || *version != 1) return false;
  if (*offset > event.data.size() || *size > event.data.size() - *offset) return false;
  if (current_->register_index() == 13)
    claims_.custom_policies.push_back(
        proved(SecureBootCustomPolicy{*options, *signers, event.data.subspan(*offset, *size)}));
  return true;
}

}  // namespace warifu::measured_boot::windows
