// Every byte of every kind of response, changed in turn. What a session covers must give an error, always. What none
// can cover may go unnoticed only where nothing rests on it: the result is right all the same. Never a wrong value, and
// never a second try in clear.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tss2/tss2_esys.h>

#include <set>

#include "command_view.h"
#include "flip_bench.h"
#include "flip_operations.h"

namespace warifu::bus {
namespace {

// TPM2_Certify is authorized by a session for one key and by an empty password for the other: the answer's attributes
// of the password are in no HMAC (Part 1, "Password Authorizations"), and nobody reads them.
std::size_t bytes_of_no_session(const CommandKind& kind) {
  constexpr std::uint32_t kCertify = 0x148;
  return kind.code == kCertify ? 1 : 0;
}

void expect_that_each_is_noticed(FlipBench& bench, const std::vector<Operation>& operations) {
  for (const Operation& operation : operations) {
    const Status status = bench.flip_all(operation);
    EXPECT_TRUE(status) << operation.name << ": " << to_string(status.error());
  }
  for (const auto& [kind, report] : bench.reports()) {
    fmt::print("{:<40} in {:<14} {:>4} bytes: {:>4} refused, {:>3} right all the same\n", to_string(kind),
               report.operation, report.bytes, report.refused, report.right);
    EXPECT_THAT(report.findings, testing::IsEmpty()) << to_string(kind);
    if (!kind.in_session) continue;
    EXPECT_EQ(report.right, bytes_of_no_session(kind))
        << to_string(kind) << ": an answer that a session covers was changed, unnoticed";
  }
}

TEST(FlippedByte, IsNoticedWhenADeviceStarts) {
  FlipOperations operations;
  FlipBench bench({.with_endorsement_keys = true}, tpm::EkProfile::kL1);
  expect_that_each_is_noticed(bench, operations.of_a_start());
}

// From here on with an ECC key: a session that is salted to an RSA key costs twice as much, and each byte costs one.
TEST(FlippedByte, IsNoticedWhenAServersKeyIsActivated) {
  FlipOperations operations;
  FlipBench bench({}, tpm::EkProfile::kH2);
  expect_that_each_is_noticed(bench, operations.of_activation());
}

TEST(FlippedByte, IsNoticedWhenAServersKeyIsImportedUnderAnEccParent) {
  FlipOperations operations;
  FlipBench bench({}, tpm::EkProfile::kH2);
  expect_that_each_is_noticed(bench, operations.of_import_under_ecc());
}

TEST(FlippedByte, IsNoticedWhenKeysAreUsed) {
  FlipOperations operations;
  FlipBench bench({}, tpm::EkProfile::kH2);
  expect_that_each_is_noticed(bench, operations.of_keys());
}

TEST(FlippedByte, IsNoticedWhenADeviceAttests) {
  FlipOperations operations;
  FlipBench bench({}, tpm::EkProfile::kH2);
  expect_that_each_is_noticed(bench, operations.of_attestation());
}

TEST(FlippedByte, IsNoticedWhenTheTpmIsCaredFor) {
  FlipOperations operations;
  FlipBench bench({}, tpm::EkProfile::kH2);
  expect_that_each_is_noticed(bench, operations.of_care());
}

// TPM2_ReadPublic without a session: tpm2-tss holds the public area against the Name, but the qualified Name it takes
// as it comes.
Result<Bytes> read_qualified_name(tpm_device::TcbTpm& tpm) {
  tpm_device::Device& device = tpm.device();
  TRY(const ESYS_TR srk, device.srk());
  TPM2B_NAME* raw = nullptr;
  TRY_STATUS(device.check(
      Esys_ReadPublic(device.esys(), srk, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, nullptr, nullptr, &raw),
      "TPM2_ReadPublic"));
  Bytes name(raw->name, raw->name + raw->size);
  Esys_Free(raw);
  return name;
}

TEST(FlipBench, FindsAWrongValueThatIsTakenForARightOne) {
  Bytes known;
  const Operation careless = {
      .name = "careless", .commands = {"TPM2_ReadPublic"}, .run = [&known](tpm_device::TcbTpm& tpm) -> Status {
        TRY(const Bytes name, read_qualified_name(tpm));
        if (known.empty()) known = name;
        if (name == known) return {};
        return Error{ErrorKind::kInternal, kWrongValue, "another qualified Name"};
      }};
  FlipBench bench({}, tpm::EkProfile::kH2);
  ASSERT_TRUE(bench.flip_all(careless));
  const FlipReport& report = bench.reports().at({0x173, false});
  EXPECT_THAT(report.findings, testing::Each(testing::HasSubstr("another qualified Name")));
  EXPECT_GE(report.findings.size(), 32u);
}

// What a device sends and no operation above has, was forgotten there.
TEST(FlippedByte, IsTriedInEveryCommandOfALife) {
  FlipOperations operations;
  std::set<std::string> tried = {command_name(0x17C)};  // TPM2_GetTestResult: absence_test.cpp of tpm_device
  for (const auto& list : {operations.of_a_start(), operations.of_activation(), operations.of_keys(),
                           operations.of_attestation(), operations.of_care()})
    for (const Operation& operation : list)
      tried.insert(operation.commands.begin(), operation.commands.end());

  const TemporaryFolder folder;
  const test::Swtpm swtpm;
  const auto recorder = BusRecorder::start(folder.path("bus"), swtpm.socket().string());
  ASSERT_TRUE(recorder);
  DeviceLife life((*recorder)->tcti(), tpm::CommandTable::production());
  ASSERT_TRUE(life.live());
  for (const Message& message : (*recorder)->recording()) {
    if (message.direction != Direction::kCommand) continue;
    EXPECT_TRUE(tried.contains(command_name(code_of(message.bytes)))) << command_name(code_of(message.bytes));
  }
}

}  // namespace
}  // namespace warifu::bus
