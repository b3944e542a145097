#include <gtest/gtest.h>

#include "measured_boot/claims/test_claims.h"

// Logs in the order in which U-Boot's bootm writes them, and what a liar could make of them.
namespace warifu::measured_boot {
namespace {

std::string_view with_nul(std::string_view text) {
  return {text.data(), text.size() + 1};  // of a literal
}

struct UBoot {
  std::string_view version = with_nul("U-Boot 2025.01");
  std::string_view kernel = "a kernel";
  std::string_view bootargs = with_nul("console=ttyS0 quiet");
  EventType type = EventType::kPlatformConfigFlags;
  RegisterIndex bootargs_register = 1;

  LogWriter log() const {
    LogWriter log({kSha256});
    log.event(0, EventType::kSCrtmVersion, version);
    log.measured(8, EventType::kCompactHash, as_bytes(kernel), as_bytes(with_nul("linux")));
    log.measured(9, EventType::kCompactHash, as_bytes("an initrd"), as_bytes(with_nul("initrd")));
    log.measured(1, EventType::kTableOfDevices, as_bytes("a tree"), as_bytes(with_nul("dts")));
    return log.event(bootargs_register, type, bootargs);
  }
  std::optional<std::string> command_line() const { return line_of(log().separators()); }

  static std::optional<std::string> line_of(const LogWriter& log) {
    const auto& line = read(log.bytes()).claims.kernel_command_line;
    return line ? std::optional(**line) : std::nullopt;
  }
};

TEST(UBootLog, ProvesTheCommandLineOfBootm) {
  EXPECT_EQ(UBoot().command_line(), "console=ttyS0 quiet");
  EXPECT_EQ(UBoot{.bootargs = with_nul("")}.command_line(), "");
}

TEST(UBootLog, L1_TheCommandLineIsKnownByItsPlace) {
  EXPECT_EQ(UBoot{.type = EventType::kPostCode}.command_line(), "console=ttyS0 quiet");
  // A better one that was extended later, behind the real one or behind the separator.
  LogWriter hidden = UBoot{.bootargs = with_nul("init=/evil")}.log();
  hidden.separators().event(1, EventType::kPlatformConfigFlags, UBoot().bootargs);
  EXPECT_EQ(UBoot::line_of(hidden), "init=/evil");
  LogWriter told = UBoot().log();
  told.measured(1, EventType::kTableOfDevices, as_bytes(with_nul("init=/evil")), as_bytes(with_nul("dts")));
  EXPECT_EQ(UBoot::line_of(told.separators()), std::nullopt);
}

TEST(UBootLog, L3_TheCommandLineNeedsTheOnlySeparator) {
  EXPECT_EQ(UBoot::line_of(UBoot().log()), std::nullopt);
  LogWriter doubled = UBoot().log();
  doubled.separators().event(1, EventType::kSeparator, Bytes(4));
  EXPECT_EQ(UBoot::line_of(doubled), std::nullopt);
}

TEST(UBootLog, TheCommandLineIsATextOfUBootForAKernelThatWasMeasured) {
  EXPECT_EQ(UBoot{.version = with_nul("Other 2025.01")}.command_line(), std::nullopt);
  EXPECT_EQ(UBoot{.bootargs = "no end"}.command_line(), std::nullopt);
  EXPECT_EQ(UBoot{.bootargs = std::string_view("two\0ends\0", 9)}.command_line(), std::nullopt);
  EXPECT_EQ(UBoot{.bootargs_register = 3}.command_line(), std::nullopt);
  EXPECT_EQ(UBoot{.kernel = with_nul("linux")}.command_line(), std::nullopt);
  LogWriter changed = UBoot().log();
  changed.measured(1, EventType::kPlatformConfigFlags, as_bytes("another text"), as_bytes(UBoot().bootargs));
  EXPECT_EQ(UBoot::line_of(changed.separators()), std::nullopt);
}

TEST(UBootLog, AKernelWhoseDigestIsOfItsNameWasNotMeasured) {
  for (const std::string_view kernel : {with_nul("linux"), std::string_view()}) {
    for (const EventType type : {EventType::kCompactHash, EventType::kIpl}) {
      LogWriter log({kSha256});
      log.measured(8, type, as_bytes(kernel), as_bytes(with_nul("linux"))).separators();
      const Claims claims = read(log.bytes()).claims;
      EXPECT_EQ(claims.kernel, KernelEvidence::kNone);
      EXPECT_TRUE(has(claims, "kernel.not-measured"));
      EXPECT_EQ(has(claims, "content.not-measured"), type == EventType::kCompactHash);
    }
  }
  const Claims measured = read(UBoot().log().separators().bytes()).claims;
  EXPECT_EQ(measured.kernel, KernelEvidence::kUBoot);
  EXPECT_FALSE(has(measured, "content.not-measured"));
}

// "linux" with its NUL reads as UTF-16, too.
TEST(UBootLog, L1_ANameIsNoCommandLineOfAStub) {
  LogWriter log({kSha256});
  log.event(8, EventType::kIpl, with_nul("linux")).separators();
  EXPECT_EQ(UBoot::line_of(log), std::nullopt);
  log.measured(4, EventType::kEfiBootServicesApplication, as_bytes("systemd-boot"), Bytes(32));
  EXPECT_NE(UBoot::line_of(log), std::nullopt);
}

// U-Boot's EFI measures them behind dbx. Under another type they are the same variables.
TEST(UBootLog, L1_AModeIsNoAuthority) {
  for (const EventType type : {kConfig, EventType::kEfiVariableAuthority, EventType::kPostCode}) {
    SecureBootEvents events;
    events.events.emplace_back(type, variable(global_variable_guid(), "DeployedMode", Bytes{0}));
    const Read boot = read(events.log().separators().bytes());
    EXPECT_TRUE(boot.claims.secure_boot.enabled);
    ASSERT_NE(boot.claims.authorities.complete(), nullptr);
    EXPECT_TRUE(boot.claims.authorities.complete()->empty());
    // Another's variable of that name is none, nor one whose digest is of something else.
    events.events.back() = {EventType::kEfiVariableAuthority,
                            variable(image_security_guid(), "DeployedMode", Bytes{0})};
    const Claims claims = read(events.log().separators().bytes()).claims;
    EXPECT_EQ(claims.authorities.complete(), nullptr);
    EXPECT_TRUE(has(claims, "secure-boot.unexplained"));
  }
}

}  // namespace
}  // namespace warifu::measured_boot
