#include <gtest/gtest.h>

#include <algorithm>

#include "measured_boot/claims/test_claims.h"

namespace warifu::measured_boot {
namespace {

TEST(EventLog, L1_TheTypeOfAnEventIsNotBelieved) {
  // A real variable that is hidden behind another type leaves the state unknown, whatever is added later.
  for (std::size_t hidden = 0; hidden < 5; ++hidden) {
    SecureBootEvents events;
    events.events[hidden].first = EventType::kEventTag;
    LogWriter log = events.log();
    log.separators().event(7, kConfig, SecureBootEvents().events[hidden].second);
    const Read boot = read(log.bytes());
    EXPECT_FALSE(boot.claims.secure_boot.enabled) << hidden;
    EXPECT_TRUE(has(boot.claims, "secure-boot.unexplained")) << hidden;
    EXPECT_TRUE(has(boot.claims, "secure-boot.late")) << hidden;
  }
}

TEST(EventLog, L3_SeparatorsAreKnownByTheirDigest) {
  const auto findings_with = [](EventType type, ByteView what) {
    LogWriter log({kSha256});
    for (RegisterIndex index = 0; index < 7; ++index)
      log.event(index, EventType::kSeparator, Bytes(4));
    log.measured(7, type, what, Bytes(4));
    return read(log.bytes()).claims;
  };
  const Bytes error = {1, 0, 0, 0};
  EXPECT_FALSE(has(findings_with(EventType::kSeparator, Bytes(4)), "separator.missing"));
  EXPECT_FALSE(has(findings_with(EventType::kSeparator, Bytes(4, 0xFF)), "separator.missing"));
  EXPECT_TRUE(has(findings_with(EventType::kSeparator, error), "separator.digest"));
  EXPECT_TRUE(has(findings_with(EventType::kSeparator, error), "separator.missing"));
  EXPECT_TRUE(has(findings_with(EventType::kEfiAction, Bytes(4)), "separator.retyped"));
  const LogWriter doubled = grub_boot().event(7, EventType::kSeparator, Bytes(4));
  EXPECT_TRUE(has(read(doubled.bytes()).claims, "separator.doubled"));
}

TEST(EventLog, L12_SecureBootNeedsItsVariablesInOrderAndOnce) {
  EXPECT_TRUE(read(SecureBootEvents().log().separators().bytes()).claims.secure_boot.enabled);
  SecureBootEvents off;
  off.events[0].second = variable(global_variable_guid(), "SecureBoot", Bytes{0});
  EXPECT_FALSE(**read(off.log().separators().bytes()).claims.secure_boot.enabled);
  for (std::size_t i = 0; i < 5; ++i) {
    SecureBootEvents missing;
    missing.events.erase(missing.events.begin() + static_cast<std::ptrdiff_t>(i));
    SecureBootEvents doubled;
    doubled.events.push_back(doubled.events[i]);
    SecureBootEvents swapped;
    std::swap(swapped.events[i], swapped.events[(i + 1) % 5]);
    SecureBootEvents foreign;
    foreign.events[i].second[0] ^= 1;  // of another vendor
    for (const auto& events : {missing, doubled, swapped, foreign}) {
      const Read boot = read(events.log().separators().bytes());
      EXPECT_FALSE(boot.claims.secure_boot.enabled) << i;
      EXPECT_TRUE(has(boot.claims, "secure-boot.unknown")) << i;
    }
  }
}

TEST(EventLog, L12_DebuggingAndMissingDmaProtectionAreFindings) {
  LogWriter log = SecureBootEvents().log();
  log.event(7, EventType::kEfiAction, "UEFI Debug Mode").event(7, EventType::kEfiAction, "DMA Protection Disabled");
  const Read boot = read(log.separators().bytes());
  EXPECT_TRUE(has(boot.claims, "firmware.debug-mode"));
  EXPECT_TRUE(has(boot.claims, "dma-protection.disabled"));
  EXPECT_TRUE(boot.claims.dma_protection_disabled);
  // Behind other words or another type they are found by their digest.
  for (const EventType type : {EventType::kEfiAction, EventType::kEfiVariableAuthority, EventType::kPostCode}) {
    LogWriter hidden = SecureBootEvents().log();
    hidden.measured(7, type, as_bytes("UEFI Debug Mode"), as_bytes("nothing"));
    hidden.separators().measured(7, type, as_bytes("DMA Protection Disabled"), as_bytes("nothing"));
    const Claims claims = read(hidden.bytes()).claims;
    EXPECT_TRUE(has(claims, "firmware.debug-mode"));
    EXPECT_TRUE(claims.dma_protection_disabled && has(claims, "dma-protection.disabled"));
    EXPECT_EQ(has(claims, "action.retyped"), type != EventType::kEfiAction);
  }
  // Words that nobody knows leave the state unknown.
  LogWriter unknown = SecureBootEvents().log();
  unknown.event(7, EventType::kEfiAction, "All is well");
  EXPECT_FALSE(read(unknown.separators().bytes()).claims.secure_boot.enabled);
}

TEST(EventLog, L12_AuthoritiesAreThoseOfTheMeasuredDb) {
  const auto authority = [](ByteView data) {
    LogWriter log = SecureBootEvents().log();
    log.separators().event(7, EventType::kEfiVariableAuthority, variable(image_security_guid(), "db", data));
    return read(log.bytes());
  };
  const Read known = authority(kAllowed);
  ASSERT_EQ(known.claims.authorities.found().size(), 1u);
  EXPECT_TRUE(known.claims.authorities.found()[0].is_in_db);
  const Read unknown = authority(Bytes(48, 1));
  EXPECT_FALSE(unknown.claims.authorities.found()[0].is_in_db);
  EXPECT_TRUE(has(unknown.claims, "authority.not-in-db"));
}

}  // namespace
}  // namespace warifu::measured_boot
