#include "measured_boot/claims/claims.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "measured_boot/claims/test_claims.h"
#include "measured_boot/event_log/parse.h"
#include "measured_boot/event_log/replay.h"
#include "sim/test_data.h"

namespace warifu::measured_boot {
namespace {

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

TEST(EventLog, L13_MissingExitBootServicesEventsAreAFinding) {
  EXPECT_FALSE(has(read(grub_boot().bytes()).claims, "exit-boot-services.missing"));
  EXPECT_TRUE(has(read(SecureBootEvents().log().separators().bytes()).claims, "exit-boot-services.missing"));
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
