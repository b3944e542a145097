// What a database of an earlier release holds is there after its migration, and reads as what it was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "base/temp_dir.h"
#include "sim/deterministic.h"
#include "store/migrations.h"
#include "store/sample_records.h"
#include "store/sql_provisioning.h"
#include "store/sqlite_connection.h"

namespace warifu::store {
namespace {

using provisioning::Mechanism;
using provisioning::Operation;
using provisioning::Substatus;
using provisioning::TpmAttestation;

// Two scopes with the same IDs, one row at least in every table. x'…' is as long as an identifier must be.
constexpr const char* kRows = R"(
INSERT INTO scopes VALUES ('0ne00000001', 'Example', 1), ('0ne00000002', 'Other', 2);
INSERT INTO enrollments VALUES
 ('0ne00000001', 'meter-1', x'00000000000000000000000000000001', x'A1', x'E1', 1, 11),
 ('0ne00000001', 'meter-2', x'00000000000000000000000000000002', x'A2', x'E2', 0, 12),
 ('0ne00000002', 'meter-1', x'00000000000000000000000000000003', x'A3', x'E3', 0, 13);
INSERT INTO devices VALUES
 ('0ne00000001', 'meter-1', 'meter-1', x'00000000000000000000000000000001', x'00000000000000000000000000000022',
  'provisioned', 'suspended', x'E1', x'51', 'hub.example', x'C1', 21, 22),
 ('0ne00000002', 'meter-1', 'meter-1', x'00000000000000000000000000000003', x'00000000000000000000000000000023',
  'provisioned', 'none', x'E3', x'53', 'hub.example', x'', 23, 24);
INSERT INTO operations VALUES
 ('0ne00000001', x'00000000000000000000000000000021', 'meter-1', x'00000000000000000000000000000001',
  x'00000000000000000000000000000031', x'D1', x'71', x'B1', 1, 31, 32),
 ('0ne00000001', x'00000000000000000000000000000022', 'meter-1', x'00000000000000000000000000000001',
  x'00000000000000000000000000000032', x'D2', x'72', x'B2', 0, 33, NULL),
 ('0ne00000002', x'00000000000000000000000000000023', 'meter-1', x'00000000000000000000000000000003',
  x'00000000000000000000000000000031', x'D3', x'73', x'B3', 1, 34, NULL);
INSERT INTO escrow_deposits VALUES ('0ne00000001', 'meter-1', 1, x'F1', x'E1', x'0102', 41);
INSERT INTO bootstrap_tokens VALUES ('0ne00000001', x'61', 100, NULL), ('0ne00000001', x'62', 100, 50);
INSERT INTO access_tokens VALUES
 ('0ne00000001', x'00000000000000000000000000000041', x'63', 'alice', 'device:read', 51, 200);
INSERT INTO service_keys VALUES ('0ne00000001', 'edge', x'64', 'device:read', 52);
INSERT INTO audit_entries VALUES
 ('0ne00000001', x'00000000000000000000000000000051', 61, 'system', 'init', 'scope', '{}');
)";
constexpr const char* kChallenge =
    "INSERT INTO challenges VALUES ('0ne00000001', 'meter-1', x'00000000000000000000000000000061', "
    "x'00000000000000000000000000000001', x'D1', x'E1', x'A1', x'51', x'B1', 99)";

Uuid uuid(std::uint8_t last) {
  Bytes bytes(Uuid::kSize, 0);
  bytes.back() = last;
  return Uuid::from_bytes(bytes).value();
}

class MigrationRows : public testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    auto opened = SqliteConnection::open(dir_.path() / "db", SqliteConnection::Mode::kCreate);
    ASSERT_TRUE(opened);
    connection_ = std::make_unique<SqliteConnection>(*std::move(opened));
    ASSERT_TRUE(connection_->execute("PRAGMA foreign_keys = ON"));
    ASSERT_TRUE(migrate(*connection_, sqlite_schema(), sqlite_migrations().first(GetParam()), clock_));
    ASSERT_TRUE(connection_->execute(kRows));
    if (GetParam() >= 4) {
      ASSERT_TRUE(connection_->execute(kChallenge));
    }
    ASSERT_TRUE(migrate(*connection_, sqlite_schema(), sqlite_migrations(), clock_));
    records_ = std::make_unique<SqlProvisioningRecords>(*connection_);
  }
  std::int64_t count(Sql sql) { return connection_->integer(sql).value_or(-1); }

  TempDir dir_;
  const sim::SteppingClock clock_{sample::time(0)};
  std::unique_ptr<SqliteConnection> connection_;
  std::unique_ptr<SqlProvisioningRecords> records_;
  const ScopeId here_ = sample::scope("0ne00000001");
  const ScopeId there_ = sample::scope("0ne00000002");
  const RegistrationId meter_ = RegistrationId::parse("meter-1").value();
};

TEST_P(MigrationRows, NoneIsLost) {
  EXPECT_EQ(count("SELECT count(*) FROM scopes"), 2);
  EXPECT_EQ(count("SELECT count(*) FROM enrollments"), 3);
  EXPECT_EQ(count("SELECT count(*) FROM devices"), 2);
  EXPECT_EQ(count("SELECT count(*) FROM operations"), 3);
  EXPECT_EQ(count("SELECT count(*) FROM escrow_deposits"), 1);
  EXPECT_EQ(count("SELECT count(*) FROM bootstrap_tokens"), 2);
  EXPECT_EQ(count("SELECT count(*) FROM access_tokens"), 1);
  EXPECT_EQ(count("SELECT count(*) FROM service_keys"), 1);
  EXPECT_EQ(count("SELECT count(*) FROM audit_entries"), 1);
  EXPECT_EQ(count("SELECT count(*) FROM challenges"), GetParam() >= 4 ? 1 : 0);
  EXPECT_EQ(count("SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

TEST_P(MigrationRows, EnrollmentsAreOfATpmAndStandAsTheyStood) {
  const auto software = records_->find_enrollment(here_, meter_);
  ASSERT_TRUE(software) << to_string(software.error());
  provisioning::Enrollment expected{.scope = here_,
                                    .registration_id = meter_,
                                    .enrollment_id = uuid(1),
                                    .attestation = TpmAttestation{{0xA1}, {0xE1}},
                                    .device_id = std::nullopt,
                                    .terms = {},
                                    .revision = uuid(1),
                                    .created_at = from_micros(11),
                                    .updated_at = from_micros(11)};
  expected.terms.allow_software_keys = true;
  EXPECT_EQ(sample::fields(**software), sample::fields(expected));
  const auto other = records_->find_enrollment(there_, meter_);
  EXPECT_EQ((*other)->enrollment_id, uuid(3));
  EXPECT_EQ((*other)->terms, provisioning::Terms());
  EXPECT_EQ(records_->find_enrollments_of_ek(here_, Bytes{0xE2}, 9)->size(), 1U);
}

TEST_P(MigrationRows, DevicesKeepTheirStandingAndTheirKey) {
  const auto device = records_->find_device_of(here_, meter_);
  ASSERT_TRUE(device) << to_string(device.error());
  const provisioning::Device expected{.scope = here_,
                                      .device_id = DeviceId::parse("meter-1").value(),
                                      .registration_id = meter_,
                                      .enrollment_id = uuid(1),
                                      .group = std::nullopt,
                                      .mechanism = Mechanism::kTpm,
                                      .operation_id = uuid(0x22),
                                      .standing = {lifecycle::State::kProvisioned, lifecycle::Hold::kSuspended},
                                      .ek_name = {0xE1},
                                      .srk_name = {0x51},
                                      .certificate_sha256 = {},
                                      .assigned_hub = "hub.example",
                                      .sealed_hub_key = {0xC1},
                                      .created_at = from_micros(21),
                                      .updated_at = from_micros(22)};
  EXPECT_EQ(sample::fields(**device), sample::fields(expected));
}

TEST_P(MigrationRows, OperationsAreAssignedAndGoOn) {
  const auto first = records_->find_operation(here_, uuid(0x21));
  ASSERT_TRUE(first) << to_string(first.error());
  EXPECT_EQ((*first)->substatus, Substatus::kInitialAssignment);
  EXPECT_EQ((*first)->ended_at, from_micros(32));
  const auto open = records_->find_open_operation(here_, meter_, provisioning::Operation::State::kAssigned);
  ASSERT_TRUE(open && *open);
  const Operation expected{.scope = here_,
                           .operation_id = uuid(0x22),
                           .registration_id = meter_,
                           .enrollment_id = uuid(1),
                           .group = std::nullopt,
                           .mechanism = Mechanism::kTpm,
                           .state = Operation::State::kAssigned,
                           .substatus = Substatus::kDeviceDataMigrated,
                           .challenge_id = uuid(0x32),
                           .sealed_challenge_key = {0xD2},
                           .ek_name = {0xE1},
                           .srk_public = {0xB2},
                           .token_digest = {0x72},
                           .created_at = from_micros(33),
                           .ended_at = std::nullopt};
  EXPECT_EQ(sample::fields(**open), sample::fields(expected));
  EXPECT_EQ((*records_->find_operation_of_challenge(there_, uuid(0x31)))->ek_name, Bytes{0xE3});
}

INSTANTIATE_TEST_SUITE_P(FromVersion, MigrationRows, testing::Values(3U, 4U));

}  // namespace
}  // namespace warifu::store
