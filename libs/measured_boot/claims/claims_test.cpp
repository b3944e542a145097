#include "measured_boot/claims/claims.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "measured_boot/claims/test_claims.h"
#include "measured_boot/event_log/comparison.h"
#include "measured_boot/event_log/parse.h"
#include "measured_boot/event_log/replay.h"
#include "sim/test_data.h"

namespace warifu::measured_boot {
namespace {

using crypto::HashAlgorithm;

TEST(Claims, TellsAWholeBoot) {
  const Read boot = read(grub_boot().bytes());
  const Claims& claims = boot.claims;
  ASSERT_TRUE(claims.secure_boot.enabled);
  EXPECT_TRUE(**claims.secure_boot.enabled);
  ASSERT_TRUE(claims.secure_boot.db);
  EXPECT_EQ((*claims.secure_boot.db)->signatures.size(), 1u);
  EXPECT_EQ(claims.images.found().size(), 1u);
  EXPECT_EQ(claims.kernel, KernelEvidence::kGrub);
  ASSERT_TRUE(claims.kernel_command_line);
  EXPECT_EQ(**claims.kernel_command_line, "/vmlinuz root=/dev/sda1");
  for (const auto& finding : claims.findings)
    ADD_FAILURE() << finding.code << ": " << finding.detail;
}

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

TEST(EventLog, L1_ALabelDoesNotMakeACommandLine) {
  // The real command line is told as a file, and a better one is extended later.
  LogWriter log = SecureBootEvents().log();
  log.separators().measured(8, EventType::kIpl, as_bytes("linux /vmlinuz init=/evil"), as_bytes("a file"));
  log.measured(8, EventType::kIpl, as_bytes("linux /vmlinuz quiet"), as_bytes("grub_cmd: linux /vmlinuz quiet"));
  EXPECT_FALSE(read(log.bytes()).claims.kernel_command_line);
  EXPECT_TRUE(has(read(log.bytes()).claims, "kernel.command-line-unsure"));
  // Two of them; and one that only a label calls so.
  const LogWriter two = grub_boot().event(8, EventType::kIpl, "grub_cmd: linux /vmlinuz quiet");
  EXPECT_FALSE(read(two.bytes()).claims.kernel_command_line);
  LogWriter told = SecureBootEvents().log();
  told.separators().measured(8, EventType::kIpl, as_bytes("/vmlinuz quiet"),
                             as_bytes("kernel_cmdline: /vmlinuz quiet"));
  EXPECT_FALSE(read(told.bytes()).claims.kernel_command_line);
  EXPECT_EQ(read(told.bytes()).claims.told_command_lines.size(), 1u);
}

TEST(EventLog, L2_DataIsProvedOnlyByItsDigest) {
  const LogWriter log = grub_boot();
  const Read boot = read(log.bytes());
  for (const Event& event : boot.log.events()) {
    const Prover prover(boot.log, kSha256, RegisterSet().set());
    if (!prover.data(event)) continue;
    Bytes changed = boot.bytes;
    changed[event.data_offset] ^= 1;
    const auto other = parse_event_log(changed);
    if (!other) continue;
    EXPECT_EQ(replay(*other), replay(boot.log)) << event.number;
    EXPECT_FALSE(Prover(*other, kSha256, RegisterSet().set()).data(other->events()[event.number])) << event.number;
  }
}

TEST(EventLog, L2_NothingIsProvedInARegisterThatTheQuoteDoesNotConfirm) {
  const Read boot = read(grub_boot().bytes(), RegisterSet().set().reset(7).reset(8));
  EXPECT_FALSE(boot.claims.secure_boot.enabled);
  EXPECT_FALSE(boot.claims.secure_boot.db);
  EXPECT_FALSE(boot.claims.kernel_command_line);
  EXPECT_EQ(boot.claims.images.found().size(), 1u);
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

TEST(EventLog, L8_ABankThatFirmwareDidNotUseIsRefused) {
  const LogWriter writer = grub_boot();
  const auto log = parse_event_log(writer.bytes());
  const auto quoted = [&](const crypto::Digest& value, RegisterIndex first) {
    Bank bank(kSha256);
    for (RegisterIndex index = 0; index < 8; ++index)
      bank.set(index, index < first ? *replay(*log).find(kSha256, index) : value);
    return compare(*log, bank);
  };
  EXPECT_EQ(quoted(crypto::Digest(kSha256), 0).error().code, "eventlog.bank-unused");
  EXPECT_EQ(quoted(crypto::digest(kSha256, {Bytes(4)}), 0).error().code, "eventlog.bank-unused");
  const auto real = quoted(crypto::Digest(kSha256), 8);
  ASSERT_TRUE(real) << to_string(real.error());
  EXPECT_FALSE(real->confirmed().test(9));
  Bank equal_ones(kSha256);
  for (const RegisterIndex index : {2u, 3u, 6u})
    equal_ones.set(index, *replay(*log).find(kSha256, index));
  ASSERT_EQ(*equal_ones.find(2), *equal_ones.find(6));
  EXPECT_TRUE(compare(*log, equal_ones)) << "separators alone, as on many machines";
  // Capped, and the sender leaves PCR 0 out.
  for (const RegisterIndex also : {4u, 7u}) {
    Bank without_zero(kSha256);
    for (const RegisterIndex index : {2u, 3u, also})
      without_zero.set(index, *equal_ones.find(2));
    const auto unused = compare(*log, without_zero);
    ASSERT_FALSE(unused) << also;
    EXPECT_EQ(unused.error().code, "eventlog.bank-unused");
  }
  EXPECT_EQ(compare(*log, Bank(HashAlgorithm::kSha384)).error().code, "eventlog.bank-missing");
}

TEST(EventLog, L14_AgreesOnlyWhenAllOfFirmwareIsQuoted) {
  const LogWriter writer = grub_boot();
  const auto log = parse_event_log(writer.bytes());
  const Bank all = replay(*log, kSha256);
  ASSERT_TRUE(compare(*log, all)->agrees());
  for (RegisterIndex missing = 0; missing < 8; ++missing) {
    Bank quoted(kSha256);
    for (const auto& [index, value] : all.registers())
      if (index != missing) quoted.set(index, value);
    const auto comparison = compare(*log, quoted);
    ASSERT_TRUE(comparison);
    EXPECT_FALSE(comparison->agrees()) << missing;
    EXPECT_EQ(comparison->unquoted_firmware, RegisterSet(1U << missing));
  }
  Bank debug(kSha256);
  debug.set(16, crypto::Digest(kSha256));
  EXPECT_FALSE(compare(*log, debug)->agrees());
}

TEST(EventLog, L9_AShortenedLogIsFoundByTheQuote) {
  const LogWriter whole = grub_boot();
  const LogWriter longer = grub_boot().event(9, EventType::kIpl, "one more");
  const auto quoted = replay(*parse_event_log(longer.bytes()), kSha256);
  const auto comparison = compare(*parse_event_log(whole.bytes()), quoted);
  ASSERT_TRUE(comparison);
  EXPECT_FALSE(comparison->agrees());
  EXPECT_FALSE(comparison->confirmed().test(9));
  EXPECT_TRUE(comparison->confirmed().test(8));
  EXPECT_TRUE(compare(*parse_event_log(longer.bytes()), quoted)->agrees());
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

TEST(EventLog, L13_MissingExitBootServicesEventsAreAFinding) {
  EXPECT_FALSE(has(read(grub_boot().bytes()).claims, "exit-boot-services.missing"));
  EXPECT_TRUE(has(read(SecureBootEvents().log().separators().bytes()).claims, "exit-boot-services.missing"));
}

TEST(EventLog, L14_EachRegisterIsComparedByItself) {
  const LogWriter writer = grub_boot();
  const auto log = parse_event_log(writer.bytes());
  Bank quoted = replay(*log, kSha256);
  crypto::Digest other = *quoted.find(0);
  other.writable()[0] ^= 1;
  quoted.set(0, other);
  const auto comparison = compare(*log, quoted);
  ASSERT_TRUE(comparison);
  for (const auto& [index, answer] : comparison->registers)
    EXPECT_EQ(answer == RegisterComparison::Answer::kEqual, index != 0) << index;
}

TEST(EventLog, L15_ARegisterThatTheLogDoesNotExplainIsUnlogged) {
  const LogWriter writer = grub_boot();
  const auto log = parse_event_log(writer.bytes());
  Bank quoted = replay(*log, kSha256);
  quoted.set(11, crypto::digest(kSha256, {as_bytes("enter-initrd")}));
  quoted.set(12, crypto::Digest(kSha256));
  const auto comparison = compare(*log, quoted);
  ASSERT_TRUE(comparison);
  EXPECT_FALSE(comparison->agrees());
  EXPECT_FALSE(comparison->confirmed().test(11));
  EXPECT_TRUE(comparison->confirmed().test(12));
}

TEST(EventLog, L19_InnerLengthsAreHostileToo) {
  const Bytes huge = little_endian(~std::uint64_t{0}, 8);
  const Guid guid = global_variable_guid();
  for (const Bytes& data :
       {concatenated({guid, huge, huge}), concatenated({guid, little_endian(1, 8), huge, utf16("x")}),
        concatenated({guid, little_endian(std::uint64_t{1} << 63, 8), little_endian(0, 8)}), Bytes(), Bytes(15)})
    EXPECT_FALSE(parse_variable(data, 0));
  const Guid type = x509_signature_guid();
  for (const Bytes& value :
       {concatenated({type, little_endian(0, 12)}), concatenated({type, little_endian(~0u, 4), Bytes(8)}),
        concatenated({type, little_endian(44, 4), little_endian(0, 4), little_endian(0, 4), Bytes(16)}),
        concatenated({type, little_endian(44, 4), little_endian(~0u, 4), little_endian(16, 4), Bytes(16)}),
        concatenated({type, little_endian(44, 4), little_endian(0, 4), little_endian(15, 4), Bytes(16)})})
    EXPECT_FALSE(parse_signature_lists(value, 0));
  Bytes header(92);
  header[84] = 128;
  for (const Bytes& table : {concatenated({header, huge}), concatenated({Bytes(92), little_endian(1, 8)}), Bytes(91)}) {
    const Read boot = read(LogWriter({kSha256}).event(5, EventType::kEfiGptEvent, table).bytes());
    EXPECT_TRUE(boot.claims.disks.empty());
    EXPECT_TRUE(has(boot.claims, "gpt.malformed"));
  }
}

TEST(Claims, AKernelThatWasNeverMeasuredIsAFinding) {
  // All that a log of QEMU's -kernel has: it replays, and its command line is proved.
  LogWriter log = SecureBootEvents().log();
  log.separators().event(12, EventType::kIpl, concatenated({utf16("quiet"), Bytes(2)}));
  log.measured(9, EventType::kEventTag, as_bytes("an initrd"),
               concatenated({little_endian(0x8F3B22EC, 4), little_endian(13, 4), as_bytes("Linux initrd"), Bytes(1)}));
  const Claims bare = read(log.bytes()).claims;
  EXPECT_EQ(bare.kernel, KernelEvidence::kNone);
  EXPECT_TRUE(has(bare, "kernel.not-measured"));
  EXPECT_TRUE(has(bare, "boot-loader.not-measured"));
  log.measured(4, EventType::kEfiBootServicesApplication, as_bytes("the kernel"), Bytes(32));
  const Claims stub = read(log.bytes()).claims;
  EXPECT_EQ(stub.kernel, KernelEvidence::kEfiStub);
  EXPECT_FALSE(has(stub, "kernel.not-measured"));
}

TEST(Claims, SectionsOfAUnifiedKernelImageComeInPairs) {
  const Bytes name = concatenated({utf16(".linux"), Bytes(2)});
  const auto uki = [&](std::string_view measured_name) {
    LogWriter log = SecureBootEvents().log();
    log.measured(11, EventType::kIpl, as_bytes(measured_name), name);
    log.measured(11, EventType::kIpl, as_bytes("a kernel"), name);
    return read(log.separators().bytes()).claims;
  };
  const Claims real = uki(std::string_view(".linux\0", 7));
  ASSERT_EQ(real.sections.size(), 1u);
  EXPECT_EQ(*real.sections[0].name, ".linux");
  EXPECT_EQ(*real.sections[0].content, crypto::digest(kSha256, {as_bytes("a kernel")}));
  EXPECT_EQ(real.kernel, KernelEvidence::kUki);
  EXPECT_TRUE(uki("another").sections.empty());
  EXPECT_EQ(uki("another").kernel, KernelEvidence::kNone);
}

TEST(Claims, OfRealLogs) {
  const auto data = sim::test_data();
  if (!data) GTEST_SKIP() << "there is no test data: set WARIFU_TEST_DATA";
  const auto of = [&](const std::string& name) { return read(sim::read_test_file(*data / "eventlogs" / name)); };
  const Read haruhi = of("tpm2-agile/guard-oss__Haruhi.bin");
  EXPECT_TRUE(haruhi.claims.secure_boot.enabled && **haruhi.claims.secure_boot.enabled);
  const Read fedora = of("tpm2-agile/tpm2-tools__event-sd-boot-fedora37.bin");
  EXPECT_TRUE(has(fedora.claims, "kernel.not-measured"));
  const Read uki = of("hostile/guard-oss__hahuri-invalid-eventlog.bin");
  EXPECT_EQ(uki.claims.kernel, KernelEvidence::kUki);
  const Read keylime = of("tpm2-agile/rust-keylime__uefi_log.bin");
  EXPECT_EQ(keylime.claims.kernel, KernelEvidence::kGrub);
  ASSERT_TRUE(keylime.claims.sbat_level);
  EXPECT_EQ(**keylime.claims.sbat_level, "sbat,1,2021030218\n");
  EXPECT_TRUE(keylime.claims.kernel_command_line);

  const std::string arch = "mutated/go-eventlog__arch-linux-workstation--";
  EXPECT_FALSE(of(arch + "secureboot-var-data-changed.bin").claims.secure_boot.enabled);
  EXPECT_TRUE(has(of(arch + "secureboot-var-data-changed.bin").claims, "secure-boot.unproved"));
}

}  // namespace
}  // namespace warifu::measured_boot
