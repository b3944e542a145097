// Logs whose events are told as something else, which replay as before: a quote confirms them.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "measured_boot/claims/claims.h"
#include "measured_boot/claims/test_claims.h"
#include "measured_boot/event_log/parse.h"
#include "measured_boot/event_log/replay.h"

namespace warifu::measured_boot {
namespace {

using crypto::HashAlgorithm;

const Bytes kOther = to_bytes(as_bytes("POST CODE"));
const Bytes kError = {1, 0, 0, 0};

SecureBootEvents switched_off() {
  SecureBootEvents events;
  events.events[0].second = variable(global_variable_guid(), "SecureBoot", Bytes{0});
  return events;
}

constexpr std::string_view kCalling = "Calling EFI Application from Boot Option";

// Adds the variables to a log.
LogWriter& add(LogWriter& log, const SecureBootEvents& events) {
  for (const auto& [type, data] : events.events)
    log.event(7, type, data);
  return log;
}

TEST(EventLog, L1_ACommandLineUnderAnotherTypeIsNotOverlooked) {
  const std::string_view evil = "linux /vmlinuz init=/bin/sh";
  for (const EventType type : every_type()) {
    for (const RegisterIndex index : {8u, 12u}) {
      for (const ByteView data : {as_bytes(evil), ByteView(kOther), as_bytes("grub_cmd: nothing")}) {
        SCOPED_TRACE(testing::Message() << name_of(type) << " in " << index << ": " << as_text(data));
        LogWriter log = SecureBootEvents().log();
        log.separators().measured(index, type, as_bytes(evil), data);
        log.measured(8, EventType::kIpl, as_bytes("linux /vmlinuz ro"), as_bytes("grub_cmd: linux /vmlinuz ro"));
        if (type == EventType::kNoAction) continue;  // then it would not be extended
        const Claims claims = read(log.bytes()).claims;
        EXPECT_FALSE(claims.kernel_command_line);
        const bool is_expected =
            type == EventType::kIpl || type == EventType::kEventTag || type == EventType::kCompactHash;
        EXPECT_EQ(has(claims, "event.unexplained"), !is_expected);
      }
    }
  }
  // A separator hides nothing: Windows has them there.
  LogWriter log = SecureBootEvents().log();
  log.separators().event(12, EventType::kSeparator, Bytes(4)).event(12, EventType::kSeparator, "WBCL");
  log.measured(8, EventType::kIpl, as_bytes("linux /vmlinuz ro"), as_bytes("grub_cmd: linux /vmlinuz ro"));
  EXPECT_TRUE(read(log.bytes()).claims.kernel_command_line);
  EXPECT_FALSE(has(read(log.bytes()).claims, "event.unexplained"));
}

TEST(EventLog, L12_VariablesUnderAnotherTypeLeaveSecureBootUnknown) {
  for (const EventType type : every_type()) {
    if (type == EventType::kNoAction || type == EventType::kEfiVariableDriverConfig) continue;
    for (const bool own : {true, false}) {
      LogWriter log({kSha256});
      for (const auto& [was, data] : switched_off().events)
        log.measured(7, type, data, own ? data : kOther);
      add(log, SecureBootEvents()).separators();
      EXPECT_FALSE(read(log.bytes()).claims.secure_boot.enabled) << name_of(type) << own;
      EXPECT_FALSE(read(log.bytes()).claims.authorities.complete()) << name_of(type) << own;
    }
  }
}

TEST(EventLog, L12_AnAuthorityBeforeTheSeparatorComesAfterTheVariables) {
  const Bytes authority = variable(image_security_guid(), "db", kAllowed);
  const auto with = [&](bool is_first, ByteView data) {
    LogWriter log({kSha256});
    if (is_first) log.measured(7, EventType::kEfiVariableAuthority, authority, data);
    add(log, SecureBootEvents());
    if (!is_first) log.measured(7, EventType::kEfiVariableAuthority, authority, data);
    return read(log.separators().bytes());
  };
  EXPECT_FALSE(with(true, authority).claims.secure_boot.enabled);
  EXPECT_FALSE(with(true, authority).claims.authorities.complete());
  EXPECT_FALSE(with(false, kOther).claims.secure_boot.enabled);
  const Read drivers = with(false, authority);  // of an option ROM, as on some servers
  EXPECT_TRUE(drivers.claims.secure_boot.enabled);
  ASSERT_TRUE(drivers.claims.authorities.complete());
  EXPECT_EQ(drivers.claims.authorities.complete()->size(), 1u);
}

TEST(EventLog, L12_SecureBootNeedsOneSeparatorOfItsPcr) {
  EXPECT_FALSE(read(SecureBootEvents().log().bytes()).claims.secure_boot.enabled) << "none";
  LogWriter other = SecureBootEvents().log();
  for (RegisterIndex index = 0; index < 7; ++index)
    other.event(index, EventType::kSeparator, Bytes(4));
  EXPECT_FALSE(read(other.bytes()).claims.secure_boot.enabled) << "those of others";
  EXPECT_TRUE(read(LogWriter(other).event(7, EventType::kSeparator, Bytes(4)).bytes()).claims.secure_boot.enabled);
  const LogWriter twice = SecureBootEvents().log().separators().event(7, EventType::kSeparator, Bytes(4));
  EXPECT_FALSE(read(twice.bytes()).claims.secure_boot.enabled) << "two";
  const LogWriter error = LogWriter(other).event(7, EventType::kSeparator, kError);
  EXPECT_FALSE(read(error.bytes()).claims.secure_boot.enabled) << "an error";
  // Firmware's error, and what whoever started extended after it.
  LogWriter late({kSha256});
  late.event(7, EventType::kSeparator, kError);
  EXPECT_FALSE(read(add(late, SecureBootEvents()).separators().bytes()).claims.secure_boot.enabled);
}

TEST(EventLog, L12_ATdNeedsASeparatorAfterItsVariables) {
  const auto td = [](bool separated, bool error = false) {
    LogWriter log({kSha256}, 1);
    if (error) log.event(1, EventType::kSeparator, kError);
    for (const auto& [type, data] : SecureBootEvents().events)
      log.event(1, type, data);
    if (separated) log.event(1, EventType::kSeparator, Bytes(4));
    return read(log.bytes());
  };
  ASSERT_EQ(td(true).log.register_kind(), RegisterKind::kRtmr);
  EXPECT_TRUE(td(true).claims.secure_boot.enabled);
  EXPECT_FALSE(td(false).claims.secure_boot.enabled);
  EXPECT_FALSE(td(true, true).claims.secure_boot.enabled);
}

TEST(EventLog, L1_ATdsImagesShareARegisterWithVariables) {
  const auto td = [](ByteView what, ByteView data) {
    LogWriter log({kSha256}, 1);
    log.event(2, EventType::kSeparator, Bytes(4)).measured(2, EventType::kEfiVariableBoot, what, data);
    log.measured(2, EventType::kEfiBootServicesApplication, as_bytes("shim"), Bytes(32));
    return read(log.bytes()).claims.images.complete() != nullptr;
  };
  const Bytes order = variable(global_variable_guid(), "BootOrder", Bytes{1, 0});
  EXPECT_TRUE(td(order, order));
  EXPECT_TRUE(td(Bytes{1, 0}, order)) << "the value alone";
  EXPECT_FALSE(td(as_bytes("evil"), order));
  const Bytes image = variable(global_variable_guid(), "Boot0000", as_bytes("MZ evil"));
  EXPECT_FALSE(td(as_bytes("MZ evil"), image));
}

TEST(EventLog, L1_AHiddenImageOrAuthorityMakesItsListIncomplete) {
  const Claims whole = read(grub_boot().bytes()).claims;
  ASSERT_TRUE(whole.images.complete());
  EXPECT_EQ(whole.images.complete()->size(), 1u);
  ASSERT_TRUE(whole.authorities.complete());
  const Bytes evil = variable(image_security_guid(), "db", Bytes(48, 1));
  for (const EventType type : every_type()) {
    if (type == EventType::kNoAction) continue;
    for (const ByteView data : {ByteView(evil), ByteView(kOther)}) {
      SCOPED_TRACE(testing::Message() << name_of(type) << ", own data: " << (data.size() == evil.size()));
      const Claims images = read(grub_boot().measured(4, type, evil, data).bytes()).claims;
      EXPECT_TRUE(!images.images.complete() || images.images.complete()->size() == 2);
      EXPECT_EQ(!images.images.complete(), has(images, "event.unexplained"));
      const Claims claims = read(grub_boot().measured(7, type, evil, data).bytes()).claims;
      EXPECT_TRUE(!claims.authorities.complete() || has(claims, "authority.not-in-db"));
      EXPECT_TRUE(claims.authorities.complete() || has(claims, "event.unexplained") ||
                  has(claims, "secure-boot.late") || has(claims, "authority.unproved") ||
                  has(claims, "separator.digest"));
    }
  }
  EXPECT_FALSE(read(grub_boot().bytes(), RegisterSet().set().reset(4).reset(7)).claims.images.complete());
  EXPECT_FALSE(read(grub_boot().bytes(), RegisterSet().set().reset(4).reset(7)).claims.authorities.complete());
}

TEST(EventLog, L1_AnSbatLevelIsNotReplacedByALaterOne) {
  const auto sbat = [](std::string_view level) { return variable(Guid{}, "SbatLevel", as_bytes(level)); };
  const Bytes old = sbat("sbat,1,2021030218\n");
  LogWriter log = grub_boot();
  log.measured(7, EventType::kPostCode, old, kOther);
  log.event(7, EventType::kEfiVariableAuthority, sbat("sbat,1,2099010100\n"));
  EXPECT_FALSE(read(log.bytes()).claims.sbat_level);
  const LogWriter honest = grub_boot().event(7, EventType::kEfiVariableAuthority, old);
  EXPECT_TRUE(read(honest.bytes()).claims.sbat_level);
}

TEST(EventLog, L1_AFirmwareVersionIsNotReplacedByALaterOne) {
  const auto with = [](EventType type) {
    LogWriter log({kSha256});
    log.event(0, type, "firmware 1").separators().event(0, EventType::kSCrtmVersion, "firmware 2");
    return read(log.bytes()).claims.firmware_version;
  };
  ASSERT_TRUE(with(EventType::kSCrtmVersion));
  EXPECT_EQ(**with(EventType::kSCrtmVersion), "firmware 1");
  EXPECT_FALSE(with(EventType::kPostCode));
}

TEST(EventLog, L19_SignaturesAreCountedAndHaveData) {
  const auto list = [](std::size_t size, std::size_t count) {
    return concatenated({x509_signature_guid(), little_endian(28 + size * count, 4), little_endian(0, 4),
                         little_endian(size, 4), Bytes(size * count)});
  };
  EXPECT_FALSE(parse_signature_lists(list(16, 4), 0));
  EXPECT_TRUE(parse_signature_lists(list(17, 4), 0));
  EXPECT_TRUE(parse_signature_lists(list(17, kMaxSignatures), 0));
  EXPECT_FALSE(parse_signature_lists(list(17, kMaxSignatures + 1), 0));
  EXPECT_FALSE(parse_signature_lists(concatenated({list(17, kMaxSignatures), list(17, 1)}), 0));
}

// A comparison of each authority with each signature would read more than 10^11 bytes here.
TEST(EventLog, L19_AuthoritiesAreLookedUpInTheDb) {
  constexpr std::size_t kAuthorities = 30000;
  constexpr std::size_t kSize = 16 + 100;
  const Bytes list = concatenated({x509_signature_guid(), little_endian(28 + kSize * kMaxSignatures, 4),
                                   little_endian(0, 4), little_endian(kSize, 4), Bytes(kSize * kMaxSignatures, 1)});
  SecureBootEvents events;
  events.events[3].second = variable(image_security_guid(), "db", list);
  LogWriter log({kSha256});
  add(log, events).separators();
  const Bytes authority = variable(image_security_guid(), "db", concatenated({Bytes(kSize - 1, 1), Bytes{2}}));
  for (std::size_t i = 0; i < kAuthorities; ++i)
    log.event(7, EventType::kEfiVariableAuthority, authority);
  const Bytes bytes = log.bytes();
  const auto parsed = parse_event_log(bytes);
  ASSERT_TRUE(parsed) << to_string(parsed.error());
  const auto begin = std::chrono::steady_clock::now();
  const Claims claims = claims_of(Prover(*parsed, kSha256, RegisterSet().set()));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
  EXPECT_EQ(claims.authorities.found().size(), kAuthorities);
}

// An unproved claim may vanish; a proved one may not change, and none may appear.
TEST(EventLog, L1_NoRetypingMakesAClaimBetter) {
  const Bytes authority = variable(image_security_guid(), "db", Bytes(48, 1));
  LogWriter bad({kSha256});
  bad.event(0, EventType::kSCrtmVersion, "firmware 1").event(7, EventType::kEfiAction, "UEFI Debug Mode");
  add(bad, switched_off()).separators().event(7, EventType::kEfiAction, "DMA Protection Disabled");
  bad.event(7, EventType::kEfiVariableAuthority, authority).event(4, EventType::kEfiAction, kCalling);
  bad.measured(4, EventType::kEfiBootServicesApplication, as_bytes("evil"), Bytes(32));
  bad.event(8, EventType::kIpl, "grub_cmd: set x").event(12, EventType::kIpl, utf16("init=/bin/sh"));
  // What whoever was started extends later.
  add(bad, SecureBootEvents()).event(8, EventType::kIpl, "linux /vmlinuz ro");
  bad.event(7, EventType::kEfiVariableAuthority, variable(image_security_guid(), "db", kAllowed));
  bad.measured(4, EventType::kEfiBootServicesApplication, as_bytes("good"), Bytes(32));
  bad.event(0, EventType::kPostCode, "firmware 2");
  for (const Bytes& bytes : {grub_boot().bytes(), bad.bytes()}) {
    const Read before = read(bytes);
    for (const Event& event : before.log.events()) {
      if (!event.is_measured()) continue;
      for (const EventType type : every_type()) {
        for (const std::string_view text : {"", "POST CODE", "linux /vmlinuz ro", "grub_cmd: linux /vmlinuz ro"}) {
          const Bytes changed = retyped(bytes, event, type, text);
          SCOPED_TRACE(testing::Message() << "event " << event.number << " as " << name_of(type) << " " << text);
          if (type != EventType::kNoAction) expect_no_better(before.claims, read(changed).claims);
        }
      }
    }
  }
}

}  // namespace
}  // namespace warifu::measured_boot
