// The promise about the bus, kept over a device's whole life: nothing that should be secret passes, and the search that
// says so finds each of the same secrets when the protection is off.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../system/swtpm.h"
#include "bus_recorder.h"
#include "device_life.h"
#include "table_audit.h"
#include "temporary_folder.h"

namespace warifu::bus {
namespace {

struct Lived {
  Status status;
  Recording recording;
  SecretSearch secrets;
};

Lived live(const tpm::CommandTable& table) {
  const TemporaryFolder folder;
  const test::Swtpm swtpm;
  const auto recorder = BusRecorder::start(folder.path("bus"), swtpm.socket().string());
  EXPECT_TRUE(recorder);
  DeviceLife life((*recorder)->tcti(), table);
  const Status status = life.live();
  return {status, (*recorder)->recording(), life.secrets()};
}

std::set<std::string> found_names(const Lived& lived) {
  std::set<std::string> out;
  for (const Finding& finding : lived.secrets.search(lived.recording))
    out.insert(finding.secret);
  return out;
}

// Rows of the table that this life has no use for. What is missing beyond them was forgotten here.
const std::set<std::string_view> kNotInThisLife = {
    "TPM2_PolicyOR",     // EKs of the high range: the next test
    "TPM2_Startup",      // firmware did it
    "TPM2_SelfTest",     // likewise
    "TPM2_StirRandom",   // a TPM that is fed by its host is not trusted more
    "TPM2_ContextSave",  // sessions stay open, objects are loaded again
    "TPM2_ContextLoad",  //
    "TPM2_LoadExternal",      "TPM2_VerifySignature", "TPM2_PolicyAuthorize", "TPM2_PolicyAuthValue",
    "TPM2_PolicyCommandCode", "TPM2_PolicyNV",        "TPM2_PolicyRestart",
};

std::set<std::string_view> rows_without(const std::set<std::uint32_t>& seen) {
  std::set<std::string_view> out;
  for (const tpm::CommandRule& rule : tpm::CommandTable::production().rules())
    if (!seen.contains(rule.code)) out.insert(rule.name);
  return out;
}

TEST(BusOfALife, ShowsNoSecretAndEveryCommandFollowsTheTable) {
  const Lived lived = live(tpm::CommandTable::production());
  ASSERT_TRUE(lived.status) << to_string(lived.status.error());
  for (const Finding& finding : lived.secrets.search(lived.recording))
    ADD_FAILURE() << to_string(finding, lived.recording);
  TableAudit audit = audit_of_a_device();
  audit.add(lived.recording);
  EXPECT_THAT(audit.complaints(), testing::IsEmpty());
  EXPECT_EQ(rows_without(audit.seen()), kNotInThisLife);
}

TEST(BusOfALife, FollowsTheTableWithAnEkOfTheHighRangeToo) {
  const TemporaryFolder folder;
  const test::Swtpm swtpm;
  const auto recorder = BusRecorder::start(folder.path("bus"), swtpm.socket().string());
  ASSERT_TRUE(recorder);
  DeviceLife life((*recorder)->tcti(), tpm::CommandTable::production(), tpm::EkProfile::kH2);
  ASSERT_TRUE(life.start());
  const Status activated = life.activate();
  ASSERT_TRUE(activated) << to_string(activated.error());
  const Recording recording = (*recorder)->recording();
  EXPECT_TRUE(life.secrets().search(recording).empty());
  TableAudit audit = audit_of_a_device();
  audit.add(recording);
  EXPECT_THAT(audit.complaints(), testing::IsEmpty());
  EXPECT_THAT(rows_without(audit.seen()), testing::Not(testing::Contains("TPM2_PolicyOR")));
}

TEST(BusOfALife, ShowsNoSecretUnderAnEccStorageRootKey) {
  for (const Bytes& srk : {tpm::srk_ecc_template(), tpm::srk_ecc_p384_template()}) {
    const TemporaryFolder folder;
    const test::Swtpm swtpm;
    const auto recorder = BusRecorder::start(folder.path("bus"), swtpm.socket().string());
    ASSERT_TRUE(recorder);
    DeviceLife life((*recorder)->tcti(), tpm::CommandTable::production(), tpm::EkProfile::kL2);
    ASSERT_TRUE(life.start());
    ASSERT_TRUE(life.change_srk(srk));
    for (const auto step : {&DeviceLife::activate, &DeviceLife::use_application_key, &DeviceLife::seal_and_unseal}) {
      const Status done = (life.*step)();
      ASSERT_TRUE(done) << to_string(done.error());
    }
    const Recording recording = (*recorder)->recording();
    for (const Finding& finding : life.secrets().search(recording))
      ADD_FAILURE() << to_string(finding, recording);
    TableAudit audit = audit_of_a_device();
    audit.add(recording);
    EXPECT_THAT(audit.complaints(), testing::IsEmpty());
    EXPECT_THAT(rows_without(audit.seen()), testing::Not(testing::Contains("TPM2_Import")));
  }
}

TEST(BusOfALife, ShowsEachSecretWhenTheProtectionIsOff) {
  const Lived lived = live(tpm::CommandTable::without_protection());
  ASSERT_TRUE(lived.status) << to_string(lived.status.error());
  const std::vector<std::string> names = lived.secrets.names();
  EXPECT_EQ(found_names(lived), std::set(names.begin(), names.end()));
  TableAudit audit = audit_of_a_device();
  audit.add(lived.recording);
  EXPECT_THAT(audit.complaints(), testing::Not(testing::IsEmpty()));
}

}  // namespace
}  // namespace warifu::bus
