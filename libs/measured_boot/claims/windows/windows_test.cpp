#include <gtest/gtest.h>

#include <algorithm>

#include "measured_boot/claims/windows/test_windows.h"
#include "sim/test_data.h"

namespace warifu::measured_boot {
namespace {

using windows::Flag;
using windows::NxPolicy;
using windows::SipaType;
using windows::WindowsClaims;

WindowsClaims claims_in(const LogWriter& log, RegisterSet confirmed = RegisterSet().set()) {
  const auto claims = read(log.bytes(), confirmed).claims.windows;
  return claims.value_or(WindowsClaims());
}

// Every flag that is told and good.
std::size_t good_flags(const WindowsClaims& claims) {
  std::size_t count = 0;
  for (const Flag flag :
       {Flag::kBootDebugging, Flag::kKernelDebugging, Flag::kTestSigning, Flag::kSafeMode, Flag::kWinPe})
    count += claims.of(flag) && !**claims.of(flag) ? 1U : 0U;
  return count + (claims.of(Flag::kCodeIntegrity) && **claims.of(Flag::kCodeIntegrity) ? 1U : 0U);
}

TEST(WindowsClaims, TellAWholeBoot) {
  const Read boot = read(windows_boot().bytes());
  EXPECT_EQ(boot.claims.kernel, KernelEvidence::kWindows);
  EXPECT_FALSE(has(boot.claims, "event.unexplained"));
  ASSERT_TRUE(boot.claims.windows);
  const WindowsClaims& claims = *boot.claims.windows;
  EXPECT_TRUE(claims.is_complete);
  EXPECT_EQ(good_flags(claims), 6u);
  EXPECT_EQ(**claims.nx_policy, NxPolicy::kOptOut);
  EXPECT_EQ(**claims.vsm_launch_type, 1u);
  EXPECT_EQ(**claims.hvci_policy, 1u);
  ASSERT_EQ(claims.unlocks.size(), 1u);
  EXPECT_EQ(to_string(*claims.unlocks[0]), "tpm");
  ASSERT_EQ(claims.elam_drivers.size(), 1u);
  EXPECT_EQ(claims.elam_drivers[0]->name, "Defender");
  ASSERT_TRUE(claims.modules.complete());
  ASSERT_EQ(claims.modules.complete()->size(), 2u);
  EXPECT_EQ(claims.modules.complete()->back()->path, "\\Windows\\system32\\ntoskrnl.exe");
  EXPECT_EQ(claims.authorities.complete()->size(), 1u);
  // Linux has none of it.
  EXPECT_FALSE(read(grub_boot().bytes()).claims.windows);
}

TEST(WindowsClaims, TheWorseOfTwoLoadersCounts) {
  for (const bool is_first : {true, false}) {
    const Bytes bad =
        boot_application({sipa_flag(SipaType::kTestSigning, true), sipa_flag(SipaType::kCodeIntegrity, false),
                          sipa(SipaType::kNxPolicy, little_endian(2, 8))});
    const Bytes good = loader_of();
    const Read boot =
        read(is_first ? windows_boot({{good, good}}, bad).bytes() : windows_boot({{bad, bad}}, good).bytes());
    const WindowsClaims& claims = *boot.claims.windows;
    EXPECT_TRUE(**claims.of(Flag::kTestSigning));
    EXPECT_FALSE(**claims.of(Flag::kCodeIntegrity));
    EXPECT_FALSE(claims.nx_policy);
    EXPECT_TRUE(has(boot.claims, "windows.test-signing"));
    EXPECT_TRUE(has(boot.claims, "windows.no-code-integrity"));
    EXPECT_TRUE(has(boot.claims, "windows.ambiguous"));
    EXPECT_FALSE(**claims.of(Flag::kBootDebugging)) << "told by one alone";
  }
  EXPECT_FALSE(has(read(windows_boot().bytes()).claims, "windows.test-signing"));
}

TEST(WindowsClaims, L2_AHiddenEventLeavesNothingGoodBelieved) {
  const Bytes bad = boot_application({sipa_flag(SipaType::kTestSigning, true)});
  const Bytes shown = boot_application({sipa_flag(SipaType::kTestSigning, false)});
  // Its data is changed, or is none.
  for (const Bytes& told : {shown, Bytes(), Bytes(bad.begin(), bad.end() - 1)}) {
    const Read boot = read(windows_boot({{bad, told}}).bytes());
    const WindowsClaims& claims = *boot.claims.windows;
    EXPECT_FALSE(claims.is_complete);
    EXPECT_EQ(good_flags(claims), 0u);
    EXPECT_FALSE(claims.nx_policy || claims.vsm_launch_type || claims.hvci_policy);
    EXPECT_FALSE(claims.modules.complete() || claims.authorities.complete());
    EXPECT_TRUE(has(boot.claims, "windows.unsure"));
  }
  EXPECT_TRUE(**claims_in(windows_boot({{bad, bad}})).of(Flag::kTestSigning));
  // What is bad stays told beside a hidden event.
  const LogWriter both = windows_boot({{bad, bad}, {as_bytes("x"), Bytes(8)}});
  EXPECT_TRUE(**claims_in(both).of(Flag::kTestSigning));
  EXPECT_FALSE(claims_in(both).of(Flag::kBootDebugging));
}

TEST(WindowsClaims, L2_NothingIsProvedInARegisterThatIsNotConfirmed) {
  for (const RegisterIndex unconfirmed : {12u, 13u, 14u}) {
    const WindowsClaims claims = claims_in(windows_boot(), RegisterSet().set().reset(unconfirmed));
    EXPECT_FALSE(claims.is_complete) << unconfirmed;
    EXPECT_EQ(good_flags(claims), 0u);
  }
}

TEST(WindowsClaims, L1_TheTypeOfAnEventIsNotBelieved) {
  const Read boot = read(windows_boot().bytes());
  for (const Event& event : boot.log.events()) {
    if (event.register_index < 12) continue;
    for (const EventType type : every_type()) {
      if (type == EventType::kNoAction) continue;  // it would not replay
      const Read other = read(retyped(boot.bytes, event, type, ""));
      ASSERT_TRUE(other.claims.windows);
      EXPECT_EQ(good_flags(*other.claims.windows), 6u);
      EXPECT_TRUE(other.claims.windows->is_complete);
    }
  }
}

TEST(WindowsClaims, L3_WhatComesAfterTheSeparatorIsNotTheLoaders) {
  LogWriter log = windows_boot();
  log.event(12, EventType::kEventTag, boot_application({sipa_flag(SipaType::kFlightSigning, false)}));
  const Read boot = read(log.bytes());
  EXPECT_FALSE(boot.claims.windows->of(Flag::kFlightSigning));
  EXPECT_TRUE(boot.claims.windows->is_complete);
  EXPECT_TRUE(has(boot.claims, "windows.late"));
  // Without one nobody knows where the loaders end.
  LogWriter open = SecureBootEvents().log();
  open.separators().event(12, EventType::kEventTag, loader_of());
  EXPECT_EQ(good_flags(claims_in(open)), 0u);
  EXPECT_TRUE(has(read(open.bytes()).claims, "windows.separator-missing"));
}

TEST(WindowsClaims, AValueOfAnotherFormHidesTheEvent) {
  for (const Bytes& odd :
       {sipa(SipaType::kBootDebugging, Bytes(2)), sipa(SipaType::kNxPolicy, little_endian(4, 8)),
        sipa(SipaType::kVsmLaunchType, Bytes(3)), sipa(SipaType::kBitLockerUnlock, Bytes()),
        sipa(SipaType::kLoadedModule, Bytes()), sipa(SipaType::kCodeIntegrityPolicy, Bytes(15)),
        sipa(SipaType::kSecureBootCustomPolicy, Bytes(20)),
        sipa(SipaType::kLoadedModule, concatenated({sipa(SipaType::kAuthenticodeHash, Bytes(32)),
                                                    sipa(SipaType::kAuthenticodeHash, Bytes(32, 1))}))}) {
    const Bytes event = boot_application({odd});
    const Read boot = read(windows_boot({{event, event}}).bytes());
    EXPECT_FALSE(boot.claims.windows->is_complete) << to_hex(odd);
    EXPECT_TRUE(has(boot.claims, "windows.malformed")) << to_hex(odd);
  }
  const Bytes unknown = boot_application({sipa(static_cast<SipaType>(0x0005FFFF), Bytes(3))});
  EXPECT_TRUE(claims_in(windows_boot({{unknown, unknown}})).is_complete) << "proved, and no claim of ours";
}

TEST(WindowsClaims, ElamDriversMayStandInOneAnother) {
  const auto named = [](std::string_view name) {
    return sipa(SipaType::kElamName, concatenated({utf16(name), Bytes(2)}));
  };
  const Bytes inner = concatenated({sipa(SipaType::kElamDriver, named("B")), sipa(SipaType::kElamDriver, named("C"))});
  const Bytes nested = boot_application({sipa(SipaType::kElamDriver, concatenated({named("A"), inner}))});
  const WindowsClaims claims = claims_in(windows_boot({{nested, nested}}));
  EXPECT_TRUE(claims.is_complete);
  std::vector<std::string> names;
  for (const auto& driver : claims.elam_drivers)
    names.push_back(driver->name);
  EXPECT_EQ(names, (std::vector<std::string>{"Defender", "A", "B", "C"}));
  const Bytes doubled = boot_application({sipa(SipaType::kElamDriver, concatenated({named("A"), named("B")}))});
  EXPECT_FALSE(claims_in(windows_boot({{doubled, doubled}})).is_complete);
}

TEST(Sipa, L19_LengthsAndDepthAreHostile) {
  const auto code = [](const Bytes& bytes) {
    const auto events = windows::parse_sipa(bytes, 100);
    return events ? std::string_view() : events.error().code;
  };
  EXPECT_EQ(code(loader_of()), "");
  const Bytes whole = loader_of();
  for (std::size_t size = 1; size < whole.size(); ++size)
    EXPECT_NE(code(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))), "") << size;
  Bytes lying = whole;
  std::fill_n(lying.begin() + 4, 4, std::uint8_t{0xFF});
  EXPECT_EQ(code(lying), "eventlog.truncated");
  Bytes inner = whole;
  inner[8 + 4] = 0xFF;
  inner[8 + 5] = 0xFF;
  EXPECT_EQ(code(inner), "eventlog.truncated");
  Bytes nested = sipa_flag(SipaType::kBootDebugging, true);
  for (std::size_t depth = 1; depth < windows::kSipaDepthMax; ++depth)
    nested = boot_application({nested});
  EXPECT_EQ(code(nested), "");
  EXPECT_EQ(code(boot_application({nested})), "eventlog.sipa-depth");
  Bytes many;
  for (std::size_t i = 0; i < windows::kSipaEventsMax - 1; ++i) {
    const Bytes one = sipa(SipaType::kBootDebugging, {});
    many.insert(many.end(), one.begin(), one.end());
  }
  EXPECT_EQ(code(sipa(SipaType::kTrustBoundary, many)), "");
  EXPECT_EQ(code(concatenated({sipa(SipaType::kTrustBoundary, many), sipa(SipaType::kBootDebugging, {})})),
            "eventlog.sipa-count");
  // Linux's EFI stub tags its initrd.
  EXPECT_EQ(code(sipa(static_cast<SipaType>(0x8F3B22EC), Bytes(4))), "eventlog.sipa-type");
}

TEST(WindowsClaims, OfRealLogs) {
  const auto data = sim::test_data();
  if (!data) GTEST_SKIP() << "there is no test data: set WARIFU_TEST_DATA";
  const auto of = [&](const std::string& name) {
    return read(sim::read_test_file(*data / "eventlogs/windows-wbcl" / name));
  };
  struct Row {
    std::string name;
    NxPolicy nx;
    std::uint64_t vsm;
    std::string first_unlock;
  };
  const Row rows[] = {{"guard-oss__IMN-SUPERMICRO-EPP-MSDefender.bin", NxPolicy::kOptOut, 0, "none"},
                      {"guard-oss__IMN-SUPERMICRO-WBCL-Quote-AIKs.bin", NxPolicy::kOptOut, 0, "none"},
                      {"guard-oss__supermicro-WBCL-OSLOAD-quoted.bin", NxPolicy::kOptOut, 0, "none"},
                      {"guard-oss__tpm2_windows_lenovo_yogax1v2.bin", NxPolicy::kOptIn, 0, "tpm"},
                      {"ibmtss__p511.bin", NxPolicy::kOptIn, 1, "tpm"}};
  for (const Row& row : rows) {
    const Read boot = of(row.name);
    ASSERT_TRUE(boot.claims.windows) << row.name;
    const WindowsClaims& claims = *boot.claims.windows;
    EXPECT_TRUE(claims.is_complete) << row.name;
    EXPECT_EQ(good_flags(claims), 6u) << row.name;
    ASSERT_TRUE(claims.nx_policy && claims.vsm_launch_type) << row.name;
    EXPECT_EQ(**claims.nx_policy, row.nx) << row.name;
    EXPECT_EQ(**claims.vsm_launch_type, row.vsm) << row.name;
    EXPECT_EQ(claims.vsm_identity_key.has_value(), row.vsm != 0) << row.name;
    EXPECT_EQ(to_string(*claims.unlocks.front()), row.first_unlock) << row.name;
    ASSERT_EQ(claims.elam_drivers.size(), 1u) << row.name;
    EXPECT_EQ(claims.elam_drivers[0]->name, "Windows Defender") << row.name;
    const auto has_kernel = [](const auto& module) { return module->path.ends_with("\\ntoskrnl.exe"); };
    EXPECT_TRUE(std::ranges::any_of(*claims.modules.complete(), has_kernel)) << row.name;
  }
}

}  // namespace
}  // namespace warifu::measured_boot
