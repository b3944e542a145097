#include "measured_boot/event_log/event_type.h"

#include <algorithm>
#include <array>

namespace warifu::measured_boot {
namespace {

struct Name {
  EventType type;
  std::string_view text;
};

constexpr std::array kNames = {
    Name{EventType::kPrebootCert, "EV_PREBOOT_CERT"},
    Name{EventType::kPostCode, "EV_POST_CODE"},
    Name{EventType::kUnused, "EV_UNUSED"},
    Name{EventType::kNoAction, "EV_NO_ACTION"},
    Name{EventType::kSeparator, "EV_SEPARATOR"},
    Name{EventType::kAction, "EV_ACTION"},
    Name{EventType::kEventTag, "EV_EVENT_TAG"},
    Name{EventType::kSCrtmContents, "EV_S_CRTM_CONTENTS"},
    Name{EventType::kSCrtmVersion, "EV_S_CRTM_VERSION"},
    Name{EventType::kCpuMicrocode, "EV_CPU_MICROCODE"},
    Name{EventType::kPlatformConfigFlags, "EV_PLATFORM_CONFIG_FLAGS"},
    Name{EventType::kTableOfDevices, "EV_TABLE_OF_DEVICES"},
    Name{EventType::kCompactHash, "EV_COMPACT_HASH"},
    Name{EventType::kIpl, "EV_IPL"},
    Name{EventType::kIplPartitionData, "EV_IPL_PARTITION_DATA"},
    Name{EventType::kNonhostCode, "EV_NONHOST_CODE"},
    Name{EventType::kNonhostConfig, "EV_NONHOST_CONFIG"},
    Name{EventType::kNonhostInfo, "EV_NONHOST_INFO"},
    Name{EventType::kOmitBootDeviceEvents, "EV_OMIT_BOOT_DEVICE_EVENTS"},
    Name{EventType::kPostCode2, "EV_POST_CODE2"},
    Name{EventType::kEfiVariableDriverConfig, "EV_EFI_VARIABLE_DRIVER_CONFIG"},
    Name{EventType::kEfiVariableBoot, "EV_EFI_VARIABLE_BOOT"},
    Name{EventType::kEfiBootServicesApplication, "EV_EFI_BOOT_SERVICES_APPLICATION"},
    Name{EventType::kEfiBootServicesDriver, "EV_EFI_BOOT_SERVICES_DRIVER"},
    Name{EventType::kEfiRuntimeServicesDriver, "EV_EFI_RUNTIME_SERVICES_DRIVER"},
    Name{EventType::kEfiGptEvent, "EV_EFI_GPT_EVENT"},
    Name{EventType::kEfiAction, "EV_EFI_ACTION"},
    Name{EventType::kEfiPlatformFirmwareBlob, "EV_EFI_PLATFORM_FIRMWARE_BLOB"},
    Name{EventType::kEfiHandoffTables, "EV_EFI_HANDOFF_TABLES"},
    Name{EventType::kEfiPlatformFirmwareBlob2, "EV_EFI_PLATFORM_FIRMWARE_BLOB2"},
    Name{EventType::kEfiHandoffTables2, "EV_EFI_HANDOFF_TABLES2"},
    Name{EventType::kEfiVariableBoot2, "EV_EFI_VARIABLE_BOOT2"},
    Name{EventType::kEfiGptEvent2, "EV_EFI_GPT_EVENT2"},
    Name{EventType::kEfiHcrtmEvent, "EV_EFI_HCRTM_EVENT"},
    Name{EventType::kEfiVariableAuthority, "EV_EFI_VARIABLE_AUTHORITY"},
    Name{EventType::kEfiSpdmFirmwareBlob, "EV_EFI_SPDM_FIRMWARE_BLOB"},
    Name{EventType::kEfiSpdmFirmwareConfig, "EV_EFI_SPDM_FIRMWARE_CONFIG"},
    Name{EventType::kEfiSpdmDevicePolicy, "EV_EFI_SPDM_DEVICE_POLICY"},
    Name{EventType::kEfiSpdmDeviceAuthority, "EV_EFI_SPDM_DEVICE_AUTHORITY"},
};

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};
// Intel TXT Software Development Guide (EVTYPE_BASE 0x400); Linux's and Xen's Secure Launch (0x502 to 0x504, counted
// from Intel's base); Arm's DRTM specification (DRTM_EVENT_ARM_BASE 0x9000 in Trusted Firmware-A).
constexpr std::array kDynamicLaunch = {Range{0x400, 0x5FF}, Range{0x9000, 0x90FF}};

}  // namespace

std::string_view name_of(EventType type) {
  const auto* name = std::ranges::find(kNames, type, &Name::type);
  return name == kNames.end() ? std::string_view() : name->text;
}

bool is_dynamic_launch(EventType type) {
  const auto value = static_cast<std::uint32_t>(type);
  return std::ranges::any_of(kDynamicLaunch,
                             [value](const Range& range) { return range.first <= value && value <= range.last; });
}

}  // namespace warifu::measured_boot
