// What firmware alone can say, because it comes before the separator, and what only looks as if it did.
#include <gtest/gtest.h>

#include "measured_boot/claims/test_claims.h"

namespace warifu::measured_boot {
namespace {

Bytes overwrite_request(std::uint8_t value) {
  return variable(parse_guid("e20939be-32d4-41be-a150-897f85d49829"), "MemoryOverwriteRequestControl", Bytes{value});
}

std::optional<bool> requested(const LogWriter& log) {
  const Read result = read(log.bytes());
  if (!result.claims.memory_overwrite_requested) return std::nullopt;
  return **result.claims.memory_overwrite_requested;
}

TEST(EventLog, L12_ARequestToOverwriteMemoryIsFirmwaresAndTheFirst) {
  for (const std::uint8_t value : Bytes{0, 1, 0x10, 0x11}) {
    const bool expected = (value & 1) != 0;
    LogWriter log({kSha256});
    log.event(1, kConfig, overwrite_request(value)).separators();
    EXPECT_EQ(requested(log), expected);
    // Whoever is root later extends PCR 1 with another value, and tells it truly.
    log.event(1, kConfig, overwrite_request(value ^ 1));
    EXPECT_EQ(requested(log), expected);
    LogWriter twice({kSha256});
    twice.event(1, kConfig, overwrite_request(value)).event(1, kConfig, overwrite_request(value ^ 1)).separators();
    EXPECT_EQ(requested(twice), expected);
  }
  LogWriter late({kSha256});
  EXPECT_EQ(requested(late.separators().event(1, kConfig, overwrite_request(1))), std::nullopt);
  LogWriter lie({kSha256});
  lie.measured(1, kConfig, overwrite_request(0), overwrite_request(1)).separators();
  EXPECT_EQ(requested(lie), std::nullopt);
}

TEST(EventLog, L1_AFirmwareVersionIsTheFirstThatPcr0WasExtendedWith) {
  const auto with = [](EventType first, EventType second) {
    LogWriter log({kSha256});
    log.startup_locality(3).event(1, EventType::kPostCode, "another register").event(0, first, "firmware 1");
    log.event(0, second, "not a version").separators();
    return read(log.bytes());
  };
  const Read honest = with(EventType::kSCrtmVersion, EventType::kNonhostInfo);
  ASSERT_TRUE(honest.claims.firmware_version);
  EXPECT_EQ(**honest.claims.firmware_version, "firmware 1");
  EXPECT_FALSE(has(honest.claims, "firmware.version-unsure"));
  // No types make another text of PCR 0 the version: its place is measured, its type is not.
  for (const EventType first : every_type()) {
    if (first == EventType::kNoAction) continue;
    const Read told = with(first, EventType::kSCrtmVersion);
    const auto& version = told.claims.firmware_version;
    EXPECT_EQ(version.has_value(), first == EventType::kSCrtmVersion) << name_of(first);
    EXPECT_TRUE(!version || **version == "firmware 1") << name_of(first);
    EXPECT_EQ(has(told.claims, "firmware.version-unsure"), !version) << name_of(first);
  }
}

// Before the separator a variable and an authority differ in their types alone, which are not measured.
TEST(EventLog, L1_AVariableToldAsAnAuthorityIsNone) {
  const Bytes more = variable(image_security_guid(), "dbt", signature_list(sha256_signature_guid(), kAllowed));
  const Bytes again = variable(image_security_guid(), "db", signature_list(sha256_signature_guid(), kAllowed));
  for (const Bytes& data : {more, again}) {
    SecureBootEvents as_variable;
    as_variable.events.emplace_back(kConfig, data);
    SecureBootEvents as_authority;
    as_authority.events.emplace_back(EventType::kEfiVariableAuthority, data);
    LogWriter honest = as_variable.log();
    LogWriter retyped = as_authority.log();
    const Read before = read(honest.separators().bytes());
    const Read after = read(retyped.separators().bytes());
    expect_no_better(before.claims, after.claims);
    EXPECT_TRUE(after.claims.authorities.found().empty());
    EXPECT_FALSE(after.claims.secure_boot.enabled);
  }
  // What firmware let a driver run by is an entry of its db.
  SecureBootEvents drivers;
  drivers.events.emplace_back(EventType::kEfiVariableAuthority, variable(image_security_guid(), "db", kAllowed));
  LogWriter log = drivers.log();
  const Read early = read(log.separators().bytes());
  ASSERT_EQ(early.claims.authorities.found().size(), 1u);
  EXPECT_TRUE(early.claims.authorities.complete());
  EXPECT_TRUE(early.claims.secure_boot.enabled);
}

}  // namespace
}  // namespace warifu::measured_boot
