#pragma once

#include "measured_boot/claims/test_claims.h"
#include "measured_boot/claims/windows/sipa.h"

// What Windows' loaders measure, written by ourselves.
namespace warifu::measured_boot {

inline Bytes sipa(windows::SipaType type, ByteView data) {
  return concatenated({little_endian(static_cast<std::uint32_t>(type), 4), little_endian(data.size(), 4), data});
}

inline Bytes sipa_flag(windows::SipaType type, bool value) {
  return sipa(type, Bytes{static_cast<std::uint8_t>(value)});
}

inline Bytes sipa_module(std::string_view path, std::uint8_t hash) {
  return sipa(windows::SipaType::kLoadedModule,
              concatenated({sipa(windows::SipaType::kFilePath, concatenated({utf16(path), Bytes(2)})),
                            sipa(windows::SipaType::kAuthenticodeHash, Bytes(32, hash)),
                            sipa_flag(windows::SipaType::kImageValidated, true)}));
}

inline Bytes boot_application(std::initializer_list<ByteView> parts) {
  return sipa(windows::SipaType::kTrustBoundary, concatenated(parts));
}

// What the OS loader says of itself; as it stands here, all is well.
struct LoaderValues {
  std::uint64_t nx_policy = 1;
  std::uint64_t vsm_launch_type = 1;
  std::uint32_t hvci_policy = 1;
  bool has_elam_driver = true;
};
inline Bytes loader_of(const LoaderValues& values = {}) {
  using enum windows::SipaType;
  return boot_application(
      {sipa_module("\\Windows\\system32\\winload.efi", 1), sipa_flag(kBootDebugging, false),
       sipa_flag(kKernelDebugging, false), sipa_flag(kCodeIntegrity, true), sipa_flag(kTestSigning, false),
       sipa_flag(kSafeMode, false), sipa_flag(kWinPe, false), sipa(kNxPolicy, little_endian(values.nx_policy, 8)),
       sipa(kVsmLaunchType, little_endian(values.vsm_launch_type, 8)), sipa(kVsmIdentityKey, Bytes(9, 7)),
       sipa(kHvciPolicy, little_endian(values.hvci_policy, 4)), sipa(kBitLockerUnlock, little_endian(4, 4)),
       values.has_elam_driver ? sipa(kElamDriver, sipa(kElamName, concatenated({utf16("Defender"), Bytes(2)})))
                              : Bytes()});
}

// A boot of Windows: `early` is measured into PCR 12 between the loader and the separator.
inline LogWriter windows_boot(std::initializer_list<std::pair<ByteView, Bytes>> early = {},
                              const Bytes& loader = loader_of()) {
  LogWriter log = SecureBootEvents().log();
  log.separators().measured(4, EventType::kEfiBootServicesApplication, as_bytes("bootmgfw"), Bytes(32));
  log.event(12, EventType::kEventTag, loader);
  for (const auto& [measured, told] : early)
    log.measured(12, EventType::kEventTag, measured, told);
  log.event(13, EventType::kEventTag, boot_application({sipa_module("\\Windows\\system32\\ntoskrnl.exe", 2)}));
  log.event(14, EventType::kEventTag, sipa(windows::SipaType::kAuthorityKey, Bytes(294, 3)));
  for (RegisterIndex index = 12; index <= 14; ++index)
    log.event(index, EventType::kSeparator, "WBCL");
  log.event(5, EventType::kEfiAction, "Exit Boot Services Returned with Success");
  return log;
}

}  // namespace warifu::measured_boot
