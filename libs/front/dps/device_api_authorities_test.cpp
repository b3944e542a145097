// TPMs that come to a group by who certified their EK.
#include <gmock/gmock.h>

#include "front/dps/authorities_fixture_test.h"

namespace warifu::front::dps {
namespace {

using ek_trust::test::Maker;
using test::member;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using World = test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm>;

TEST_F(DeviceAuthoritiesTest, ATpmWhoseCertificateLeadsThroughANamedAuthorityComes) {
  import({maker_.root(), maker_.ca(), other_.root()});
  for (const Bytes& authority : {maker_.root(), maker_.ca()}) {
    make_group("plant", {other_.root(), authority});
    EXPECT_EQ(come(certified_pump()), "assigned");
    EXPECT_EQ(group_of("pump-1"), "plant");
    EXPECT_THAT(eks_of("plant"), AllOf(HasSubstr(ek_.name().text()), HasSubstr(R"("registration_id":"pump-1")"),
                                       HasSubstr(R"("is_approved":false)")));
    const auto shown = operator_.get("/api/v1/devices/pump-1");
    EXPECT_EQ(member(shown, "ek_certificate.verdict.verdict"), "trusted") << shown.body;
    EXPECT_EQ(come(certified_pump()), "assigned") << "again";
    ASSERT_EQ(operator_.remove(kGroupsOfAll + "/plant").status, 204);
  }
  EXPECT_THAT(world_.stored(), HasSubstr("device:pump-1 ek-certificate.keep ek:" + ek_.name().text()));
}

TEST_F(DeviceAuthoritiesTest, NothingButAVerifiedPathThroughANamedAuthorityIsAYes) {
  import({maker_.root(), maker_.ca(), other_.root(), other_.ca()});
  make_group("plant", {maker_.root()});
  const Maker unknown("Unknown");
  auto expired = endorsement::test::ek_template(maker_.ca_name);
  expired.spki = ek_trust::test::spki_of(ek_);
  expired.key_usage = endorsement::test::hex("03020520");
  expired.not_after = "20250101000000Z";
  auto no_ek = expired;
  no_ek.not_after = "20400101000000Z";
  no_ek.is_ek = false;
  auto signing = expired;
  signing.not_after = "20400101000000Z";
  signing.key_usage = endorsement::test::hex("03020780");
  Bytes forged = maker_.certify(ek_);
  forged.back() ^= 1;
  using endorsement::test::certificate;
  const struct {
    std::string what;
    World::TestDevice device;
    std::string says;
  } rows[] = {
      {"none", pump(), "no certificate came"},
      {"of another EK", pump().with_certificate(maker_.certify(world_.tpm_a.ek())), "of another key"},
      {"through another authority", pump().with_certificate(other_.certify(ek_)), "through none of the authorities"},
      {"of somebody unknown", pump().with_certificate(unknown.certify(ek_)), "Unknown CA"},
      {"of somebody unknown, who came along",
       pump().with_certificate(unknown.certify(ek_), {unknown.ca(), unknown.root()}), "Unknown Root"},
      {"over", pump().with_certificate(certificate(expired, maker_.ca_key, maker_.ca_key)), ""},
      {"forged", pump().with_certificate(forged), "none of them signed"},
      {"no EK's", pump().with_certificate(certificate(no_ek, maker_.ca_key, maker_.ca_key)), ""},
      {"not to be challenged", pump().with_certificate(certificate(signing, maker_.ca_key, maker_.ca_key)), ""},
      {"no certificate at all", pump().with_certificate({0x30, 0x02, 0x05, 0x00}), "is refused"},
      {"cut off", pump().with_certificate(Bytes(forged.begin(), forged.begin() + 100)), "is refused"},
      {"a lie in the chain", pump().with_certificate(maker_.certify(ek_), {Bytes{0x30, 0x00}}), "is refused"},
  };
  for (const auto& row : rows) {
    const auto before = world_.stored();
    EXPECT_EQ(come(row.device), kRefused) << row.what;
    EXPECT_EQ(world_.stored(), before) << row.what;
    EXPECT_THAT(explained("pump-1"), AllOf(HasSubstr(ek_.name().text()), HasSubstr("ek-root import"))) << row.what;
    EXPECT_THAT(explained("pump-1"), HasSubstr(row.says)) << row.what;
    const std::string told = world_.server.told_to_devices().back();
    EXPECT_THAT(told, AllOf(Not(HasSubstr("plant")), Not(HasSubstr("Unknown CA")), Not(HasSubstr("authorit"))));
  }
  EXPECT_EQ(come(certified_pump()), "assigned");
}

TEST_F(DeviceAuthoritiesTest, DistrustAndRevocationCountWithEachRegistration) {
  import({maker_.root(), maker_.ca()});
  make_group("plant", {maker_.root()});
  ASSERT_EQ(come(certified_pump()), "assigned");
  const auto crl = fmt::format(R"({{"crls":["{}"]}})", to_base64(maker_.crl(7)));
  ASSERT_EQ(operator_.post("/api/v1/ek-crls", crl).status, 200);
  EXPECT_EQ(come(certified_pump()), kRefused);
  EXPECT_EQ(come(pump().with_certificate(maker_.certify(ek_, 8))), "assigned") << "another number";
  distrust(maker_.ca());
  EXPECT_EQ(come(pump().with_certificate(maker_.certify(ek_, 8))), kRefused);
  EXPECT_EQ(come(pump()), kRefused) << "that one is kept helps nobody";
  EXPECT_EQ(attesting_refusal(pump()), "") << "what its certificate is worth is for the appraisal";
  EXPECT_EQ(attesting_refusal(pump("pump-2")), "enrollment.bound");
}

TEST_F(DeviceAuthoritiesTest, AnAuthorityThatCertifiedAnotherIsFoundOnEachPath) {
  const Bytes crossed = maker_.ca_signed_by(other_);
  import({maker_.root(), maker_.ca(), other_.root(), crossed});
  for (const Bytes& named : {maker_.root(), other_.root(), crossed, maker_.ca()}) {
    make_group("plant", {named});
    EXPECT_EQ(come(certified_pump()), "assigned");
    ASSERT_EQ(operator_.remove(kGroupsOfAll + "/plant").status, 204);
  }
}

TEST_F(DeviceAuthoritiesTest, AuthoritiesThatCameWithTheCertificateLeadOn) {
  import({maker_.root()});
  make_group("plant", {maker_.root()});
  EXPECT_EQ(come(certified_pump()), kRefused);
  const auto with_chain = pump().with_certificate(maker_.certify(ek_), {other_.ca(), maker_.ca()});
  EXPECT_EQ(come(with_chain), "assigned");
  const auto shown = operator_.get("/api/v1/devices/pump-1");
  EXPECT_EQ(member(shown, "ek_certificate.verdict.verdict"), "trusted") << "it is kept with its authorities";
  EXPECT_THAT(operator_.get("/api/v1/ek-roots/" + fingerprint_of(maker_.root()) + "/devices").body,
              HasSubstr(ek_.name().text()));
  // Who distrusts one of them imports it for that.
  import({maker_.ca()});
  EXPECT_THAT(operator_.get("/api/v1/ek-roots/" + fingerprint_of(maker_.ca()) + "/devices").body,
              HasSubstr(ek_.name().text()));
  distrust(maker_.ca());
  EXPECT_EQ(come(with_chain), kRefused);
  EXPECT_EQ(member(operator_.get("/api/v1/devices/pump-1"), "ek_certificate.verdict.code"),
            "endorsement.path.distrusted");
}

TEST_F(DeviceAuthoritiesTest, WhatComesIsBounded) {
  import({maker_.root(), maker_.ca()});
  make_group("plant", {maker_.root()});
  const auto refused = [&](const World::TestDevice& device) {
    return member(device.ask(device.register_request()), "info.code");
  };
  EXPECT_EQ(refused(pump().with_certificate(Bytes(8 * 1024 + 1, 0x30))), "ek_certificate.size");
  EXPECT_EQ(refused(pump().with_certificate(maker_.certify(ek_), std::vector<Bytes>(7, maker_.ca()))),
            "ek_certificate.chain");
  EXPECT_EQ(refused(pump().with_certificate(maker_.certify(ek_), std::vector<Bytes>(5, Bytes(4'000, 0x30)))), kRefused)
      << "larger together than they may be: it counts for nothing";
}

TEST_F(DeviceAuthoritiesTest, NothingIsKeptOfATpmThatDidNotProveItself) {
  import({maker_.root(), maker_.ca()});
  make_group("plant", {maker_.root()});
  const auto before = world_.stored();
  ASSERT_TRUE(certified_pump().get_challenge());
  const auto key = SecretBytes(Bytes(32, 1));
  EXPECT_EQ(certified_pump().ask(certified_pump().register_request(certified_pump().sign(key))).status, 401);
  EXPECT_EQ(world_.stored(), before);
  // The proof without the certificate is none: it counts as it is when the device registers.
  const auto token = pump().sign(certified_pump().get_challenge().value());
  EXPECT_EQ(member(pump().ask(pump().register_request(token)), "info.code"), kRefused);
  EXPECT_EQ(world_.stored(), before);
}

TEST_F(DeviceAuthoritiesTest, AnEkStaysWithTheIdUnderWhichItCameFirst) {
  import({maker_.root(), maker_.ca()});
  make_group("plant", {maker_.root()});
  ASSERT_EQ(come(certified_pump()), "assigned");
  EXPECT_EQ(come(certified_pump("pump-2")), "enrollment.bound");
  EXPECT_THAT(operator_.get("/api/v1/alerts").body,
              AllOf(HasSubstr(R"("kind":"ek.duplicate")"), HasSubstr(R"("registration_id":"pump-2")")));
  EXPECT_EQ(operator_.get("/api/v1/devices/pump-2").status, 404);
  EXPECT_EQ(come(certified_pump("fan-1")), "enrollment.name");
  // Taken off and let in again, it comes as a new one.
  ASSERT_EQ(operator_.remove(ek_path("plant", ek_)).status, 204);
  ASSERT_EQ(operator_.post(ek_path("plant", ek_) + "/allow").status, 204);
  EXPECT_EQ(come(certified_pump("pump-2")), "assigned");
}

TEST_F(DeviceAuthoritiesTest, OneTpmDoesNotTakeTheIdOfAnother) {
  import({maker_.root(), maker_.ca()});
  make_group("plant", {maker_.root()});
  ASSERT_EQ(come(certified_pump()), "assigned");
  const auto rival = world_.device(world_.tpm_a, "pump-1").with_certificate(maker_.certify(world_.tpm_a.ek()));
  EXPECT_EQ(attesting_refusal(rival), kRefused);
  EXPECT_EQ(come(rival), "waits");
  EXPECT_EQ(attesting_refusal(rival), "approval.missing") << "its AK would take the place of the device's";
  ASSERT_EQ(operator_.decide("approve", "pump-1").status, 200);
  EXPECT_EQ(attesting_refusal(rival), "") << "its EK is certified and proved";
  EXPECT_EQ(poll_until_assigned(rival), "assigned");
  EXPECT_THAT(eks_of("plant"), HasSubstr(R"("is_approved":false)"));
  EXPECT_EQ(come(certified_pump()), "waits") << "its ID is another's now";
}

TEST_F(DeviceAuthoritiesTest, OfGroupsThatCouldTakeATpmTheFirstByIdThatGivesItsIdDoes) {
  import({maker_.root(), maker_.ca(), other_.root()});
  const auto first_of = [&](const std::string& id) {
    EXPECT_EQ(come(certified_pump(id)), "assigned") << id;
    const auto group = group_of(id);
    EXPECT_EQ(operator_.remove(ek_path(group, ek_)).status, 204);
    EXPECT_EQ(operator_.post(ek_path(group, ek_) + "/allow").status, 204);
    return group;
  };
  make_group("c", {maker_.root()});
  make_group("b", {maker_.ca()}, "*-1");
  make_group("a", {other_.root()}, "*");
  EXPECT_EQ(first_of("pump-1"), "b") << "\"a\" names nobody who vouches";
  EXPECT_EQ(first_of("pump-2"), "c");
  EXPECT_EQ(first_of("fan-1"), "b");
  make_group("b", {maker_.ca()}, "*-1", false, R"(,"enabled":false)");
  EXPECT_EQ(come(certified_pump("pump-1")), "enrollment.disabled") << "who is kept out comes by no other group";
  // The list of a group, and the enrollment of a device, go before.
  put_group("z", test::tpm_group("z", "pump-*"));
  ASSERT_EQ(operator_.post(kGroupsOfAll + "/z/eks", test::ek_list({&ek_})).status, 200);
  EXPECT_EQ(come(pump("pump-3")), "assigned");
  EXPECT_EQ(group_of("pump-3"), "z");
}

TEST_F(DeviceAuthoritiesTest, AGroupThatIsGoneOrMadeAnewKnowsNoneOfItsEks) {
  import({maker_.root(), maker_.ca()});
  make_group("plant", {maker_.root()});
  ASSERT_EQ(come(certified_pump()), "assigned");
  const auto token = certified_pump().sign(certified_pump().get_challenge().value());
  ASSERT_EQ(operator_.remove(kGroupsOfAll + "/plant").status, 204);
  EXPECT_EQ(come(certified_pump()), "enrollment.unknown");
  make_group("plant", {maker_.root()});
  EXPECT_EQ(member(certified_pump().ask(certified_pump().register_request(token)), "info.code"), "challenge.unknown");
  EXPECT_EQ(come(certified_pump("pump-2")), "assigned") << "it is bound to nothing";
  // A list in the place of authorities is another group.
  put_group("plant", test::tpm_group("plant", "pump-*"));
  EXPECT_EQ(come(certified_pump("pump-2")), "enrollment.unknown");
  EXPECT_EQ(member(operator_.get("/api/v1/devices/pump-2/hub-key"), "code"), "device.credentials_revoked");
}

TEST_F(DeviceAuthoritiesTest, AGroupNamesAuthoritiesThatWereImported) {
  import({maker_.root()});
  const std::string root = fingerprint_of(maker_.root());
  const auto code = [&](const std::string& body) { return member(put_group("plant", body), "code"); };
  EXPECT_EQ(code(test::authority_group("plant", "*", {fingerprint_of(maker_.ca())})), "group.ek_authorities");
  EXPECT_EQ(code(test::authority_group("plant", "*", {})), "group.ek_authorities");
  EXPECT_EQ(code(test::authority_group("plant", "*", std::vector<std::string>(17, root))), "group.ek_authorities");
  EXPECT_EQ(code(test::authority_group("plant", "*", {"ab"})), "ek_root.fingerprint");
  EXPECT_EQ(code(test::authority_group("plant", "{}", {root})), "enrollment.naming");
  const std::string flag_alone =
      R"({"group_id":"plant","attestation":{"type":"tpm","tpm":{"approve_uncertified":true}}})";
  EXPECT_EQ(code(flag_alone), "group.ek_authorities");
  ASSERT_EQ(put_group("plant", test::authority_group("plant", "*", {root, root})).status, 201);
  const auto shown = operator_.get(kGroupsOfAll + "/plant");
  EXPECT_EQ(member(shown, "attestation.tpm.ek_authorities"), fmt::format(R"(["{}"])", root));
  EXPECT_EQ(member(shown, "attestation.tpm.approve_uncertified"), "false");
  EXPECT_EQ(member(operator_.post(kGroupsOfAll + "/plant/eks", test::ek_list({&ek_})), "code"), "group.no_eks");
  import({maker_.ca()});
  const auto changed =
      put_group("plant", test::authority_group("plant", "*", {root, fingerprint_of(maker_.ca())}, true));
  EXPECT_THAT(member(changed, "changes"),
              AllOf(HasSubstr("attestation.ek_authorities"), HasSubstr("attestation.approve_uncertified")));
}

}  // namespace
}  // namespace warifu::front::dps
