// The dialogue of docs/protocols/application-keys.md, with a TPM and its keys in memory.
#include "front/device/application_key_api.h"

#include "front/device/application_key_fixture_test.h"
#include "tpm_types/authentication_key_parts.h"

namespace warifu::front::device {
namespace {

using attestation::SoftwareAk;
using std::chrono::minutes;
using test::member;
using testing::HasSubstr;
using testing::Not;
using ApplicationKeyApiTest = ApplicationKeyDialogue;

TEST_F(ApplicationKeyApiTest, GivesTheKeyToItsTpmAndBelievesThatItHasItByItsMac) {
  const auto given = give();
  EXPECT_EQ(given.status, 201) << given.body;
  EXPECT_EQ(state(), "pending");
  ASSERT_TRUE(world_.meter.provision());
  const auto token = activated(world_.tpm_a, ak_);
  const auto told = tell(token);
  EXPECT_THAT(told.body, HasSubstr(R"("keys":[{"name":"mqtt","version":1,"state":"pending"}])"));
  const auto delivered = deliver(token, world_.tpm_a);
  ASSERT_EQ(delivered.status, 200) << delivered.body;
  const auto opened =
      world_.tpm_a.open_authentication_key(from_base64(member(delivered, "authentication_key")).value());
  EXPECT_EQ(to_bytes(opened->reveal()), key_of(given));
  const auto done = acknowledge(token, key_of(given));
  EXPECT_EQ(member(done, "state"), "active") << done.body;
  EXPECT_EQ(state(), "active");
  // Nothing new: cheap.
  const auto again = tell(token, held_one_);
  const auto quiet = tell(token, held_one_, fmt::format(R"(,"digest":"{}")", member(again, "digest")));
  EXPECT_EQ(member(quiet, "keys"), "absent");
  EXPECT_EQ(member(quiet, "digest"), member(again, "digest"));
  // The key was told once, to its operator, and to nobody in the clear.
  for (const std::string& text : world_.server.told_to_devices())
    EXPECT_THAT(text, Not(HasSubstr(member(given, "key"))));
  EXPECT_THAT(alice_.get("/api/v1/registrations/meter-1/application-keys").body, Not(HasSubstr(member(given, "key"))));
}

TEST_F(ApplicationKeyApiTest, MarksWhatItWrapsAsAnApplications) {
  give();
  give(R"(,"generate":true,"capped_by_pcr":14)");
  ASSERT_TRUE(world_.meter.provision());
  const auto token = activated(world_.tpm_a, ak_);
  for (const auto& [version, pcr] : {std::pair{1, std::uint8_t{0}}, std::pair{2, std::uint8_t{14}}}) {
    const auto blob = from_base64(member(deliver(token, world_.tpm_a, version), "authentication_key")).value();
    EXPECT_FALSE(tpm::AuthenticationKeyParts::parse(blob)) << "it is no hub key";
    EXPECT_TRUE(tpm::AuthenticationKeyParts::parse(blob, tpm::application_key_use(pcr)));
  }
}

// Whoever has a device's token asks as often as he likes.
TEST_F(ApplicationKeyApiTest, WritesNothingWhenItDeliversAgain) {
  give();
  ASSERT_TRUE(world_.meter.provision());
  const auto token = activated(world_.tpm_a, ak_);
  ASSERT_EQ(code(deliver(token, world_.tpm_a)), "");
  const auto stored = world_.stored();
  const auto again = deliver(token, world_.tpm_a);
  EXPECT_TRUE(world_.tpm_a.open_authentication_key(from_base64(member(again, "authentication_key")).value()));
  EXPECT_EQ(code(deliver(token, world_.tpm_a_cleared)), "application-key.srk");
  EXPECT_EQ(world_.stored(), stored);
}

TEST_F(ApplicationKeyApiTest, WrapsToNoTpmThatHasNotProvedItself) {
  give();
  const auto token = activated(world_.tpm_a, ak_);
  // Its AK is bound to the EK; which SRK is in that TPM nobody has shown.
  EXPECT_EQ(code(deliver(token, world_.tpm_a)), "application-key.not-registered");
  EXPECT_EQ(code(tell(token)), "application-key.not-registered");
  ASSERT_TRUE(world_.meter.provision());
  EXPECT_EQ(code(deliver(token, world_.tpm_a_cleared)), "application-key.srk");
  EXPECT_EQ(code(deliver(token, world_.tpm_b)), "application-key.ek");
  EXPECT_EQ(code(deliver(token, world_.tpm_a)), "");
  EXPECT_EQ(code(deliver("", world_.tpm_a)), "attestation.token");
  EXPECT_EQ(deliver("", world_.tpm_a).status, 401);
  EXPECT_EQ(code(ask("application-keys/deliver",
                     R"({"name":"mqtt","version":1,"ek_public":"AAA=","srk_public":"AAA="})", token)),
            "wire.truncated");
}

TEST_F(ApplicationKeyApiTest, DeliversAnewToTheSrkOfAClearedTpm) {
  const auto given = give();
  ASSERT_TRUE(world_.meter.provision());
  const auto token = activated(world_.tpm_a, ak_);
  const auto at_first = nonce(token);
  ASSERT_EQ(code(ask("application-keys/acknowledge", acknowledgement(key_of(given), at_first), token)), "");
  ASSERT_TRUE(world_.device(world_.tpm_a_cleared, "meter-1").provision());
  EXPECT_EQ(code(deliver(token, world_.tpm_a)), "application-key.srk") << "the SRK of before";
  EXPECT_THAT(tell(token).body, HasSubstr(R"("state":"pending")"));
  EXPECT_EQ(state(), "pending");
  EXPECT_EQ(code(ask("application-keys/acknowledge", acknowledgement(key_of(given), at_first), token)),
            "application-key.acknowledgement-replayed");
  const auto delivered = deliver(token, world_.tpm_a_cleared);
  ASSERT_EQ(delivered.status, 200) << delivered.body;
  EXPECT_TRUE(
      world_.tpm_a_cleared.open_authentication_key(from_base64(member(delivered, "authentication_key")).value()));
  EXPECT_EQ(code(acknowledge(token, key_of(given))), "");
  EXPECT_EQ(state(), "active");
}

TEST_F(ApplicationKeyApiTest, TakesNoAcknowledgementThatIsNone) {
  const auto given = give();
  ASSERT_TRUE(world_.meter.provision());
  const auto token = activated(world_.tpm_a, ak_);
  const auto fresh = nonce(token);
  EXPECT_EQ(code(ask("application-keys/acknowledge", acknowledgement(Bytes(32, 1), fresh), token)),
            "application-key.mac");
  // A MAC for another device.
  EXPECT_EQ(code(ask("application-keys/acknowledge", acknowledgement(key_of(given), fresh, 1, "meter-2"), token)),
            "application-key.mac");
  EXPECT_EQ(code(ask("application-keys/acknowledge", acknowledgement(key_of(given), fresh, 2), token)),
            "application-key.unknown");
  // Nonces of nobody, of another purpose, and of some time ago.
  EXPECT_EQ(code(ask("application-keys/acknowledge", acknowledgement(key_of(given), to_base64(Bytes(48, 1))), token)),
            "attestation.nonce");
  const auto other = member(ask("certificates/nonce", "{}", token), "nonce");
  EXPECT_EQ(code(ask("application-keys/acknowledge", acknowledgement(key_of(given), other), token)),
            "attestation.nonce");
  world_.clock.advance(minutes(3));
  EXPECT_EQ(code(ask("application-keys/acknowledge", acknowledgement(key_of(given), fresh), token)),
            "attestation.nonce-expired");
  for (const char* body :
       {"", "{}", "[]", R"({"name":"mqtt","version":1})", R"({"name":"","version":1,"nonce":"","mac":""})",
        R"({"name":"mqtt","version":0,"nonce":"","mac":""})",
        R"({"name":"mqtt","version":4294967296,"nonce":"","mac":""})",
        R"({"name":"mqtt","version":1,"nonce":"?","mac":""})",
        R"({"name":"mqtt","version":1,"nonce":"","mac":"","x":1})"})
    EXPECT_EQ(ask("application-keys/acknowledge", body, token).status, 400) << body;
  EXPECT_EQ(state(), "pending");
  // What another device holds is its own.
  test::must(world_.server.enroll("meter-2", world_.tpm_b.ek()));
  ASSERT_TRUE(world_.device(world_.tpm_b, "meter-2").provision());
  const auto token_b = activated(world_.tpm_b, SoftwareAk::of(crypto::KeyKind::kEcP256), "meter-2");
  EXPECT_EQ(code(ask("application-keys/nonce", "{}", token, "meter-2")), "attestation.token");
  EXPECT_EQ(code(ask("application-keys/acknowledge", acknowledgement(key_of(given), nonce(token)), token_b, "meter-2")),
            "attestation.nonce");
  EXPECT_EQ(code(deliver(token_b, world_.tpm_b, 1, "meter-2")), "application-key.unknown");
}

TEST_F(ApplicationKeyApiTest, GivesNothingToADeviceThatMayHaveNothing) {
  const auto given = give();
  ASSERT_TRUE(world_.meter.provision());
  const auto token = activated(world_.tpm_a, ak_);
  const auto before = nonce(token);
  using lifecycle::Hold;
  using lifecycle::State;
  const auto refusal = [&](const net::HttpResponse& response) {
    EXPECT_EQ(response.status, 403) << response.body;
    return member(response, "code");
  };
  for (const Hold hold : {Hold::kSuspended, Hold::kQuarantined, Hold::kPendingApproval}) {
    world_.put_standing({State::kProvisioned, hold});
    EXPECT_EQ(refusal(tell(token)), "device.hold");
    EXPECT_EQ(refusal(deliver(token, world_.tpm_a)), "device.hold");
    EXPECT_EQ(refusal(ask("application-keys/nonce", "{}", token)), "device.hold");
    EXPECT_EQ(refusal(ask("application-keys/forget", held_one_, token)), "device.hold");
    EXPECT_EQ(refusal(ask("application-keys/acknowledge", acknowledgement(key_of(given), before), token)),
              "device.hold");
  }
  EXPECT_EQ(state(), "pending");
  world_.put_standing({State::kRetiring, Hold::kNone});
  EXPECT_EQ(refusal(deliver(token, world_.tpm_a)), "device.state");
  EXPECT_EQ(refusal(give()), "device.state");
  // Its operator can take it back all the same.
  EXPECT_EQ(alice_.post("/api/v1/registrations/meter-1/application-keys/mqtt/revoke").status, 200);
  EXPECT_EQ(state(), "revoked");
}

TEST_F(ApplicationKeyApiTest, WantsTheAttestationThatTheTermsDemand) {
  ASSERT_TRUE(world_.meter.provision());
  give();
  const auto token = activated(world_.tpm_a, ak_);
  ASSERT_EQ(code(deliver(token, world_.tpm_a)), "");
  const auto shown = alice_.get("/api/v1/enrollments/meter-1");
  const auto changed =
      alice_.put("/api/v1/enrollments/meter-1",
                 test::tpm_enrollment("meter-1", world_.tpm_a.ek(), R"(,"required_attestation":"affirming")"));
  ASSERT_LT(changed.status, 300) << changed.body;
  EXPECT_EQ(code(deliver(token, world_.tpm_a)), "application-key.attestation");
  EXPECT_EQ(code(tell(token)), "application-key.attestation");
}

TEST_F(ApplicationKeyApiTest, TellsOfWhatWasRevokedUntilItIsForgotten) {
  const auto given = give();
  ASSERT_TRUE(world_.meter.provision());
  const auto token = activated(world_.tpm_a, ak_);
  ASSERT_EQ(code(acknowledge(token, key_of(given))), "");
  EXPECT_EQ(code(ask("application-keys/forget", held_one_, token)), "application-key.not-revoked");
  EXPECT_EQ(alice_.post("/api/v1/registrations/meter-1/application-keys/mqtt/revoke").status, 200);
  EXPECT_EQ(code(deliver(token, world_.tpm_a)), "application-key.revoked");
  EXPECT_EQ(code(acknowledge(token, key_of(given))), "application-key.revoked");
  EXPECT_THAT(tell(token, held_one_).body, HasSubstr(R"("state":"revoked")"));
  EXPECT_THAT(alice_.get("/api/v1/registrations/meter-1/application-keys").body, Not(HasSubstr("told_at")));
  EXPECT_EQ(code(ask("application-keys/forget", held_one_, token)), "");
  EXPECT_EQ(code(ask("application-keys/forget", held_one_, token)), "");
  EXPECT_THAT(tell(token).body, HasSubstr(R"("keys":[])"));
  EXPECT_THAT(alice_.get("/api/v1/registrations/meter-1/application-keys").body, HasSubstr("told_at"));
}

TEST_F(ApplicationKeyApiTest, GivesNoneOfTheOldKeysToAnEnrollmentThatWasMadeAnew) {
  const auto given = give();
  ASSERT_TRUE(world_.meter.provision());
  const auto token = activated(world_.tpm_a, ak_);
  ASSERT_EQ(code(acknowledge(token, key_of(given))), "");
  test::must(world_.server.unenroll("meter-1"));
  EXPECT_EQ(code(deliver(token, world_.tpm_a)), "enrollment.unknown");
  test::must(world_.server.enroll("meter-1", world_.tpm_a.ek()));
  EXPECT_EQ(state(), "revoked");
  EXPECT_EQ(code(deliver(token, world_.tpm_a)), "application-key.not-registered");
  ASSERT_TRUE(world_.meter.provision());
  EXPECT_EQ(code(deliver(token, world_.tpm_a)), "application-key.unknown");
  EXPECT_THAT(tell(token, held_one_).body, HasSubstr(R"("state":"revoked")"));
  EXPECT_EQ(member(give(), "version"), "2");
  EXPECT_EQ(code(deliver(token, world_.tpm_a, 2)), "");
}

TEST_F(ApplicationKeyApiTest, RefusesListsThatAreNone) {
  ASSERT_TRUE(world_.meter.provision());
  const auto token = activated(world_.tpm_a, ak_);
  std::string many = held_one_;
  for (int i = 0; i < 64; ++i)
    many += "," + held_one_;
  EXPECT_EQ(code(tell(token, many)), "application-key.too-many");
  for (const char* held : {"1", "{}", R"({"name":"a/b","version":1})", R"({"name":"mqtt","version":-1})"})
    EXPECT_EQ(tell(token, held).status, 400) << held;
  EXPECT_EQ(code(tell(token, "", R"(,"digest":"%")")), "json.base64");
  EXPECT_EQ(ask("application-keys", std::string(200'000, ' '), token).status, 413);
}

// Whoever has a device's token says so as often as he likes.
TEST_F(ApplicationKeyApiTest, WritesDownOnceAnHourWhatADeviceLosesAndHasAgain) {
  const auto given = give();
  ASSERT_TRUE(world_.meter.provision());
  const auto token = activated(world_.tpm_a, ak_);
  const auto entries = [&] {
    const auto stored = world_.stored();
    return std::array{count(stored, "application-key.lose"), count(stored, "application-key.acknowledge"),
                      count(stored, "application-key.deliver")};
  };
  for (int round = 0; round < 20; ++round) {
    ASSERT_EQ(code(deliver(token, world_.tpm_a)), "");
    ASSERT_EQ(code(acknowledge(token, key_of(given))), "");
    EXPECT_EQ(state(), "active");
    ASSERT_EQ(code(tell(token)), "");
    EXPECT_EQ(state(), "pending");
  }
  EXPECT_EQ(entries(), (std::array{1u, 1u, 1u}));
  world_.clock.advance(std::chrono::hours(1));
  const auto later = activated(world_.tpm_a, ak_);
  ASSERT_EQ(code(deliver(later, world_.tpm_a)), "");
  ASSERT_EQ(code(acknowledge(later, key_of(given))), "");
  ASSERT_EQ(code(tell(later)), "");
  EXPECT_EQ(entries(), (std::array{2u, 2u, 2u}));
}

}  // namespace
}  // namespace warifu::front::device
