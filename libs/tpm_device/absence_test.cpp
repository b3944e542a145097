#include "tpm_device/absence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>

#include "base/temp_dir.h"
#include "wire/writer.h"

namespace warifu::tpm_device {
namespace {

using testing::HasSubstr;

// A machine's /dev and /sys in a folder.
class Machine {
 public:
  Machine& with(const std::string& path, const std::string& content = "") {
    const auto file = root_ / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << content;
    return *this;
  }
  SystemRoots roots() const { return {root_ / "dev", root_ / "sys"}; }
  std::filesystem::path device() const { return root_ / "dev/tpmrm0"; }

 private:
  const TempDir temp_dir_;
  const std::filesystem::path& root_ = temp_dir_.path();
};

TEST(ExplainDevice, TellsWhereToEnableATpmWhenThereIsNone) {
  const Error error = explain_device("/dev/tpmrm0", ENOENT, Machine().roots());
  EXPECT_EQ(error.kind, ErrorKind::kUnavailable);
  EXPECT_EQ(error.code, "tpm.absent");
  EXPECT_THAT(error.message, HasSubstr("firmware set-up"));
}

TEST(ExplainDevice, TellsWhichDriverIsMissingWhenTheFirmwareHasATpm) {
  Machine machine;
  machine.with("sys/firmware/acpi/tables/TPM2");
  const Error error = explain_device(machine.device(), ENOENT, machine.roots());
  EXPECT_EQ(error.code, "tpm.absent");
  EXPECT_THAT(error.message, HasSubstr("tpm_crb"));
}

TEST(ExplainDevice, KnowsATpm12ByTheKernelsWord) {
  Machine machine;
  machine.with("sys/class/tpm/tpm0/tpm_version_major", "1\n").with("dev/tpm0");
  EXPECT_EQ(explain_device(machine.device(), ENOENT, machine.roots()).code, "tpm.version");
}

TEST(ExplainDevice, KnowsAKernelWithoutAResourceManager) {
  Machine machine;
  machine.with("sys/class/tpm/tpm0/tpm_version_major", "2\n").with("dev/tpm0");
  const Error error = explain_device(machine.device(), ENOENT, machine.roots());
  EXPECT_EQ(error.code, "tpm.absent");
  EXPECT_THAT(error.message, HasSubstr("tabrmd:"));
}

TEST(ExplainDevice, KnowsAContainerThatWasNotGivenTheDevice) {
  Machine machine;
  machine.with("sys/class/tpm/tpm0/tpm_version_major", "2\n");
  const Error error = explain_device(machine.device(), ENOENT, machine.roots());
  EXPECT_EQ(error.code, "tpm.absent");
  EXPECT_THAT(error.message, HasSubstr("--device"));
}

TEST(ExplainDevice, NamesTheGroupThatMayOpenIt) {
  Machine machine;
  machine.with("dev/tpmrm0");  // made by us, so it has our group
  for (const int number : {EACCES, EPERM}) {
    const Error error = explain_device(machine.device(), number, machine.roots());
    EXPECT_EQ(error.code, "tpm.permission");
    EXPECT_THAT(error.message, HasSubstr("group"));
  }
}

TEST(ExplainDevice, KnowsThatOnlyOneMayHaveTheBareDevice) {
  const Error error = explain_device("/dev/tpm0", EBUSY, Machine().roots());
  EXPECT_EQ(error.code, "tpm.busy");
  EXPECT_THAT(error.message, HasSubstr("tpmrm0"));
}

TEST(ExplainDevice, SaysWhatTheSystemSaidOtherwise) {
  EXPECT_EQ(explain_device("/dev/tpm0", EMFILE, Machine().roots()).code, "tpm.unreachable");
}

Bytes answer(std::uint16_t tag, std::uint32_t code, ByteView rest = {}) {
  return wire::Writer().u16(tag).u32(static_cast<std::uint32_t>(10 + rest.size())).u32(code).bytes(rest).take();
}
// outData is empty, testResult is this.
Bytes test_result(std::uint32_t result) {
  return answer(0x8001, 0, wire::Writer().u16(0).u32(result).take());
}

TEST(JudgeProbe, KnowsATpmThatWorks) {
  EXPECT_EQ(judge_probe(test_result(0)).value(), ProbeAnswer::kReady);
  EXPECT_EQ(judge_probe(test_result(0x153)).value(), ProbeAnswer::kReady);     // TPM_RC_NEEDS_TEST
  EXPECT_EQ(judge_probe(answer(0x8001, 0x143)).value(), ProbeAnswer::kReady);  // TPM_RC_COMMAND_CODE
}

TEST(JudgeProbe, KnowsOneThatNobodyStartedUp) {
  EXPECT_EQ(judge_probe(answer(0x8001, 0x100)).value(), ProbeAnswer::kNeedsStartup);
}

TEST(JudgeProbe, RefusesATpm12) {
  EXPECT_EQ(judge_probe(answer(0x00C4, 0x1E)).error().code, "tpm.version");
  EXPECT_EQ(judge_probe(answer(0x00C4, 0)).error().code, "tpm.version");
}

TEST(JudgeProbe, RefusesFailureMode) {
  EXPECT_EQ(judge_probe(answer(0x8001, 0x101)).error().code, "tpm.failure-mode");
  EXPECT_EQ(judge_probe(test_result(0x101)).error().code, "tpm.failure-mode");
}

TEST(JudgeProbe, RefusesWhatIsCutOffOrLies) {
  const Bytes good = test_result(0);
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_EQ(judge_probe(ByteView(good).first(size)).error().code, "tpm.unreachable") << size;
  Bytes lying = good;
  lying[5] += 1;
  EXPECT_EQ(judge_probe(lying).error().code, "tpm.unreachable");
  EXPECT_EQ(judge_probe(answer(0x1234, 0)).error().code, "tpm.unreachable");
}

Bytes startup_clear(std::uint32_t value) {
  const Bytes list = wire::Writer().u8(0).u32(6).u32(1).u32(0x201).u32(value).take();
  return answer(0x8001, 0, list);
}

TEST(JudgeHierarchies, AcceptsBothEnabled) {
  EXPECT_TRUE(judge_hierarchies(startup_clear(0x8000000F)));
}

TEST(JudgeHierarchies, SaysWhichIsDisabled) {
  struct Row {
    std::uint32_t value;
    const char* words;
  };
  for (const Row& row : {Row{0xD, "storage hierarchy"}, Row{0xB, "endorsement hierarchy"},
                         Row{0x9, "storage and endorsement hierarchies"}}) {
    const Status judged = judge_hierarchies(startup_clear(row.value));
    ASSERT_FALSE(judged);
    EXPECT_EQ(judged.error().code, "tpm.disabled");
    EXPECT_THAT(judged.error().message, HasSubstr(std::string("the ") + row.words + " of"));
  }
}

TEST(JudgeHierarchies, HoldsNothingAgainstATpmThatDoesNotTell) {
  const Bytes disabled = startup_clear(0);
  EXPECT_FALSE(judge_hierarchies(disabled));
  for (std::size_t size = 0; size < disabled.size(); ++size)
    EXPECT_TRUE(judge_hierarchies(ByteView(disabled).first(size))) << size;
}

}  // namespace
}  // namespace warifu::tpm_device
