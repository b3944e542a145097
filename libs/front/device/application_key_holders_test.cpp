// Whose keys they are, when devices, enrollments and groups come and go: each with and without a look of the retention
// between two steps, which decides nothing.
#include "front/device/application_key_fixture_test.h"
#include "front/housekeeping/retention.h"

namespace warifu::front::device {
namespace {

using testing::HasSubstr;
using testing::Not;

class ApplicationKeyHolders : public ApplicationKeyDialogue, public testing::WithParamInterface<bool> {
 protected:
  ApplicationKeyHolders() {
    EXPECT_EQ(alice_.remove("/api/v1/enrollments/meter-1").status, 204);
    EXPECT_EQ(alice_.put(kGroup, test::tpm_group("plant", "*")).status, 201);
    EXPECT_EQ(alice_.post(kGroup + "/eks", test::ek_list({&world_.tpm_a.ek(), &world_.tpm_b.ek()})).status, 200);
  }
  void may_look() {
    world_.clock.advance(std::chrono::hours(2));
    ASSERT_TRUE(!GetParam() || retention_.look());
  }
  std::string come(const sim::SoftwareTpm& tpm) { return world_.device(tpm, kId).come().told; }
  // A of the group is pump-1, and has the key.
  Bytes make_active() {
    EXPECT_EQ(come(world_.tpm_a), "assigned");
    const auto key = key_of(give(kMade, kId));
    acknowledge_it(world_.tpm_a, ak_, key);
    EXPECT_EQ(state(1, kId), "active");
    return key;
  }
  void acknowledge_it(const sim::SoftwareTpm& tpm, const attestation::SoftwareAk& ak, const Bytes& key,
                      int version = 1) {
    const auto token = activated(tpm, ak, kId);
    EXPECT_EQ(code(deliver(token, tpm, version, kId)), "");
    EXPECT_EQ(code(acknowledge(token, key, version, kId)), "");
  }
  void expect_nothing_for_b(const Bytes& key) {
    const auto token = activated(world_.tpm_b, ak_b_, kId);
    EXPECT_EQ(code(deliver(token, world_.tpm_b, 1, kId)), "application-key.unknown");
    EXPECT_EQ(code(acknowledge(token, key, 1, kId)), "application-key.unknown");
    EXPECT_THAT(tell(token, held_one_, "", kId).body, HasSubstr(R"("version":1,"state":"revoked")"));
    EXPECT_EQ(state(1, kId), "revoked");
    may_look();
    EXPECT_EQ(state(1, kId), "revoked");
    const auto given = give(kMade, kId);
    EXPECT_EQ(test::member(given, "version"), "2") << given.body;
    acknowledge_it(world_.tpm_b, ak_b_, key_of(given), 2);
  }
  bool is_wiped() {
    bool is = false;
    test::must(world_.store->read([&](store::Snapshot& s) -> Status {
      TRY(const auto all, s.application_keys().list_keys_of(test::scope_id(), RegistrationId::parse(kId).value(), 10));
      is = all.at(0).sealed_key.empty();
      return {};
    }));
    return is;
  }
  net::HttpResponse enroll_own(const std::string& more) {
    return alice_.post("/api/v1/enrollments", test::tpm_enrollment(kId, world_.tpm_a.ek(), more));
  }

  static inline const std::string kId = "pump-1";
  static inline const std::string kGroup = "/api/v1/enrollment-groups/plant";
  static inline const std::string kMade = R"(,"generate":true)";
  const attestation::SoftwareAk ak_b_ = attestation::SoftwareAk::of(crypto::KeyKind::kEcP256);
  housekeeping::Retention retention_{world_.clock, world_.entropy, world_.server.registrar,
                                     world_.server.application_keys, *world_.store};
};

TEST_P(ApplicationKeyHolders, AnotherTpmOfAListThatTakesTheIdGetsNoneOfTheFirstOnes) {
  const auto key = make_active();
  ASSERT_EQ(alice_.remove(kGroup + "/eks/" + world_.tpm_a.ek().name().text()).status, 204);
  EXPECT_TRUE(is_wiped()) << "in that very change";
  EXPECT_EQ(state(1, kId), "revoked");
  may_look();
  ASSERT_EQ(come(world_.tpm_b), "assigned");
  may_look();
  expect_nothing_for_b(key);
}

TEST_P(ApplicationKeyHolders, ABoardThatWasApprovedInPlaceOfAnotherGetsNoneOfTheFirstOnes) {
  const auto key = make_active();
  ASSERT_EQ(come(world_.tpm_b), "waits");
  may_look();
  EXPECT_EQ(state(1, kId), "active") << "the first goes on meanwhile";
  ASSERT_LT(alice_.decide("approve", kId).status, 300);
  ASSERT_EQ(come(world_.tpm_b), "assigned");
  EXPECT_TRUE(is_wiped()) << "in that very change";
  may_look();
  expect_nothing_for_b(key);
}

TEST_P(ApplicationKeyHolders, TheFirstOneThatIsApprovedAgainDoesNotHaveItsKeysAgain) {
  make_active();
  ASSERT_EQ(come(world_.tpm_b), "waits");
  ASSERT_LT(alice_.decide("approve", kId).status, 300);
  ASSERT_EQ(come(world_.tpm_b), "assigned");
  may_look();
  ASSERT_EQ(come(world_.tpm_a), "waits");
  ASSERT_LT(alice_.decide("approve", kId).status, 300);
  ASSERT_EQ(come(world_.tpm_a), "assigned");
  may_look();
  EXPECT_EQ(state(1, kId), "revoked");
  EXPECT_EQ(code(deliver(activated(world_.tpm_a, ak_, kId), world_.tpm_a, 1, kId)), "application-key.revoked");
}

// As the operator's guide says: to keep one device of a group out.
TEST_P(ApplicationKeyHolders, AnEnrollmentOfItsOwnThatIsDisabledKeepsTheKeysFromADeviceAndLeavesThem) {
  const auto key = make_active();
  const auto token = activated(world_.tpm_a, ak_, kId);
  ASSERT_EQ(enroll_own(R"(,"enabled":false)").status, 201);
  may_look();
  EXPECT_EQ(state(1, kId), "active");
  EXPECT_EQ(code(deliver(token, world_.tpm_a, 1, kId)), "enrollment.disabled");
  EXPECT_EQ(code(give(kMade, kId)), "enrollment.disabled");
  ASSERT_EQ(alice_.remove("/api/v1/enrollments/" + kId).status, 204);
  may_look();
  EXPECT_EQ(state(1, kId), "active");
  acknowledge_it(world_.tpm_a, ak_, key);
  EXPECT_EQ(test::member(alice_.post("/api/v1/registrations/" + kId + "/application-keys/mqtt/rotate"), "version"),
            "2");
}

TEST_P(ApplicationKeyHolders, AnEnrollmentOfItsOwnThatTheDeviceComesUnderEndsWhatItsGroupGave) {
  make_active();
  ASSERT_EQ(enroll_own("").status, 201);
  may_look();
  EXPECT_EQ(state(1, kId), "active");
  const auto token = activated(world_.tpm_a, ak_, kId);
  EXPECT_EQ(code(deliver(token, world_.tpm_a, 1, kId)), "application-key.not-registered");
  const auto given = give(kMade, kId);
  EXPECT_EQ(test::member(given, "version"), "2") << given.body;
  ASSERT_EQ(come(world_.tpm_a), "assigned");
  EXPECT_EQ(state(1, kId), "revoked");
  acknowledge_it(world_.tpm_a, ak_, key_of(given), 2);
  may_look();
  ASSERT_EQ(alice_.remove("/api/v1/enrollments/" + kId).status, 204);
  EXPECT_EQ(state(2, kId), "revoked");
  ASSERT_EQ(come(world_.tpm_a), "assigned");
  may_look();
  EXPECT_EQ(state(1, kId), "revoked");
  EXPECT_EQ(state(2, kId), "revoked");
}

TEST_P(ApplicationKeyHolders, AnEnrollmentThatGoesTakesItsKeysWithItInThatChange) {
  ASSERT_EQ(enroll_own("").status, 201);
  const auto remove = [&] { return alice_.remove("/api/v1/enrollments/" + kId).status; };
  const auto bulk = [&] {
    return alice_
        .post("/api/v1/bulk/enrollments",
              fmt::format(R"({{"mode":"delete","enrollments":[{{"registration_id":"{}"}}]}})", kId))
        .status;
  };
  const auto as_azure = [&] { return alice_.remove("/enrollments/" + kId + "?api-version=2021-10-01").status; };
  const auto bulk_as_azure = [&] {
    return alice_
        .post("/enrollments?api-version=2021-10-01",
              fmt::format(R"({{"mode":"delete","enrollments":[{{"registrationId":"{}"}}]}})", kId))
        .status;
  };
  int version = 0;
  for (const std::function<int()>& end : {std::function<int()>(remove), std::function<int()>(bulk),
                                          std::function<int()>(as_azure), std::function<int()>(bulk_as_azure)}) {
    ASSERT_EQ(version > 0 ? enroll_own("").status : 201, 201);
    ASSERT_EQ(code(give(kMade, kId)), "");
    ++version;
    ASSERT_LT(end(), 300) << version;
    EXPECT_THAT(world_.stored(), Not(HasSubstr(fmt::format("{}mqtt{} pending", kId, version))));
    EXPECT_EQ(state(version, kId), "revoked");
  }
  // With another EK it is another one.
  ASSERT_EQ(enroll_own("").status, 201);
  ASSERT_EQ(code(give(kMade, kId)), "");
  ASSERT_EQ(alice_.put("/api/v1/enrollments/" + kId, test::tpm_enrollment(kId, world_.tpm_b.ek())).status, 200);
  EXPECT_THAT(world_.stored(), Not(HasSubstr("pending")));
  EXPECT_EQ(state(5, kId), "revoked");
}

TEST_P(ApplicationKeyHolders, AreNoneOfWhatIsNoTpm) {
  ASSERT_EQ(alice_.post("/api/v1/enrollments", test::key_enrollment(kId)).status, 201);
  EXPECT_EQ(code(give(kMade, kId)), "application-key.no-tpm");
  EXPECT_EQ(code(alice_.post("/api/v1/registrations/" + kId + "/application-keys/mqtt/rotate")),
            "application-key.no-tpm");
  EXPECT_EQ(test::member(alice_.get("/api/v1/registrations/" + kId + "/application-keys"), "items"), "[]");
}

INSTANTIATE_TEST_SUITE_P(Looks, ApplicationKeyHolders, testing::Bool(),
                         [](const auto& of) { return of.param ? "AfterALook" : "WithoutALook"; });

}  // namespace
}  // namespace warifu::front::device
