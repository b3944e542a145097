// What the product may rely on, whichever database stands behind Store.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/conformance_fixture_test.h"
#include "store/sample_records.h"

namespace warifu::store {
namespace {

using provisioning::Page;
using sample::fields;

class StoreConformance : public ConformanceTest {
 protected:
  auto stored_operation(std::uint64_t number) {
    const auto id = sample::operation(number, number).operation_id;
    return found([&](Snapshot& s) { return s.provisioning().find_operation(here_, id); });
  }
};

TEST_P(StoreConformance, GivesBackWhatWasStored) {
  const auto enrollment = sample::enrollment(1, here_);
  auto operation = sample::operation(7, 1, here_);
  operation.srk_public = Bytes();  // no bytes are not "nothing stored"
  const auto device = sample::device(1, 7, here_);
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    TRY_STATUS(t.provisioning().insert_enrollment(enrollment));
    TRY_STATUS(t.provisioning().insert_operation(operation));
    return t.provisioning().put_device(device);
  }));
  const auto stored_enrollment =
      found([&](Snapshot& s) { return s.provisioning().find_enrollment(here_, enrollment.registration_id); });
  ASSERT_TRUE(stored_enrollment);
  EXPECT_EQ(fields(*stored_enrollment), fields(enrollment));
  for (const auto& stored :
       {found([&](Snapshot& s) { return s.provisioning().find_operation(here_, operation.operation_id); }),
        found([&](Snapshot& s) {
          return s.provisioning().find_operation_of_challenge(here_, *operation.challenge_id);
        })}) {
    ASSERT_TRUE(stored);
    EXPECT_EQ(fields(*stored), fields(operation));
  }
  const auto stored_device = found([&](Snapshot& s) { return s.provisioning().find_device(here_, device.device_id); });
  ASSERT_TRUE(stored_device);
  EXPECT_EQ(fields(*stored_device), fields(device));
}

TEST_P(StoreConformance, FindsNothingWhereNothingIs) {
  EXPECT_THAT(found([&](Snapshot& s) { return s.provisioning().list_scopes(); }), testing::ElementsAre(here_, there_));
  EXPECT_TRUE(found([&](Snapshot& s) { return s.provisioning().scope_exists(here_); }));
  EXPECT_FALSE(found([&](Snapshot& s) { return s.provisioning().scope_exists(sample::scope("nowhere")); }));
  EXPECT_FALSE(found([&](Snapshot& s) { return s.provisioning().find_enrollment(here_, sample::registration(1)); }));
  EXPECT_FALSE(stored_operation(1));
  EXPECT_FALSE(found([&](Snapshot& s) { return s.operators().find_access_token(sample::bytes(32, 1)); }));
  EXPECT_FALSE(found([&](Snapshot& s) { return s.operators().find_bootstrap_token(sample::bytes(32, 1)); }));
}

TEST_P(StoreConformance, AChallengeOpensOneOperation) {
  ASSERT_TRUE(
      change([&](Transaction& t) { return t.provisioning().insert_operation(sample::operation(1, 1, here_)); }));
  auto second = sample::operation(2, 1, here_);
  second.challenge_id = sample::operation(1, 1).challenge_id;
  EXPECT_EQ(code_of([&](Transaction& t) { return t.provisioning().insert_operation(second); }), "operation.exists");
  second.scope = there_;
  EXPECT_TRUE(change([&](Transaction& t) { return t.provisioning().insert_operation(second); }));
}

TEST_P(StoreConformance, NamesEachConflictAndAbsence) {
  const auto enrollment = sample::enrollment(1, here_);
  const operators::ServiceKey key = {here_, Label::parse("edge").value(), sample::bytes(60, 1),
                                     operators::Permissions::all(), sample::time(1)};
  const auto insert = [&](Transaction& t) { return t.provisioning().insert_enrollment(enrollment); };
  const auto insert_key = [&](Transaction& t) { return t.operators().insert_service_key(key); };
  ASSERT_TRUE(change(insert));
  ASSERT_TRUE(change(insert_key));
  EXPECT_EQ(code_of(insert), "enrollment.exists");
  EXPECT_EQ(code_of(insert_key), "service_key.exists");
  EXPECT_EQ(code_of([&](Transaction& t) { return t.provisioning().insert_scope(here_, "Twin", sample::time(0)); }),
            "scope.exists");
  EXPECT_EQ(code_of([&](Transaction& t) { return t.provisioning().remove_enrollment(here_, sample::registration(2)); }),
            "enrollment.unknown");
  EXPECT_EQ(code_of([&](Transaction& t) {
              return t.provisioning().end_operation(here_, sample::uuid(sample::Kind::kOperation, 9), sample::time(9));
            }),
            "operation.unknown");
  EXPECT_EQ(code_of([&](Transaction& t) {
              return t.provisioning().insert_enrollment(sample::enrollment(1, sample::scope("nowhere")));
            }),
            "store.reference");
}

TEST_P(StoreConformance, KeepsEveryEscrowPackageOfADeviceInItsOrder) {
  const auto first = sample::escrow_deposit(1, 1, here_);
  auto second = sample::escrow_deposit(2, 1, here_);
  second.received_at = first.received_at - std::chrono::hours(1);
  const auto insert = [&](const provisioning::EscrowDeposit& deposit) {
    return code_of([&](Transaction& t) { return t.provisioning().insert_escrow_deposit(deposit); });
  };
  EXPECT_EQ(insert(first), "store.reference") << "there is no such device";
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    TRY_STATUS(t.provisioning().put_device(sample::device(1, 1, here_)));
    return t.provisioning().put_device(sample::device(2, 2, here_));
  }));
  EXPECT_EQ(insert(second), "");
  EXPECT_EQ(insert(first), "");
  EXPECT_EQ(insert(sample::escrow_deposit(1, 2, here_)), "") << "another device counts for itself";

  auto same_number = first;
  same_number.sha256 = sample::bytes(32, 9);
  EXPECT_EQ(insert(same_number), "escrow.exists");
  auto same_package = first;
  same_package.number = 9;
  EXPECT_EQ(insert(same_package), "escrow.exists");

  const auto stored = found([&](Snapshot& s) { return s.provisioning().list_escrow_deposits(here_, first.device_id); });
  ASSERT_EQ(stored.size(), 2U);
  EXPECT_EQ(fields(stored[0]), fields(first));
  EXPECT_EQ(fields(stored[1]), fields(second));
  EXPECT_TRUE(
      found([&](Snapshot& s) { return s.provisioning().list_escrow_deposits(there_, first.device_id); }).empty());
}

TEST_P(StoreConformance, TheSameIdInTwoScopesIsTwoRows) {
  auto other = sample::enrollment(1, there_);
  other.terms.allow_software_keys = true;
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    TRY_STATUS(t.provisioning().insert_enrollment(sample::enrollment(1, here_)));
    TRY_STATUS(t.provisioning().insert_enrollment(other));
    return t.provisioning().remove_enrollment(here_, other.registration_id);
  }));
  EXPECT_FALSE(found([&](Snapshot& s) { return s.provisioning().find_enrollment(here_, other.registration_id); }));
  const auto left = found([&](Snapshot& s) { return s.provisioning().find_enrollment(there_, other.registration_id); });
  ASSERT_TRUE(left);
  EXPECT_EQ(fields(*left), fields(other));
}

TEST_P(StoreConformance, PagesFollowTheKeyAndMissNothing) {
  std::vector<std::string> expected;
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    for (std::uint64_t i = 0; i < 25; ++i) {
      TRY_STATUS(t.provisioning().insert_enrollment(sample::enrollment(i, here_)));
      TRY_STATUS(t.provisioning().put_device(sample::device(i, i, here_)));
      TRY_STATUS(t.provisioning().insert_enrollment(sample::enrollment(100 + i, there_)));
      expected.push_back(sample::registration(i).text());
    }
    return {};
  }));
  std::ranges::sort(expected);

  std::vector<std::string> enrollments;
  Page<RegistrationId> page{std::nullopt, 10};
  for (auto part = found([&](Snapshot& s) { return s.provisioning().list_enrollments(here_, page); }); !part.empty();
       part = found([&](Snapshot& s) { return s.provisioning().list_enrollments(here_, page); })) {
    EXPECT_LE(part.size(), 10U);
    for (const auto& enrollment : part)
      enrollments.push_back(enrollment.registration_id.text());
    page.after = part.back().registration_id;
  }
  EXPECT_EQ(enrollments, expected);

  const auto devices = found([&](Snapshot& s) {
    return s.provisioning().list_devices(here_, {DeviceId::parse(expected[19]).value(), 10});
  });
  ASSERT_EQ(devices.size(), 5U);
  EXPECT_EQ(devices[0].device_id.text(), expected[20]);
}

TEST_P(StoreConformance, FindsTheRegistrationsOfAnEk) {
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    for (std::uint64_t i = 0; i < 3; ++i) {
      auto twin = sample::enrollment(i, here_);
      twin.attestation = provisioning::TpmAttestation{sample::bytes(314, i), sample::bytes(34, 77)};
      TRY_STATUS(t.provisioning().insert_enrollment(twin));
    }
    return {};
  }));
  const auto of = [&](const ScopeId& scope, std::size_t limit) {
    return found([&](Snapshot& s) {
             return s.provisioning().find_enrollments_of_ek(scope, sample::bytes(34, 77), limit);
           })
        .size();
  };
  EXPECT_EQ(of(here_, 10), 3U);
  EXPECT_EQ(of(here_, 2), 2U);
  EXPECT_EQ(of(there_, 10), 0U);
}

TEST_P(StoreConformance, AChangeReadsItsOwnWrites) {
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    TRY_STATUS(t.provisioning().insert_operation(sample::operation(1, 1, here_)));
    TRY(const auto own, t.provisioning().find_operation(here_, sample::operation(1, 1).operation_id));
    if (!own) return Error{ErrorKind::kInternal, "test", "its own write was not seen"};
    return {};
  }));
}

TEST_P(StoreConformance, PutDeviceReplacesAllButItsBirth) {
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().put_device(sample::device(1, 5, here_)); }));
  auto again = sample::device(1, 9, here_);
  again.standing = {lifecycle::State::kActive, lifecycle::Hold::kQuarantined};
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().put_device(again); }));
  const auto stored = found([&](Snapshot& s) { return s.provisioning().find_device(here_, again.device_id); });
  ASSERT_TRUE(stored);
  again.created_at = sample::time(5);
  EXPECT_EQ(fields(*stored), fields(again));
}

TEST_P(StoreConformance, OperationsEndOnce) {
  const auto id = sample::operation(1, 1).operation_id;
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    TRY_STATUS(t.provisioning().insert_operation(sample::operation(1, 1, here_)));
    TRY_STATUS(t.provisioning().insert_operation(sample::operation(2, 1, here_)));
    TRY_STATUS(t.provisioning().insert_operation(sample::operation(3, 2, here_)));
    TRY_STATUS(t.provisioning().end_operation(here_, id, sample::time(10)));
    TRY_STATUS(t.provisioning().end_operation(here_, id, sample::time(20)));
    return t.provisioning().end_operations(here_, sample::registration(1), sample::time(30));
  }));
  EXPECT_EQ(found([&](Snapshot& s) { return s.provisioning().find_operation(here_, id); })->ended_at, sample::time(10));
  EXPECT_EQ(stored_operation(2)->ended_at, sample::time(30));
  EXPECT_EQ(stored_operation(3)->ended_at, std::nullopt);
}

TEST_P(StoreConformance, PurgesOldOperationsOfOneScope) {
  std::size_t purged = 0;
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    for (std::uint64_t i = 0; i < 10; ++i)
      TRY_STATUS(t.provisioning().insert_operation(sample::operation(i, i, i < 5 ? here_ : there_)));
    TRY(const auto limited, t.provisioning().purge_operations(here_, sample::time(3), 2));
    TRY(const auto rest, t.provisioning().purge_operations(here_, sample::time(3), 2));
    EXPECT_EQ(limited, 2U);
    purged = limited + rest;
    return {};
  }));
  EXPECT_EQ(purged, 3U);
  EXPECT_FALSE(stored_operation(2));
  EXPECT_TRUE(stored_operation(3));
  const auto other = sample::operation(5, 5).operation_id;
  EXPECT_TRUE(found([&](Snapshot& s) { return s.provisioning().find_operation(there_, other); }));
}

TEST_P(StoreConformance, AChangeThatFailsLeavesNothing) {
  EXPECT_EQ(code_of([&](Transaction& t) -> Status {
              TRY_STATUS(t.provisioning().insert_enrollment(sample::enrollment(1, here_)));
              return Error{ErrorKind::kRefused, "test.refused", "no"};
            }),
            "test.refused");
  EXPECT_FALSE(found([&](Snapshot& s) { return s.provisioning().find_enrollment(here_, sample::registration(1)); }));
}

TEST_P(StoreConformance, AChangeWithoutAnAuditEntryIsUndone) {
  const Status status = world_.store->write(
      [&](Transaction& t) { return t.provisioning().insert_enrollment(sample::enrollment(1, here_)); });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, "store.unaudited");
  EXPECT_FALSE(found([&](Snapshot& s) { return s.provisioning().find_enrollment(here_, sample::registration(1)); }));
  EXPECT_TRUE(world_.store->write([&](Transaction& t) {
    return t.provisioning().purge_operations(here_, sample::time(0), 10).map([](auto) {});
  })) << "a change that writes nothing needs no entry";
}

TEST_P(StoreConformance, KnowsTheTimeOfTheNewestAuditEntry) {
  EXPECT_EQ(world_.store->latest_audit_at().value(), sample::time(0));
  world_.clock.advance(std::chrono::seconds(5));
  ASSERT_TRUE(world_.store->write([&](Transaction& t) { return t.audit().record(there_, {"a", "b", "c"}); }));
  world_.clock.advance(-std::chrono::seconds(3));
  ASSERT_TRUE(world_.store->write([&](Transaction& t) { return t.audit().record(here_, {"a", "b", "c"}); }));
  EXPECT_EQ(world_.store->latest_audit_at().value(), sample::time(5'000'000));
}

TEST_P(StoreConformance, ASnapshotDoesNotSeeWhatIsCommittedMeanwhile) {
  const Status status = world_.store->read([&](Snapshot& s) -> Status {
    TRY(const auto before, s.provisioning().find_enrollment(here_, sample::registration(1)));
    TRY_STATUS(
        change([&](Transaction& t) { return t.provisioning().insert_enrollment(sample::enrollment(1, here_)); }));
    TRY(const auto after, s.provisioning().find_enrollment(here_, sample::registration(1)));
    EXPECT_FALSE(before);
    EXPECT_FALSE(after);
    return {};
  });
  EXPECT_TRUE(status);
  EXPECT_TRUE(found([&](Snapshot& s) { return s.provisioning().find_enrollment(here_, sample::registration(1)); }));
}

INSTANTIATE_TEST_SUITE_P(Databases, StoreConformance, testing::ValuesIn(kBackends), name_of_backend);

}  // namespace
}  // namespace warifu::store
