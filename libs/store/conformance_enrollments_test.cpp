// What provisioning may rely on for enrollments, groups, and the EKs that groups list.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/conformance_fixture_test.h"

namespace warifu::store {
namespace {

using provisioning::Attestation;
using provisioning::EkAuthorityAttestation;
using provisioning::EkListAttestation;
using provisioning::EnrollmentGroup;
using provisioning::GroupAttestation;
using provisioning::GroupEk;
using provisioning::Mechanism;
using provisioning::RegistrationNaming;
using provisioning::SymmetricKeyAttestation;
using provisioning::Terms;
using provisioning::TpmAttestation;
using provisioning::X509Attestation;
using provisioning::X509GroupAttestation;
using sample::fields;
using testing::ElementsAre;

Terms full_terms() {
  return {.enabled = false,
          .reprovision = provisioning::Reprovision::kNever,
          .allocation = provisioning::Allocation::kCustom,
          .hubs = {"hub-a.example", "hub-b.example", "c"},
          .approve_srk_changes = true,
          .required_attestation = provisioning::RequiredAttestation::kAffirming,
          .attestation_interval = std::chrono::seconds(86'400),
          .allow_software_keys = true,
          .iot_edge = true,
          .initial_twin = R"({"tags":{"line":"Werk Süd"}})",
          .custom_allocation = "{}",
          .device_information = ""};
}

std::vector<Attestation> every_attestation() {
  return {TpmAttestation{sample::bytes(314, 1), sample::bytes(34, 1)},
          X509Attestation{{sample::bytes(700, 2), std::nullopt}},
          X509Attestation{{sample::bytes(700, 3), sample::bytes(700, 4)}},
          SymmetricKeyAttestation{sample::bytes(60, 5), sample::bytes(60, 6)}};
}

std::vector<GroupAttestation> every_group_attestation() {
  return {EkListAttestation{RegistrationNaming::parse("Plant-{ek:9}-*").value()},
          X509GroupAttestation{{sample::bytes(700, 2), std::nullopt}},
          X509GroupAttestation{{sample::bytes(700, 3), sample::bytes(700, 4)}},
          SymmetricKeyAttestation{sample::bytes(60, 5), sample::bytes(60, 6)},
          EkAuthorityAttestation{RegistrationNaming::parse("*").value(), {sample::bytes(32, 7)}},
          EkAuthorityAttestation{
              RegistrationNaming::parse("Roof-*").value(), {sample::bytes(32, 7), sample::bytes(32, 8)}, true}};
}

GroupId group_id(std::uint64_t number) {
  return GroupId::parse("group-" + std::to_string(number)).value();
}

class EnrollmentsConformance : public ConformanceTest {
 protected:
  auto enrollment(const RegistrationId& id) {
    return found([&](Snapshot& s) { return s.provisioning().find_enrollment(here_, id); });
  }
  auto group(std::uint64_t number) {
    return found([&](Snapshot& s) { return s.provisioning().find_group(here_, group_id(number)); });
  }
  EnrollmentGroup make_group(std::uint64_t number, GroupAttestation attestation) const {
    return {.scope = here_,
            .group_id = group_id(number),
            .enrollment_id = sample::uuid(sample::Kind::kEnrollment, 1000 + number),
            .attestation = std::move(attestation),
            .terms = {},
            .revision = sample::uuid(sample::Kind::kToken, number),
            .created_at = sample::time(number),
            .updated_at = sample::time(number)};
  }
  EnrollmentGroup tpm_group(std::uint64_t number) const {
    return make_group(number, EkListAttestation{RegistrationNaming::ek_hash()});
  }
  GroupEk ek(std::uint64_t number, const EnrollmentGroup& of) const {
    return {.scope = here_,
            .ek_name = sample::bytes(34, number),
            .ek_public = sample::bytes(314, number),
            .group = of.group_id,
            .enrollment_id = of.enrollment_id,
            .registration_id = std::nullopt,
            .created_at = sample::time(number)};
  }
  auto stored_ek(std::uint64_t number) {
    return found([&](Snapshot& s) { return s.provisioning().find_group_ek(here_, sample::bytes(34, number)); });
  }
  std::size_t purge(std::size_t limit) {
    std::size_t purged = 0;
    EXPECT_TRUE(change([&](Transaction& t) -> Status {
      TRY(purged, t.provisioning().purge_group_eks(here_, limit));
      return {};
    }));
    return purged;
  }
};

TEST_P(EnrollmentsConformance, AnEnrollmentOfEachMechanismIsGivenBackAsItWasStored) {
  std::uint64_t number = 0;
  for (const auto& attestation : every_attestation())
    for (const auto& terms : {Terms(), full_terms()}) {
      auto enrollment = sample::enrollment(++number, here_);
      enrollment.attestation = attestation;
      enrollment.terms = terms;
      if (number % 2 == 0) enrollment.device_id = DeviceId::parse("pump-" + std::to_string(number)).value();
      enrollment.revision = sample::uuid(sample::Kind::kToken, number);
      enrollment.updated_at = sample::time(90 + number);
      ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().insert_enrollment(enrollment); }));
      const auto stored = this->enrollment(enrollment.registration_id);
      ASSERT_TRUE(stored);
      EXPECT_EQ(fields(*stored), fields(enrollment)) << number;
    }
}

TEST_P(EnrollmentsConformance, AnEnrollmentIsChangedInAllButItsIdentifiersAndItsBirth) {
  auto enrollment = sample::enrollment(1, here_);
  const auto neighbour = sample::enrollment(2, here_);
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    TRY_STATUS(t.provisioning().insert_enrollment(enrollment));
    return t.provisioning().insert_enrollment(neighbour);
  }));
  for (const auto& attestation : every_attestation()) {
    enrollment.attestation = attestation;
    enrollment.enrollment_id = sample::uuid(sample::Kind::kEnrollment, 70 + attestation.index());
    enrollment.terms = enrollment.terms == Terms() ? full_terms() : Terms();
    enrollment.device_id = enrollment.device_id ? std::nullopt : std::optional(DeviceId::parse("pump").value());
    enrollment.revision = sample::uuid(sample::Kind::kToken, 70 + attestation.index());
    enrollment.updated_at = sample::time(70 + attestation.index());
    auto sent = enrollment;
    sent.created_at = sample::time(5'000);
    ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().update_enrollment(sent); }));
    EXPECT_EQ(fields(*this->enrollment(enrollment.registration_id)), fields(enrollment));
  }
  EXPECT_EQ(fields(*this->enrollment(neighbour.registration_id)), fields(neighbour));
  EXPECT_EQ(code_of([&](Transaction& t) { return t.provisioning().update_enrollment(sample::enrollment(3, here_)); }),
            "enrollment.unknown");
  EXPECT_EQ(code_of([&](Transaction& t) { return t.provisioning().update_enrollment(sample::enrollment(1, there_)); }),
            "enrollment.unknown");
}

TEST_P(EnrollmentsConformance, AnEkThatWasReplacedIsNotFoundAnyMore) {
  auto enrollment = sample::enrollment(1, here_);
  const auto ids_of = [&](std::uint64_t ek) {
    return found(
        [&](Snapshot& s) { return s.provisioning().find_enrollments_of_ek(here_, sample::bytes(34, ek), 10); });
  };
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().insert_enrollment(enrollment); }));
  EXPECT_THAT(ids_of(1), ElementsAre(enrollment.registration_id));
  enrollment.attestation = TpmAttestation{sample::bytes(314, 9), sample::bytes(34, 9)};
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().update_enrollment(enrollment); }));
  EXPECT_TRUE(ids_of(1).empty());
  EXPECT_THAT(ids_of(9), ElementsAre(enrollment.registration_id));
  enrollment.attestation = X509Attestation{{sample::bytes(700, 1), std::nullopt}};
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().update_enrollment(enrollment); }));
  EXPECT_TRUE(ids_of(9).empty());
}

TEST_P(EnrollmentsConformance, AGroupOfEachMechanismIsGivenBackChangedAndRemoved) {
  std::uint64_t number = 0;
  for (const auto& attestation : every_group_attestation())
    for (const auto& terms : {Terms(), full_terms()}) {
      auto made = make_group(++number, attestation);
      made.terms = terms;
      ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().insert_group(made); }));
      EXPECT_EQ(fields(*group(number)), fields(made));
      EXPECT_EQ(code_of([&](Transaction& t) { return t.provisioning().insert_group(made); }), "group.exists");
      for (const auto& other : every_group_attestation()) {
        made.attestation = other;
        made.terms = made.terms == Terms() ? full_terms() : Terms();
        made.enrollment_id = sample::uuid(sample::Kind::kEnrollment, 2000 + number * 10 + other.index());
        made.revision = sample::uuid(sample::Kind::kToken, 2000 + number * 10 + other.index());
        made.updated_at = sample::time(2000 + number);
        auto sent = made;
        sent.created_at = sample::time(5'000);
        ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().update_group(sent); }));
        EXPECT_EQ(fields(*group(number)), fields(made));
      }
      ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().remove_group(here_, group_id(number)); }));
      EXPECT_FALSE(group(number));
      EXPECT_EQ(code_of([&](Transaction& t) { return t.provisioning().remove_group(here_, group_id(number)); }),
                "group.unknown");
      EXPECT_EQ(code_of([&](Transaction& t) { return t.provisioning().update_group(made); }), "group.unknown");
    }
}

TEST_P(EnrollmentsConformance, GroupsAreListedByTheirIdsAndByMechanism) {
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    for (const std::uint64_t number : {4U, 1U, 3U, 2U})
      TRY_STATUS(t.provisioning().insert_group(make_group(number, every_group_attestation()[number - 1])));
    auto other = tpm_group(5);
    other.scope = there_;
    return t.provisioning().insert_group(other);
  }));
  const auto ids = [](const std::vector<EnrollmentGroup>& groups) {
    std::vector<std::string> texts;
    for (const auto& group : groups)
      texts.push_back(group.group_id.text());
    return texts;
  };
  const auto listed = [&](std::optional<GroupId> after, std::size_t limit) {
    return ids(found([&](Snapshot& s) { return s.provisioning().list_groups(here_, {after, limit}); }));
  };
  EXPECT_THAT(listed({}, 10), ElementsAre("group-1", "group-2", "group-3", "group-4"));
  EXPECT_THAT(listed({}, 3), ElementsAre("group-1", "group-2", "group-3"));
  EXPECT_THAT(listed(group_id(2), 10), ElementsAre("group-3", "group-4"));
  const auto of = [&](Mechanism mechanism, std::size_t limit) {
    return ids(found([&](Snapshot& s) { return s.provisioning().list_groups_of(here_, mechanism, limit); }));
  };
  EXPECT_THAT(of(Mechanism::kTpm, 10), ElementsAre("group-1"));
  EXPECT_THAT(of(Mechanism::kX509, 10), ElementsAre("group-2", "group-3"));
  EXPECT_THAT(of(Mechanism::kX509, 1), ElementsAre("group-2"));
  EXPECT_THAT(of(Mechanism::kSymmetricKey, 10), ElementsAre("group-4"));
}

TEST_P(EnrollmentsConformance, GroupsByAuthoritiesAreListedByThemselves) {
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    for (const std::uint64_t number : {6U, 5U, 1U, 2U})
      TRY_STATUS(t.provisioning().insert_group(make_group(number, every_group_attestation()[number - 1])));
    auto other = make_group(7, every_group_attestation()[4]);
    other.scope = there_;
    return t.provisioning().insert_group(other);
  }));
  const auto ids = [&](std::size_t limit) {
    std::vector<std::string> texts;
    for (const auto& group : found([&](Snapshot& s) { return s.provisioning().list_authority_groups(here_, limit); }))
      texts.push_back(group.group_id.text());
    return texts;
  };
  EXPECT_THAT(ids(10), ElementsAre("group-5", "group-6"));
  EXPECT_THAT(ids(1), ElementsAre("group-5"));
}

TEST_P(EnrollmentsConformance, WhatAnOperatorSaidOfAnEkIsKept) {
  auto approved = ek(1, tpm_group(1));
  approved.is_approved = true;
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().put_group_ek(approved); }));
  EXPECT_EQ(fields(*stored_ek(1)), fields(approved));
  approved.is_approved = false;
  approved.is_barred = true;
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().put_group_ek(approved); }));
  EXPECT_EQ(fields(*stored_ek(1)), fields(approved));
}

TEST_P(EnrollmentsConformance, AnEkIsInOneGroupAndItsRegistrationHasOneEk) {
  const auto first = tpm_group(1);
  const auto second = tpm_group(2);
  auto bound = ek(1, first);
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().put_group_ek(bound); }));
  EXPECT_EQ(fields(*stored_ek(1)), fields(bound));
  bound = ek(1, second);
  bound.registration_id = sample::registration(1);
  bound.ek_public = sample::bytes(314, 99);
  bound.created_at = sample::time(99);
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().put_group_ek(bound); }));
  EXPECT_EQ(fields(*stored_ek(1)), fields(bound)) << "it moved";

  const auto bound_to = [&](const ScopeId& scope, std::uint64_t registration) {
    return found(
        [&](Snapshot& s) { return s.provisioning().find_bound_ek(scope, sample::registration(registration)); });
  };
  ASSERT_TRUE(bound_to(here_, 1));
  EXPECT_EQ(fields(*bound_to(here_, 1)), fields(bound));
  EXPECT_FALSE(bound_to(here_, 2));
  EXPECT_FALSE(bound_to(there_, 1));
  auto rival = ek(2, second);
  rival.registration_id = sample::registration(1);
  EXPECT_EQ(code_of([&](Transaction& t) { return t.provisioning().put_group_ek(rival); }), "enrollment.bound");
  rival.scope = there_;
  EXPECT_EQ(code_of([&](Transaction& t) { return t.provisioning().put_group_ek(rival); }), "");

  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().remove_group_ek(here_, sample::bytes(34, 1)); }));
  EXPECT_FALSE(stored_ek(1));
  EXPECT_FALSE(bound_to(here_, 1));
  EXPECT_TRUE(bound_to(there_, 1));
}

TEST_P(EnrollmentsConformance, EksAreListedByTheirNames) {
  const auto first = tpm_group(1);
  const auto second = tpm_group(2);
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    for (std::uint64_t i = 0; i < 12; ++i)
      TRY_STATUS(t.provisioning().put_group_ek(ek(i, i < 9 ? first : second)));
    return {};
  }));
  std::vector<std::string> expected;
  for (std::uint64_t i = 0; i < 9; ++i)
    expected.push_back(to_hex(sample::bytes(34, i)));
  std::ranges::sort(expected);
  std::vector<std::string> names;
  provisioning::Page<Bytes> page{std::nullopt, 4};
  for (;;) {
    const auto part = found([&](Snapshot& s) { return s.provisioning().list_group_eks(here_, first.group_id, page); });
    if (part.empty()) break;
    EXPECT_LE(part.size(), 4U);
    for (const auto& row : part)
      names.push_back(to_hex(row.ek_name));
    page.after = part.back().ek_name;
  }
  EXPECT_EQ(names, expected);
  EXPECT_TRUE(
      found([&](Snapshot& s) { return s.provisioning().list_group_eks(there_, first.group_id, page); }).empty());
}

TEST_P(EnrollmentsConformance, TheEksOfAGroupThatIsGoneArePurgedAFewAtATime) {
  const auto gone = tpm_group(1);
  const auto kept = tpm_group(2);
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    TRY_STATUS(t.provisioning().insert_group(gone));
    TRY_STATUS(t.provisioning().insert_group(kept));
    for (std::uint64_t i = 0; i < 10; ++i)
      TRY_STATUS(t.provisioning().put_group_ek(ek(i, i < 7 ? gone : kept)));
    return {};
  }));
  EXPECT_EQ(purge(100), 0U) << "no group is gone";
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().remove_group(here_, gone.group_id); }));

  const auto left = [&] {
    std::size_t count = 0;
    for (std::uint64_t i = 0; i < 10; ++i)
      count += stored_ek(i) ? 1U : 0U;
    return count;
  };
  EXPECT_EQ(purge(3), 3U);
  EXPECT_EQ(left(), 7U);
  for (int steps = 0; steps < 10 && purge(3) > 0; ++steps)
    EXPECT_GE(left(), 3U);
  EXPECT_EQ(left(), 3U);
  for (std::uint64_t i = 7; i < 10; ++i)
    EXPECT_TRUE(stored_ek(i)) << "of the group that is there";
  EXPECT_EQ(purge(3), 0U) << "it comes to an end";
}

TEST_P(EnrollmentsConformance, AGroupThatWasMadeAnewKeepsTheEksThatItLists) {
  const auto old = tpm_group(1);
  auto anew = tpm_group(1);
  anew.enrollment_id = sample::uuid(sample::Kind::kEnrollment, 3000);
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    TRY_STATUS(t.provisioning().insert_group(old));
    for (std::uint64_t i = 0; i < 4; ++i)
      TRY_STATUS(t.provisioning().put_group_ek(ek(i, old)));
    TRY_STATUS(t.provisioning().remove_group(here_, old.group_id));
    TRY_STATUS(t.provisioning().insert_group(anew));
    return t.provisioning().put_group_ek(ek(0, anew));
  }));
  while (purge(100) > 0) {
  }
  EXPECT_TRUE(stored_ek(0)) << "it is listed anew";
  for (std::uint64_t i = 1; i < 4; ++i)
    EXPECT_FALSE(stored_ek(i));
}

TEST_P(EnrollmentsConformance, AGroupOfAnotherMechanismLeavesItsEksToo) {
  auto group = tpm_group(1);
  ASSERT_TRUE(change([&](Transaction& t) -> Status {
    TRY_STATUS(t.provisioning().insert_group(group));
    TRY_STATUS(t.provisioning().put_group_ek(ek(1, group)));
    group.terms.enabled = false;
    return t.provisioning().update_group(group);
  }));
  while (purge(100) > 0) {
  }
  EXPECT_TRUE(stored_ek(1)) << "the group is of the same generation";
  group.attestation = every_group_attestation()[1];
  group.enrollment_id = sample::uuid(sample::Kind::kEnrollment, 3000);
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().update_group(group); }));
  while (purge(100) > 0) {
  }
  EXPECT_FALSE(stored_ek(1));
}

INSTANTIATE_TEST_SUITE_P(Databases, EnrollmentsConformance, testing::ValuesIn(kBackends), name_of_backend);

}  // namespace
}  // namespace warifu::store
