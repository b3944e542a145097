// provisioning::GroupDesk on every database.
#include "provisioning/group_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "provisioning/limits.h"
#include "store/desk_fixture_test.h"

namespace warifu::store {
namespace {

using provisioning::EkListRequest;
using provisioning::GroupRequest;
using provisioning::Outcome;
using provisioning::Precondition;
using provisioning::RegistrationNaming;
using provisioning::SymmetricKeyRequest;
using testing::ElementsAre;

class GroupDeskTest : public DeskTest {
 protected:
  auto put(const GroupRequest& request, const Precondition& precondition) {
    return ask([&](auto& r, auto& t) { return groups_.put(r, t, who_, request, precondition); });
  }
  static GroupRequest tpm(std::string_view id) {
    return {GroupId::parse(id).value(), EkListRequest{RegistrationNaming::ek_hash()}, {}};
  }
  static GroupRequest keys(std::string_view id) { return {GroupId::parse(id).value(), SymmetricKeyRequest{}, {}}; }
  auto list(const GroupId& group, const std::vector<tpm::EkPublic>& eks) {
    return ask([&](auto& r, auto& t) { return groups_.list_eks(r, t, who_, group, eks); });
  }
  std::string unlist(const GroupId& group, const tpm::EkPublic& ek) {
    return code(ask([&](auto& r, auto& t) { return groups_.unlist_ek(r, t, who_, group, name_of(ek)); }));
  }
  std::string allow(const GroupId& group, const tpm::EkPublic& ek) {
    return code(ask([&](auto& r, auto& t) { return groups_.allow_ek(r, t, who_, group, name_of(ek)); }));
  }
  // The EK came to a group by authorities.
  void come(const provisioning::EnrollmentGroup& group, const tpm::EkPublic& ek) {
    ASSERT_TRUE(change([&](Transaction& t) {
      return t.provisioning().put_group_ek({.scope = here_,
                                            .ek_name = name_of(ek),
                                            .ek_public = to_bytes(ek.tpm2b()),
                                            .group = group.group_id,
                                            .enrollment_id = group.enrollment_id,
                                            .registration_id = meter_,
                                            .created_at = world_.clock.now(),
                                            .is_approved = true});
    }));
  }
  void wish(const provisioning::EnrollmentGroup& group, const tpm::EkPublic& ek) {
    ASSERT_TRUE(change([&](Transaction& t) {
      return t.provisioning().put_approval(
          {here_, meter_, name_of(ek), {2}, world_.clock.now(), {}, group.group_id, group.enrollment_id});
    }));
  }
  auto wished() {
    return found([&](Snapshot& s) { return s.provisioning().find_approval(here_, meter_); });
  }
  auto remove(const GroupId& group, std::optional<Uuid> revision = {}) {
    return code(ask([&](auto& r, auto& t) { return groups_.remove(r, t, who_, group, revision); }));
  }
  auto listed(const tpm::EkPublic& ek) {
    return found([&](Snapshot& s) { return s.provisioning().find_group_ek(here_, name_of(ek)); });
  }
  auto reveal(const GroupId& group) {
    return ask([&](auto& r, auto& t) { return groups_.reveal_keys(r, t, who_, group); });
  }
  const GroupId plant_ = GroupId::parse("plant").value();
  const GroupId works_ = GroupId::parse("works").value();
};

TEST_P(GroupDeskTest, CreatesUpdatesDeclaresAndKeepsToIfMatch) {
  EXPECT_EQ(code(put(tpm("plant"), kUpdate)), "group.unknown");
  const auto created = put(tpm("plant"), kCreate);
  ASSERT_TRUE(created);
  EXPECT_EQ(created->outcome.kind, Outcome::Kind::kCreated);
  EXPECT_EQ(code(put(tpm("plant"), kCreate)), "group.exists");
  EXPECT_FALSE(is_audited([&] { EXPECT_EQ(put(tpm("plant"), kApply)->outcome.kind, Outcome::Kind::kUnchanged); }));

  auto request = tpm("plant");
  request.attestation = EkListRequest{RegistrationNaming::parse("plant-{ek:8}").value()};
  const auto updated = put(request, {Precondition::Existing::kPresent, created->group.revision});
  ASSERT_TRUE(updated);
  ASSERT_EQ(updated->outcome.changes.size(), 1U);
  EXPECT_EQ(updated->outcome.changes[0].field, "attestation.naming");
  EXPECT_EQ(updated->group.enrollment_id, created->group.enrollment_id);
  EXPECT_EQ(code(put(tpm("plant"), {Precondition::Existing::kPresent, created->group.revision})), "group.revision");
  EXPECT_EQ(remove(plant_, created->group.revision), "group.revision");
  EXPECT_EQ(remove(plant_, updated->group.revision), "");
  EXPECT_EQ(remove(plant_), "group.unknown");
}

TEST_P(GroupDeskTest, AnotherMechanismIsAnotherGenerationWithoutItsEks) {
  const auto created = put(tpm("plant"), kCreate);
  ASSERT_TRUE(list(plant_, {ek(1)}));
  const auto changed = put(keys("plant"), kUpdate);
  ASSERT_TRUE(changed);
  EXPECT_NE(changed->group.enrollment_id, created->group.enrollment_id);
  EXPECT_EQ(changed->group.created_at, created->group.created_at);
  EXPECT_EQ(changed->outcome.changes[0].field, "attestation.type");
  EXPECT_EQ(code(list(plant_, {ek(1)})), "group.no_eks");
  EXPECT_TRUE(reveal(plant_));
  ASSERT_TRUE(put(tpm("plant"), kUpdate));
  EXPECT_EQ(code(reveal(plant_)), "group.no_keys");
  EXPECT_EQ(unlist(plant_, ek(1)), "group.ek_unknown") << "the list begins anew";
  EXPECT_TRUE((*list(plant_, {ek(1)}))[0].is_new);
}

TEST_P(GroupDeskTest, EksAreListedAllOrNone) {
  ASSERT_TRUE(put(tpm("plant"), kCreate));
  ASSERT_TRUE(put(tpm("works"), kCreate));
  const auto first = list(plant_, {ek(1), ek(2), ek(1)});
  ASSERT_TRUE(first);
  ASSERT_EQ(first->size(), 3U);
  EXPECT_TRUE((*first)[0].is_new);
  EXPECT_TRUE((*first)[1].is_new);
  EXPECT_FALSE((*first)[2].is_new);
  EXPECT_FALSE(is_audited([&] { EXPECT_FALSE((*list(plant_, {ek(2)}))[0].is_new); })) << "nothing was changed";

  EXPECT_EQ(code(list(works_, {ek(3), ek(2), ek(4)})), "group.ek_elsewhere");
  EXPECT_FALSE(listed(ek(3)));
  EXPECT_FALSE(listed(ek(4)));
  EXPECT_EQ(listed(ek(2))->group, plant_);
  EXPECT_EQ(code(list(GroupId::parse("nowhere").value(), {ek(3)})), "group.unknown");
  const std::vector<tpm::EkPublic> many(provisioning::GroupDesk::kEksPerChangeMax + 1, ek(5));
  EXPECT_EQ(code(list(plant_, many)), "group.eks");
}

TEST_P(GroupDeskTest, AnEkIsTakenOffByItsOwnGroupAndMayGoToAnother) {
  ASSERT_TRUE(put(tpm("plant"), kCreate));
  ASSERT_TRUE(put(tpm("works"), kCreate));
  ASSERT_TRUE(list(plant_, {ek(1)}));
  EXPECT_EQ(unlist(works_, ek(1)), "group.ek_unknown");
  EXPECT_EQ(unlist(plant_, ek(2)), "group.ek_unknown");
  EXPECT_TRUE(is_audited([&] { EXPECT_EQ(unlist(plant_, ek(1)), ""); }));
  EXPECT_FALSE(listed(ek(1)));
  EXPECT_EQ(code(list(works_, {ek(1)})), "");
}

TEST_P(GroupDeskTest, AGroupByAuthoritiesKeepsWhatWasTakenOffAsBarred) {
  auto request = tpm("plant");
  request.attestation = provisioning::EkAuthorityRequest{RegistrationNaming::ek_hash(), {Bytes(32, 1)}, false};
  const auto group = put(request, kCreate)->group;
  ASSERT_TRUE(put(tpm("works"), kCreate));
  come(group, ek(1));
  EXPECT_EQ(unlist(works_, ek(1)), "group.ek_unknown");
  EXPECT_EQ(allow(plant_, ek(2)), "group.ek_unknown");
  EXPECT_FALSE(is_audited([&] { EXPECT_EQ(allow(plant_, ek(1)), ""); })) << "nothing keeps it out";
  EXPECT_TRUE(is_audited([&] { EXPECT_EQ(unlist(plant_, ek(1)), ""); }));
  EXPECT_TRUE(listed(ek(1))->is_barred);
  EXPECT_FALSE(listed(ek(1))->is_approved);
  EXPECT_EQ(listed(ek(1))->registration_id, meter_);
  EXPECT_FALSE(is_audited([&] { EXPECT_EQ(unlist(plant_, ek(1)), ""); }));
  EXPECT_EQ(code(list(works_, {ek(1)})), "group.ek_elsewhere") << "it is let in again first";
  EXPECT_TRUE(is_audited([&] { EXPECT_EQ(allow(plant_, ek(1)), ""); }));
  EXPECT_FALSE(listed(ek(1)));
  EXPECT_EQ(code(list(works_, {ek(1)})), "");
}

TEST_P(GroupDeskTest, WhatWaitsForAnApprovalGoesWithItsEkAndItsGroup) {
  auto group = put(tpm("plant"), kCreate)->group;
  ASSERT_TRUE(list(plant_, {ek(1)}));
  wish(group, ek(1));
  EXPECT_EQ(unlist(plant_, ek(1)), "");
  EXPECT_FALSE(wished());
  wish(group, ek(1));
  ASSERT_TRUE(put(keys("plant"), kUpdate));
  EXPECT_FALSE(wished()) << "of another kind it is another group";
  group = put(tpm("plant"), kUpdate)->group;
  wish(group, ek(1));
  EXPECT_EQ(remove(plant_), "");
  EXPECT_FALSE(wished());
}

TEST_P(GroupDeskTest, TheEksOfAGroupThatIsGoneAreFreeAndComeUnbound) {
  ASSERT_TRUE(put(tpm("plant"), kCreate));
  ASSERT_TRUE(put(tpm("works"), kCreate));
  ASSERT_TRUE(list(plant_, {ek(1)}));
  auto bound = *listed(ek(1));
  bound.registration_id = meter_;
  ASSERT_TRUE(change([&](Transaction& t) { return t.provisioning().put_group_ek(bound); }));
  EXPECT_FALSE((*list(plant_, {ek(1)}))[0].is_new);
  EXPECT_EQ(listed(ek(1))->registration_id, meter_) << "listed again it stays bound";
  EXPECT_EQ(remove(plant_), "");
  ASSERT_TRUE((*list(works_, {ek(1)}))[0].is_new);
  EXPECT_EQ(listed(ek(1))->group, works_);
  EXPECT_EQ(listed(ek(1))->registration_id, std::nullopt);
}

TEST_P(GroupDeskTest, KeysAreKeptWhereNoneAreGiven) {
  ASSERT_TRUE(put(keys("plant"), kCreate));
  const auto drawn = reveal(plant_);
  ASSERT_TRUE(drawn);
  auto request = keys("plant");
  request.terms.enabled = false;
  ASSERT_TRUE(put(request, kUpdate));
  EXPECT_EQ(to_bytes(reveal(plant_)->primary.reveal()), to_bytes(drawn->primary.reveal()));
  request.attestation = SymmetricKeyRequest{std::nullopt, SecretBytes(Bytes(16, 9))};
  EXPECT_EQ(put(request, kUpdate)->outcome.changes[0].field, "attestation.secondary_key");
  EXPECT_EQ(to_bytes(reveal(plant_)->primary.reveal()), to_bytes(drawn->primary.reveal()));
  EXPECT_EQ(to_bytes(reveal(plant_)->secondary.reveal()), Bytes(16, 9));
  EXPECT_TRUE(is_audited([&] { EXPECT_TRUE(reveal(plant_)); }));
}

TEST_P(GroupDeskTest, GroupsThatMayAllHaveToBeTriedAreCounted) {
  for (std::size_t i = 0; i < provisioning::kGroupsPerMechanismMax; ++i)
    ASSERT_TRUE(put(keys("line-" + std::to_string(i)), kCreate));
  EXPECT_EQ(code(put(keys("one-more"), kCreate)), "group.too_many");
  ASSERT_TRUE(put(tpm("one-more"), kCreate)) << "TPM groups are found by the EK";
  EXPECT_EQ(code(put(keys("one-more"), kUpdate)), "group.too_many");
  auto request = keys("line-1");
  request.terms.enabled = false;
  EXPECT_EQ(code(put(request, kUpdate)), "") << "those that are there can be changed";
}

INSTANTIATE_TEST_SUITE_P(Databases, GroupDeskTest, testing::ValuesIn(kBackends), name_of_backend);

}  // namespace
}  // namespace warifu::store
