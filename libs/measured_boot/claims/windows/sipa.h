#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

// What Windows' boot applications measure: tagged events in tagged events. Layout, types and values are those of wbcl.h
// in the Windows SDK (TCG_PCClientTaggedEventStruct, SIPAEVENT_…); how the parts nest, those of real logs.
namespace warifu::measured_boot::windows {

// The types that we read. Bits 16 to 23 are the class.
enum class SipaType : std::uint32_t {
  kTrustBoundary = 0x40010001,  // all that one boot application measured
  kElamDriver = 0x40010002,
  kLoadedModule = 0x40010003,
  kBootCounter = 0x00020002,
  kBitLockerUnlock = 0x00020005,
  kBootDebugging = 0x00040001,
  kKernelDebugging = 0x00050001,
  kCodeIntegrity = 0x00050002,
  kTestSigning = 0x00050003,
  kNxPolicy = 0x00050004,
  kSafeMode = 0x00050005,
  kWinPe = 0x00050006,
  kHypervisorLaunchType = 0x0005000A,
  kHypervisorDebugging = 0x0005000D,
  kCodeIntegrityPolicy = 0x0005000F,
  kVsmLaunchType = 0x00050012,
  kVsmIdentityKey = 0x00050020,
  kFlightSigning = 0x00050021,
  kSecureBootCustomPolicy = 0x00050029,
  kBootDmaProtection = 0x00050030,
  kAuthorityKey = 0x00060002,
  kFilePath = 0x00070001,
  kAuthenticodeHash = 0x00070004,
  kAuthorityIssuer = 0x00070005,
  kAuthorityPublisher = 0x00070008,
  kImageValidated = 0x0007000A,
  kElamName = 0x00090001,
  kElamConfiguration = 0x00090002,
  kElamPolicy = 0x00090003,
  kElamMeasured = 0x00090004,
  kVsmRequired = 0x000A0001,
  kVbsSecureBootRequired = 0x000A0002,
  kVbsIommuRequired = 0x000A0003,
  kVbsMandatory = 0x000A0006,
  kHvciPolicy = 0x000A0007,
};

struct SipaEvent {
  SipaType type{};
  ByteView data;           // of an aggregation: its events
  std::size_t offset = 0;  // of its header in the file
  std::vector<SipaEvent> inner;
};

// Trust boundary, aggregation, value: three; an ELAM driver may stand in another.
inline constexpr std::size_t kSipaDepthMax = 8;
inline constexpr std::size_t kSipaEventsMax = 65536;

// Events one after another, each u32 type, u32 size, data; bit 30 of the type says that the data is such events.
// `offset` is where the bytes stand in the file. Refused (kInvalidInput) with field and offset: "eventlog.truncated",
// "eventlog.sipa-depth", "eventlog.sipa-count", and "eventlog.sipa-type" for an outermost one of a class that Windows
// does not have: so that other tagged events are not taken for Windows'.
Result<std::vector<SipaEvent>> parse_sipa(ByteView bytes, std::size_t offset);

}  // namespace warifu::measured_boot::windows
