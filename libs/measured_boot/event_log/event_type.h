#pragma once

#include <cstdint>
#include <string_view>

namespace warifu::measured_boot {

// What an event says that it is (TCG PC Client PFP 1.06, "Event Types"; the values below 0x80000000 go back to
// the PC Client Implementation Specification 1.21). It is never hashed: whoever hands over the log may change it.
// Any other value may occur, too.
enum class EventType : std::uint32_t {
  kPrebootCert = 0x00000000,
  kPostCode = 0x00000001,
  kUnused = 0x00000002,
  kNoAction = 0x00000003,
  kSeparator = 0x00000004,
  kAction = 0x00000005,
  kEventTag = 0x00000006,
  kSCrtmContents = 0x00000007,
  kSCrtmVersion = 0x00000008,
  kCpuMicrocode = 0x00000009,
  kPlatformConfigFlags = 0x0000000A,
  kTableOfDevices = 0x0000000B,
  kCompactHash = 0x0000000C,
  kIpl = 0x0000000D,
  kIplPartitionData = 0x0000000E,
  kNonhostCode = 0x0000000F,
  kNonhostConfig = 0x00000010,
  kNonhostInfo = 0x00000011,
  kOmitBootDeviceEvents = 0x00000012,
  kPostCode2 = 0x00000013,
  kEfiVariableDriverConfig = 0x80000001,
  kEfiVariableBoot = 0x80000002,
  kEfiBootServicesApplication = 0x80000003,
  kEfiBootServicesDriver = 0x80000004,
  kEfiRuntimeServicesDriver = 0x80000005,
  kEfiGptEvent = 0x80000006,
  kEfiAction = 0x80000007,
  kEfiPlatformFirmwareBlob = 0x80000008,
  kEfiHandoffTables = 0x80000009,
  kEfiPlatformFirmwareBlob2 = 0x8000000A,
  kEfiHandoffTables2 = 0x8000000B,
  kEfiVariableBoot2 = 0x8000000C,
  kEfiGptEvent2 = 0x8000000D,
  kEfiHcrtmEvent = 0x80000010,
  kEfiVariableAuthority = 0x800000E0,
  kEfiSpdmFirmwareBlob = 0x800000E1,
  kEfiSpdmFirmwareConfig = 0x800000E2,
  kEfiSpdmDevicePolicy = 0x800000E3,
  kEfiSpdmDeviceAuthority = 0x800000E4,
};

// "EV_SEPARATOR"; empty for a value that no specification names.
std::string_view name_of(EventType type);

// True for the types by which a dynamic launch (DRTM) begins in PCR 17: those of Intel TXT, of Linux's Secure Launch
// and of Arm's DRTM specification.
bool is_dynamic_launch(EventType type);

}  // namespace warifu::measured_boot
