// What provisioning may rely on for devices and their operations.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/conformance_fixture_test.h"

namespace warifu::store {
namespace {

using provisioning::Mechanism;
using provisioning::Operation;
using provisioning::Substatus;
using sample::fields;

class DeviceConformance : public ConformanceTest {
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
};

TEST_P(DeviceConformance, ADeviceOfEachMechanismIsFoundByItsRegistration) {
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

TEST_P(DeviceConformance, WhatWaitsOfAnEkUnderItsGroupEndsWhateverItsRegistration) {
  const auto insert = [&](std::uint64_t number, std::uint64_t ek, std::uint64_t generation, Operation::State state) {
    auto row = sample::operation(number, number, here_);
    row.ek_name = sample::bytes(34, ek);
    row.enrollment_id = sample::uuid(sample::Kind::kEnrollment, generation);
    row.state = state;
    ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().insert_operation(row); }));
  };
  insert(1, 1, 1, Operation::State::kWaiting);
  insert(2, 1, 1, Operation::State::kWaiting);
  insert(3, 1, 1, Operation::State::kAssigned);
  insert(4, 2, 1, Operation::State::kWaiting);
  insert(5, 1, 2, Operation::State::kWaiting);
  ASSERT_TRUE(change([&](Transaction& t) {
    return t.provisioning().end_waiting_operations_of_ek(here_, sample::uuid(sample::Kind::kEnrollment, 1),
                                                         sample::bytes(34, 1), sample::time(9));
  }));
  std::string open;
  for (std::uint64_t i = 1; i <= 5; ++i)
    if (open_operation(here_, i) || open_operation(here_, i, Operation::State::kWaiting)) open += std::to_string(i);
  EXPECT_EQ(open, "345");
}

TEST_P(DeviceConformance, WhoWaitsIsListedAndOnceForEachRegistration) {
  const auto insert = [&](std::uint64_t number, std::uint64_t device, const ScopeId& scope, bool waits, bool ended) {
    auto row = sample::operation(number, device, scope);
    if (waits) row.state = Operation::State::kWaiting;
    if (ended) row.ended_at = sample::time(number + 1);
    ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().insert_operation(row); }));
  };
  insert(1, 1, here_, true, false);
  insert(2, 1, here_, true, false);
  insert(3, 1, here_, true, true);
  insert(4, 1, here_, false, false);
  insert(5, 2, here_, true, false);
  insert(6, 3, here_, false, false);
  insert(7, 4, there_, true, false);
  const auto waiting =
      found([&](Snapshot& s) { return s.provisioning().list_waiting_operations(here_, sample::registration(1)); });
  ASSERT_EQ(waiting.size(), 2U);
  EXPECT_EQ(waiting[0].operation_id, sample::operation(2, 1).operation_id) << "the newest first";
  EXPECT_EQ(waiting[1].operation_id, sample::operation(1, 1).operation_id);
  EXPECT_EQ(open_operation(here_, 1, Operation::State::kWaiting)->operation_id, waiting[0].operation_id);

  std::vector<RegistrationId> expected{sample::registration(1), sample::registration(2)};
  std::ranges::sort(expected);
  const auto page = [&](std::optional<RegistrationId> after, std::size_t limit) {
    return found([&](Snapshot& s) {
      return s.provisioning().list_waiting_registrations(here_, {std::move(after), limit});
    });
  };
  EXPECT_EQ(page({}, 9), expected);
  EXPECT_EQ(page({}, 1), std::vector{expected[0]});
  EXPECT_EQ(page(expected[0], 9), std::vector{expected[1]});
}

TEST_P(DeviceConformance, ARegistrationHasOneDevice) {
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().put_device(sample::device(1, 1, here_)); }));
  auto second = sample::device(1, 2, here_);
  second.device_id = DeviceId::parse("pump-9").value();
  EXPECT_EQ(code_of([&](Transaction& t) { return t.provisioning().put_device(second); }), "device.registration");
  second.scope = there_;
  EXPECT_EQ(code_of([&](Transaction& t) { return t.provisioning().put_device(second); }), "");
}

TEST_P(DeviceConformance, DevicesAreListedByGroupAndByEk) {
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

TEST_P(DeviceConformance, RemembersTheSrksThatWereReplaced) {
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

TEST_P(DeviceConformance, AnOperationOfEachKindIsGivenBack) {
  auto waiting = sample::operation(1, 1, here_);
  waiting.state = Operation::State::kWaiting;
  waiting.group = GroupId::parse("plant").value();
  waiting.substatus = Substatus::kDeviceDataReset;
  waiting.ek_public = sample::bytes(314, 5);
  waiting.is_uncertified = true;
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

TEST_P(DeviceConformance, TheOpenOperationIsTheOneThatHasNotEnded) {
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

TEST_P(DeviceConformance, AnOperationThatWaitsIsAssigned) {
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

INSTANTIATE_TEST_SUITE_P(Databases, DeviceConformance, testing::ValuesIn(kBackends), name_of_backend);

}  // namespace
}  // namespace warifu::store
