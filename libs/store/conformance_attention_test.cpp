// What provisioning may rely on for devices, operations, approvals, alerts, and the diary of attempts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/conformance_fixture_test.h"

namespace warifu::store {
namespace {

using provisioning::Alert;
using provisioning::AlertKey;
using provisioning::Approval;
using provisioning::Attempt;
using provisioning::Device;
using provisioning::Mechanism;
using provisioning::Operation;
using provisioning::Substatus;
using sample::fields;
using testing::ElementsAre;

class AttentionConformance : public ConformanceTest {
 protected:
  auto device_of(const ScopeId& scope, std::uint64_t registration) {
    return found(
        [&](Snapshot& s) { return s.provisioning().find_device_of(scope, sample::registration(registration)); });
  }
  auto operation(std::uint64_t number) {
    const auto id = sample::operation(number, 1).operation_id;
    return found([&](Snapshot& s) { return s.provisioning().find_operation(here_, id); });
  }
  auto open_operation(const ScopeId& scope, std::uint64_t registration,
                      Operation::State state = Operation::State::kAssigned) {
    return found([&](Snapshot& s) {
      return s.provisioning().find_open_operation(scope, sample::registration(registration), state);
    });
  }
  Alert alert(std::string kind, std::uint64_t registration, std::string subject, std::uint64_t at = 1) const {
    return {.scope = here_,
            .kind = std::move(kind),
            .registration_id = sample::registration(registration),
            .subject = std::move(subject),
            .detail = "first",
            .count = 1,
            .first_at = sample::time(at),
            .last_at = sample::time(at),
            .acknowledged_at = std::nullopt};
  }
  auto alerts_of(std::uint64_t registration) {
    return found(
        [&](Snapshot& s) { return s.provisioning().list_alerts_of(here_, sample::registration(registration)); });
  }
  Attempt attempt(std::uint64_t number, std::uint64_t registration, std::string code = {}) const {
    return {here_,
            sample::registration(registration),
            sample::uuid(sample::Kind::kToken, number),
            sample::time(number),
            "2001:db8::7",
            "challenge",
            std::move(code),
            "all of it\nin \"any\" form: '; --"};
  }
  auto attempts(std::uint64_t registration, std::size_t limit = 100) {
    return found(
        [&](Snapshot& s) { return s.provisioning().list_attempts(here_, sample::registration(registration), limit); });
  }
};

TEST_P(AttentionConformance, ADeviceOfEachMechanismIsFoundByItsRegistration) {
  auto tpm = sample::device(1, 1, here_);
  tpm.group = GroupId::parse("plant").value();
  auto x509 = sample::device(2, 2, here_);
  x509.mechanism = Mechanism::kX509;
  x509.device_id = DeviceId::parse("pump-9").value();
  x509.ek_name = x509.srk_name = x509.sealed_hub_key = {};
  x509.certificate_sha256 = sample::bytes(32, 2);
  auto keyed = sample::device(3, 3, here_);
  keyed.mechanism = Mechanism::kSymmetricKey;
  keyed.ek_name = keyed.srk_name = keyed.sealed_hub_key = {};
  for (const auto& device : {tpm, x509, keyed})
    ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().put_device(device); }));
  EXPECT_EQ(fields(*device_of(here_, 1)), fields(tpm));
  EXPECT_EQ(fields(*device_of(here_, 2)), fields(x509));
  EXPECT_EQ(fields(*device_of(here_, 3)), fields(keyed));
  EXPECT_FALSE(device_of(here_, 4));
  EXPECT_FALSE(device_of(there_, 1));

  // Under another mechanism it is replaced as a whole.
  x509.mechanism = Mechanism::kTpm;
  x509.ek_name = sample::bytes(34, 7);
  x509.srk_name = sample::bytes(34, 8);
  x509.certificate_sha256 = {};
  x509.group = GroupId::parse("plant").value();
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().put_device(x509); }));
  EXPECT_EQ(fields(*device_of(here_, 2)), fields(x509));
  x509.group.reset();
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().put_device(x509); }));
  EXPECT_EQ(fields(*device_of(here_, 2)), fields(x509));
}

TEST_P(AttentionConformance, ARegistrationHasOneDevice) {
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().put_device(sample::device(1, 1, here_)); }));
  auto second = sample::device(1, 2, here_);
  second.device_id = DeviceId::parse("pump-9").value();
  EXPECT_EQ(code_of([&](Transaction& t) { return t.provisioning().put_device(second); }), "device.registration");
  second.scope = there_;
  EXPECT_EQ(code_of([&](Transaction& t) { return t.provisioning().put_device(second); }), "");
}

TEST_P(AttentionConformance, DevicesAreListedByGroupAndByEk) {
  const GroupId plant = GroupId::parse("plant").value();
  const GroupId works = GroupId::parse("works").value();
  std::vector<std::string> expected;
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    for (std::uint64_t i = 0; i < 9; ++i) {
      auto device = sample::device(i, i, here_);
      if (i < 5) device.group = plant;
      if (i == 5) device.group = works;
      if (i >= 6) device.ek_name = sample::bytes(34, 77);
      if (i < 5) expected.push_back(device.device_id.text());
      TRY_STATUS(t.provisioning().put_device(device));
    }
    auto other = sample::device(1, 1, there_);
    other.group = plant;
    return t.provisioning().put_device(other);
  }));
  std::ranges::sort(expected);
  std::vector<std::string> ids;
  provisioning::Page<DeviceId> page{std::nullopt, 2};
  for (;;) {
    const auto part = found([&](Snapshot& s) { return s.provisioning().list_devices_of_group(here_, plant, page); });
    if (part.empty()) break;
    EXPECT_LE(part.size(), 2U);
    for (const auto& device : part)
      ids.push_back(device.device_id.text());
    page.after = part.back().device_id;
  }
  EXPECT_EQ(ids, expected);

  const auto of_ek = [&](std::size_t limit) {
    return found([&](Snapshot& s) { return s.provisioning().find_devices_of_ek(here_, sample::bytes(34, 77), limit); });
  };
  EXPECT_THAT(of_ek(10),
              testing::UnorderedElementsAre(sample::registration(6), sample::registration(7), sample::registration(8)));
  EXPECT_EQ(of_ek(2).size(), 2U);
}

TEST_P(AttentionConformance, RemembersTheSrksThatWereReplaced) {
  const auto was_replaced = [&](const ScopeId& scope, std::uint64_t registration, std::uint64_t srk) {
    return found([&](Snapshot& s) {
      return s.provisioning().was_srk_replaced(scope, sample::registration(registration), sample::bytes(34, srk));
    });
  };
  const auto note = [&](std::uint64_t srk, std::uint64_t at) {
    return change([&](Transaction& t) {
      return t.provisioning().note_replaced_srk(here_, sample::registration(1), sample::bytes(34, srk),
                                                sample::time(at));
    });
  };
  EXPECT_FALSE(was_replaced(here_, 1, 1));
  ASSERT_TRUE(note(1, 1));
  ASSERT_TRUE(note(2, 2));
  ASSERT_TRUE(note(1, 3)) << "twice is no error";
  EXPECT_TRUE(was_replaced(here_, 1, 1));
  EXPECT_TRUE(was_replaced(here_, 1, 2));
  EXPECT_FALSE(was_replaced(here_, 1, 3));
  EXPECT_FALSE(was_replaced(here_, 2, 1));
  EXPECT_FALSE(was_replaced(there_, 1, 1));
}

TEST_P(AttentionConformance, AnOperationOfEachKindIsGivenBack) {
  auto waiting = sample::operation(1, 1, here_);
  waiting.state = Operation::State::kWaiting;
  waiting.group = GroupId::parse("plant").value();
  waiting.substatus = Substatus::kDeviceDataReset;
  // Two without a challenge are no conflict.
  auto x509 = sample::operation(2, 2, here_);
  x509.mechanism = Mechanism::kX509;
  x509.challenge_id.reset();
  x509.sealed_challenge_key = x509.ek_name = x509.srk_public = x509.token_digest = {};
  x509.substatus = Substatus::kDeviceDataMigrated;
  auto keyed = x509;
  keyed.operation_id = sample::operation(3, 3).operation_id;
  keyed.registration_id = sample::registration(3);
  keyed.mechanism = Mechanism::kSymmetricKey;
  keyed.ended_at = sample::time(9);
  for (const auto& operation : {waiting, x509, keyed})
    ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().insert_operation(operation); }));
  EXPECT_EQ(fields(*operation(1)), fields(waiting));
  EXPECT_EQ(fields(*operation(2)), fields(x509));
  EXPECT_EQ(fields(*operation(3)), fields(keyed));
}

TEST_P(AttentionConformance, TheOpenOperationIsTheOneThatHasNotEnded) {
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    TRY_STATUS(t.provisioning().insert_operation(sample::operation(1, 1, here_)));
    TRY_STATUS(t.provisioning().end_operation(here_, sample::operation(1, 1).operation_id, sample::time(5)));
    TRY_STATUS(t.provisioning().insert_operation(sample::operation(2, 1, here_)));
    return t.provisioning().insert_operation(sample::operation(3, 2, here_));
  }));
  ASSERT_TRUE(open_operation(here_, 1));
  EXPECT_EQ(fields(*open_operation(here_, 1)), fields(sample::operation(2, 1, here_)));
  EXPECT_FALSE(open_operation(here_, 1, Operation::State::kWaiting));
  auto waiting = sample::operation(4, 1, here_);
  waiting.state = Operation::State::kWaiting;
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().insert_operation(waiting); }));
  EXPECT_EQ(fields(*open_operation(here_, 1, Operation::State::kWaiting)), fields(waiting));
  EXPECT_EQ(fields(*open_operation(here_, 1)), fields(sample::operation(2, 1, here_)));
  EXPECT_FALSE(open_operation(there_, 1));
  ASSERT_TRUE(change([&](Transaction& t) {
    return t.provisioning().end_operations(here_, sample::registration(1), sample::time(6));
  }));
  EXPECT_FALSE(open_operation(here_, 1));
  EXPECT_FALSE(open_operation(here_, 1, Operation::State::kWaiting));
  EXPECT_TRUE(open_operation(here_, 2));
}

TEST_P(AttentionConformance, AnOperationThatWaitsIsAssigned) {
  auto waiting = sample::operation(1, 1, here_);
  waiting.state = Operation::State::kWaiting;
  auto neighbour = sample::operation(2, 2, here_);
  neighbour.state = Operation::State::kWaiting;
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    TRY_STATUS(t.provisioning().insert_operation(waiting));
    TRY_STATUS(t.provisioning().insert_operation(neighbour));
    return t.provisioning().assign_operation(here_, waiting.operation_id, Substatus::kDeviceDataReset);
  }));
  waiting.state = Operation::State::kAssigned;
  waiting.substatus = Substatus::kDeviceDataReset;
  EXPECT_EQ(fields(*operation(1)), fields(waiting));
  EXPECT_EQ(fields(*operation(2)), fields(neighbour));
  EXPECT_EQ(code_of([&](Transaction& t) {
              return t.provisioning().assign_operation(there_, waiting.operation_id, Substatus::kDeviceDataReset);
            }),
            "operation.unknown");
}

TEST_P(AttentionConformance, ARegistrationWaitsForOneApproval) {
  Approval approval{here_, sample::registration(1), sample::bytes(34, 1), sample::bytes(34, 2), sample::time(1), {}};
  const auto find = [&](const ScopeId& scope) {
    return found([&](Snapshot& s) { return s.provisioning().find_approval(scope, sample::registration(1)); });
  };
  EXPECT_FALSE(find(here_));
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().put_approval(approval); }));
  EXPECT_EQ(fields(*find(here_)), fields(approval));
  approval.approved_at = sample::time(2);
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().put_approval(approval); }));
  EXPECT_EQ(fields(*find(here_)), fields(approval));
  // Other keys are another wish.
  approval = {here_, sample::registration(1), sample::bytes(34, 3), sample::bytes(34, 4), sample::time(3), {}};
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().put_approval(approval); }));
  EXPECT_EQ(fields(*find(here_)), fields(approval));
  EXPECT_FALSE(find(there_));
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().remove_approval(here_, sample::registration(1)); }));
  EXPECT_FALSE(find(here_));
}

TEST_P(AttentionConformance, ApprovalsAreListedByRegistration) {
  std::vector<RegistrationId> expected;
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    for (std::uint64_t i = 0; i < 5; ++i) {
      expected.push_back(sample::registration(i));
      TRY_STATUS(t.provisioning().put_approval({here_, expected.back(), {1}, {2}, sample::time(i), {}}));
    }
    return t.provisioning().put_approval({there_, sample::registration(9), {1}, {2}, sample::time(9), {}});
  }));
  std::ranges::sort(expected);
  std::vector<RegistrationId> ids;
  provisioning::Page<RegistrationId> page{std::nullopt, 2};
  for (;;) {
    const auto part = found([&](Snapshot& s) { return s.provisioning().list_approvals(here_, page); });
    if (part.empty()) break;
    EXPECT_LE(part.size(), 2U);
    for (const auto& approval : part)
      ids.push_back(approval.registration_id);
    page.after = ids.back();
  }
  EXPECT_EQ(ids, expected);
}

TEST_P(AttentionConformance, TheSameAlertAgainCountsUpAndTakesBackThatItWasAcknowledged) {
  const AlertKey key{sample::registration(1), "ek.duplicate", "meter-2"};
  const auto raise = [&](const Alert& alert) {
    return change([&](Transaction& t) { return t.provisioning().raise_alert(alert); });
  };
  auto expected = alert("ek.duplicate", 1, "meter-2", 10);
  ASSERT_TRUE(raise(expected));
  ASSERT_EQ(alerts_of(1).size(), 1U);
  EXPECT_EQ(fields(alerts_of(1)[0]), fields(expected));

  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().acknowledge_alert(here_, key, sample::time(15)); }));
  expected.acknowledged_at = sample::time(15);
  EXPECT_EQ(fields(alerts_of(1)[0]), fields(expected));

  auto again = alert("ek.duplicate", 1, "meter-2", 20);
  again.detail = "second";
  ASSERT_TRUE(raise(again));
  ASSERT_TRUE(raise(again));
  expected.detail = "second";
  expected.count = 3;
  expected.last_at = sample::time(20);
  expected.acknowledged_at.reset();
  ASSERT_EQ(alerts_of(1).size(), 1U);
  EXPECT_EQ(fields(alerts_of(1)[0]), fields(expected));
}

TEST_P(AttentionConformance, AnAlertIsAcknowledgedByItsWholeKey) {
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    TRY_STATUS(t.provisioning().raise_alert(alert("ek.duplicate", 1, "meter-2")));
    return t.provisioning().raise_alert(alert("ek.duplicate", 1, "meter-3"));
  }));
  const auto acknowledge = [&](const ScopeId& scope, const AlertKey& key) {
    return code_of([&](Transaction& t) { return t.provisioning().acknowledge_alert(scope, key, sample::time(5)); });
  };
  const AlertKey key{sample::registration(1), "ek.duplicate", "meter-2"};
  EXPECT_EQ(acknowledge(there_, key), "alert.unknown");
  EXPECT_EQ(acknowledge(here_, {sample::registration(2), key.kind, key.subject}), "alert.unknown");
  EXPECT_EQ(acknowledge(here_, {key.registration_id, "srk.overlap", key.subject}), "alert.unknown");
  EXPECT_EQ(acknowledge(here_, {key.registration_id, key.kind, "meter-4"}), "alert.unknown");
  EXPECT_EQ(acknowledge(here_, key), "");
  const auto alerts = alerts_of(1);
  ASSERT_EQ(alerts.size(), 2U);
  EXPECT_EQ(alerts[0].acknowledged_at, sample::time(5));
  EXPECT_EQ(alerts[1].acknowledged_at, std::nullopt);
}

TEST_P(AttentionConformance, AlertsAreListedInTheOrderOfTheirKeyAndNoneIsMissed) {
  using Place = std::tuple<std::string, std::string, std::string>;
  std::vector<Place> expected;
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    for (const std::uint64_t registration : {3U, 1U, 2U})
      for (const char* kind : {"srk.overlap", "ek.duplicate"})
        for (const char* subject : {"b", "a"}) {
          TRY_STATUS(t.provisioning().raise_alert(alert(kind, registration, subject)));
          expected.emplace_back(sample::registration(registration).text(), kind, subject);
        }
    return {};
  }));
  std::ranges::sort(expected);
  std::vector<Place> places;
  provisioning::Page<AlertKey> page{std::nullopt, 5};
  for (;;) {
    const auto part = found([&](Snapshot& s) { return s.provisioning().list_alerts(here_, page); });
    if (part.empty()) break;
    EXPECT_LE(part.size(), 5U);
    for (const auto& alert : part)
      places.emplace_back(alert.registration_id.text(), alert.kind, alert.subject);
    page.after = AlertKey{part.back().registration_id, part.back().kind, part.back().subject};
  }
  EXPECT_EQ(places, expected);
  EXPECT_EQ(alerts_of(1).size(), 4U);
  EXPECT_TRUE(found([&](Snapshot& s) { return s.provisioning().list_alerts(there_, {std::nullopt, 5}); }).empty());
}

TEST_P(AttentionConformance, TheDiaryNeedsNoAuditEntryAndEverythingElseDoes) {
  const auto code_without_entry = [&](const std::function<Status(Transaction&)>& apply) {
    const Status status = world_.store->write(apply);
    return status ? "" : std::string(status.error().code);
  };
  EXPECT_EQ(code_without_entry([&](Transaction& t) { return t.diary().add(attempt(1, 1)); }), "");
  EXPECT_EQ(attempts(1).size(), 1U);
  // A diary's rows do not pay for others'.
  const std::function<Status(provisioning::Records&)> writes[] = {
      [&](auto& r) { return r.put_device(sample::device(1, 1, here_)); },
      [&](auto& r) { return r.insert_operation(sample::operation(1, 1, here_)); },
      [&](auto& r) { return r.raise_alert(alert("ek.duplicate", 1, "meter-2")); },
      [&](auto& r) {
        return r.put_approval({here_, sample::registration(1), {1}, {2}, sample::time(1), {}});
      },
      [&](auto& r) { return r.note_replaced_srk(here_, sample::registration(1), Bytes{1}, sample::time(1)); },
  };
  for (const auto& write : writes) {
    EXPECT_EQ(code_without_entry([&](Transaction& t) { return write(t.provisioning()); }), "store.unaudited");
    EXPECT_EQ(code_without_entry([&](Transaction& t) -> Status {
                TRY_STATUS(t.diary().add(attempt(2, 1)));
                TRY_STATUS(t.diary().add(attempt(3, 1)));
                return write(t.provisioning());
              }),
              "store.unaudited");
  }
  EXPECT_EQ(attempts(1).size(), 1U) << "what was undone took its attempts along";
  EXPECT_TRUE(alerts_of(1).empty());
  EXPECT_EQ(
      code_without_entry([&](Transaction& t) { return t.diary().purge(here_, sample::time(9), 10).map([](auto) {}); }),
      "");
  EXPECT_TRUE(attempts(1).empty());
}

TEST_P(AttentionConformance, AttemptsAreListedTheNewestFirst) {
  ASSERT_TRUE(world_.store->write([&](Transaction& t) -> Status {
    for (const std::uint64_t number : {2U, 1U, 3U})
      TRY_STATUS(t.diary().add(attempt(number, 1, "enrollment.ek")));
    TRY_STATUS(t.diary().add(attempt(3, 1, "the same request told again")));
    return t.diary().add(attempt(4, 2));
  }));
  const auto listed = attempts(1);
  ASSERT_EQ(listed.size(), 3U);
  EXPECT_EQ(fields(listed[0]), fields(attempt(3, 1, "enrollment.ek")));
  EXPECT_EQ(fields(listed[1]), fields(attempt(2, 1, "enrollment.ek")));
  EXPECT_EQ(fields(listed[2]), fields(attempt(1, 1, "enrollment.ek")));
  EXPECT_EQ(attempts(1, 2).size(), 2U);
  EXPECT_EQ(attempts(2).size(), 1U);
}

TEST_P(AttentionConformance, OldAttemptsArePurgedAFewAtATime) {
  std::size_t first = 0;
  std::size_t rest = 0;
  ASSERT_TRUE(world_.store->write([&](Transaction& t) -> Status {
    for (std::uint64_t i = 0; i < 10; ++i)
      TRY_STATUS(t.diary().add(attempt(i, 1)));
    auto other = attempt(0, 1);
    other.scope = there_;
    TRY_STATUS(t.diary().add(other));
    TRY(first, t.diary().purge(here_, sample::time(6), 4));
    TRY(rest, t.diary().purge(here_, sample::time(6), 4));
    return {};
  }));
  EXPECT_EQ(first, 4U);
  EXPECT_EQ(rest, 2U);
  const auto left = attempts(1);
  ASSERT_EQ(left.size(), 4U);
  EXPECT_EQ(left.back().at, sample::time(6));
  EXPECT_EQ(
      found([&](Snapshot& s) { return s.provisioning().list_attempts(there_, sample::registration(1), 10); }).size(),
      1U);
}

INSTANTIATE_TEST_SUITE_P(Databases, AttentionConformance, testing::ValuesIn(kBackends), name_of_backend);

}  // namespace
}  // namespace warifu::store
