#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tcb/services_fixture_test.h"
#include "tpm_types/authentication_key.h"

namespace warifu::tcb {
namespace {

using namespace tcb_protocol;
using testing::HasSubstr;
using testing::SizeIs;

TEST_F(Services, SignRegistrationTokensForTheirOwnScopeAndIdOnly) {
  device_.verify_server();
  ASSERT_EQ(device_.ask(ActivateRegistration{device_.authentication_key(key_)}), "");
  const auto answer = device_.service->handle(Caller::kAgent, RegistrationToken{1767229200});
  ASSERT_TRUE(answer);
  const std::string resource = "0ne12345678%2Fregistrations%2Fpress%3A4.left";
  EXPECT_EQ(answer->token, "SharedAccessSignature sr=" + resource + "&sig=" +
                               escaped(signature(key_, resource + "\n1767229200")) + "&se=1767229200&skn=registration");
  EXPECT_EQ(device_.ask(RegistrationToken{253'402'300'800}), "tcb.token.expiry") << "after the year 9999";
}

TEST_F(Services, KeepTheOrderOfARegistration) {
  device_.verify_server();
  EXPECT_EQ(device_.ask(RegistrationToken{1}), "tcb.registration.none");
  EXPECT_EQ(device_.ask(AcceptAssignment{"hub.example", "press-4", device_.authentication_key(key_)}),
            "tcb.registration.none");
  EXPECT_EQ(device_.ask(HubToken{60}), "tcb.identity.none");
  EXPECT_EQ(device_.tpm.signatures, 0);

  ASSERT_EQ(device_.ask(ActivateRegistration{device_.authentication_key(SecretBytes(32))}), "");
  ASSERT_EQ(device_.ask(AcceptAssignment{"hub.example", "press-4", device_.authentication_key(key_)}), "");
  EXPECT_EQ(device_.ask(RegistrationToken{1}), "tcb.registration.none") << "it ended";
}

TEST_F(Services, ForgetTheRegistrationKeyWithTheProcessAndWithABadChallenge) {
  device_.verify_server();
  ASSERT_EQ(device_.ask(ActivateRegistration{device_.authentication_key(key_)}), "");
  device_.restart();
  device_.verify_server();
  EXPECT_EQ(device_.ask(RegistrationToken{1}), "tcb.registration.none");
  ASSERT_EQ(device_.ask(ActivateRegistration{device_.authentication_key(key_)}), "");
  EXPECT_NE(device_.ask(ActivateRegistration{Bytes(100)}), "");
  EXPECT_EQ(device_.ask(RegistrationToken{1}), "tcb.registration.none");
}

TEST_F(Services, KeepAnAssignmentThroughARestart) {
  device_.provision(key_);
  device_.restart();
  device_.verify_server();
  const auto identity = device_.service->handle(Caller::kAgent, Identity{});
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->id_scope, "0ne12345678");
  EXPECT_EQ(identity->registration_id, "press:4.left");
  EXPECT_EQ(identity->assigned_hub, "hub.example");
  EXPECT_EQ(identity->device_id, "press-4");
}

TEST_F(Services, AnswerToAnAssignmentOnlyWhenItIsOnDisk) {
  device_.verify_server();
  ASSERT_EQ(device_.ask(ActivateRegistration{device_.authentication_key(SecretBytes(32))}), "");
  const AcceptAssignment assignment{"hub.example", "press-4", device_.authentication_key(key_)};
  for (int step = 1; step <= 2; ++step) {  // 1: in the TPM, 2: before the file is written
    device_.power.cut_at(step);
    EXPECT_EQ(device_.ask(assignment), "test.power");
    device_.power.restore();
    EXPECT_FALSE(device_.files.files.contains("identity"));
  }
  EXPECT_EQ(device_.ask(assignment), "") << "the registration is still there";
  EXPECT_TRUE(device_.files.files.contains("identity"));
}

TEST_F(Services, SignForTheHubWhileTheServerIsAwayAndForTheServerOnlyAfterItsProof) {
  device_.provision(key_);
  device_.own();
  device_.restart();
  EXPECT_EQ(device_.ask(HubToken{60}), "");
  EXPECT_EQ(device_.ask(EscrowToken{60}), "tcb.server.unverified");
  EXPECT_EQ(device_.ask(EscrowToken{60}, Caller::kAdministrator), "tcb.server.unverified");
  device_.verify_server();
  EXPECT_EQ(device_.ask(EscrowToken{60}), "");
  device_.verify_server(Caller::kAdministrator);
  EXPECT_EQ(device_.ask(EscrowToken{60}, Caller::kAdministrator), "");
}

TEST_F(Services, SignHubTokensByTheirOwnClock) {
  device_.provision(key_);
  const auto hub = device_.service->handle(Caller::kAgent, HubToken{3600});
  ASSERT_TRUE(hub);
  EXPECT_EQ(hub->expires_at, 1767229200U);
  const std::string resource = "hub.example%2Fdevices%2Fpress-4";
  EXPECT_EQ(hub->token, "SharedAccessSignature sr=" + resource +
                            "&sig=" + escaped(signature(key_, resource + "\n1767229200")) + "&se=1767229200");
}

TEST_F(Services, SignTheDepositOfThePackageThatTheyKeep) {
  device_.provision(key_);
  const Bytes package = device_.own();
  const auto answer = device_.service->handle(Caller::kAgent, EscrowToken{60});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->expires_at, 1767225660U);
  const std::string digest = to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {package}).bytes());
  const std::string resource = "0ne12345678%2Fregistrations%2Fpress%3A4.left%2Fescrow%2F" + digest;
  EXPECT_EQ(answer->token, "SharedAccessSignature sr=" + resource + "&sig=" +
                               escaped(signature(key_, resource + "\n1767225660")) + "&se=1767225660&skn=device");
}

TEST_F(Services, SignNoDepositWithoutAPackage) {
  device_.provision(key_);
  EXPECT_EQ(device_.ask(EscrowToken{60}), "tcb.escrow.none");
  device_.own();
  ASSERT_EQ(device_.ask(EscrowToken{60}), "");
  device_.tpm.lockout_auth.reset();  // by the firmware: the package opens nothing any more
  const int signatures = device_.tpm.signatures;
  EXPECT_EQ(device_.ask(EscrowToken{60}), "tcb.escrow.none");
  EXPECT_EQ(device_.tpm.signatures, signatures);
}

TEST_F(Services, SignNoDepositBeforeAnAssignment) {
  device_.own();
  EXPECT_EQ(device_.ask(EscrowToken{60}), "tcb.identity.none");
}

// What the hub key signs as if it were a challenge is for DPS, which knows no such challenge.
TEST_F(Services, SignNoDepositWithTheHubKeyAsAChallenge) {
  device_.provision(key_);
  device_.own();
  ASSERT_EQ(device_.ask(ActivateRegistration{device_.authentication_key(key_)}), "");
  const auto answer = device_.service->handle(Caller::kAgent, RegistrationToken{253'402'300'799});
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->token, HasSubstr("sr=0ne12345678%2Fregistrations%2Fpress%3A4.left&"));
}

TEST_F(Services, SignNoTokenForTheFarFuture) {
  device_.provision(key_);
  device_.own();
  for (const std::uint32_t lifetime : {0U, 3601U, 0xffffffffU})
    for (const auto& code : {device_.ask(HubToken{lifetime}), device_.ask(EscrowToken{lifetime})})
      EXPECT_EQ(code, "tcb.token.lifetime") << lifetime;
  EXPECT_EQ(device_.ask(HubToken{1}), "");
}

// What would end a resource, or begin another field, is no hub and no device.
TEST_F(Services, LetNothingBeSmuggledIntoAToken) {
  device_.verify_server();
  ASSERT_EQ(device_.ask(ActivateRegistration{device_.authentication_key(SecretBytes(32))}), "");
  const Bytes blob = device_.authentication_key(key_);
  for (const char* hub : {"", "hub/devices/x", "hub&se=9999999999", "hub\n9999999999", "hub%2F", "-hub", "hub..example",
                          "hub.example.", "hub:443",
                          "h\xc3\xbc"
                          "b"})
    EXPECT_EQ(device_.ask(AcceptAssignment{hub, "press-4", blob}), "tcb.hub") << hub;
  EXPECT_EQ(device_.ask(AcceptAssignment{std::string(254, 'h'), "press-4", blob}), "tcb.hub");
  for (const char* id : {"", "a/b", "a&skn=x", "a\n1", "a%2Fb"})
    EXPECT_EQ(device_.ask(AcceptAssignment{"hub.example", id, blob}), "id.device") << id;
  EXPECT_FALSE(device_.files.files.contains("identity"));
  EXPECT_EQ(device_.ask(AcceptAssignment{"hub-1.example", "press-4", blob}), "");
}

TEST_F(Services, SeeThatAKeyDiedWithItsOwner) {
  device_.provision(key_);
  ASSERT_TRUE(device_.tpm.clear(SecretBytes()));  // by the firmware, not by us
  const auto identity = device_.service->handle(Caller::kAgent, Identity{});
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->assigned_hub, "");
  EXPECT_EQ(device_.ask(HubToken{60}), "tpm.key.dead");
  EXPECT_THAT(device_.journal.warnings, SizeIs(1));
}

TEST_F(Services, DoNotTakeATpmThatIsAwayForADeadKey) {
  device_.provision(key_);
  for (int step = 1; step <= 3; ++step) {  // the public keys, the file, the HMAC
    device_.power.cut_at(step);
    EXPECT_EQ(device_.ask(Identity{}), "test.power");
    device_.power.restore();
  }
  EXPECT_EQ(device_.service->handle(Caller::kAgent, Identity{})->assigned_hub, "hub.example");
}

TEST_F(Services, ComeUpWithAStateFileThatIsTornOrStrange) {
  device_.provision(key_);
  const Bytes whole = device_.files.files.at("identity");
  for (const Bytes& content : {Bytes(), Bytes(whole.begin(), whole.end() - 1), Bytes(100, 'x')}) {
    device_.files.files["identity"] = content;
    device_.journal.warnings.clear();
    const auto identity = device_.service->handle(Caller::kAgent, Identity{});
    ASSERT_TRUE(identity);
    EXPECT_EQ(identity->assigned_hub, "");
    ASSERT_THAT(device_.journal.warnings, SizeIs(1));
    EXPECT_THAT(device_.journal.warnings[0], HasSubstr("identity"));
  }
  ASSERT_EQ(device_.ask(ActivateRegistration{device_.authentication_key(SecretBytes(32))}), "");
  EXPECT_EQ(device_.ask(AcceptAssignment{"hub.example", "press-4", device_.authentication_key(key_)}), "");
}

TEST_F(Services, AreCalledByTheirEkUnlessTheirOwnerSaysOtherwise) {
  Service unnamed({device_.tpm, device_.files, device_.clock, device_.entropy, device_.journal, kTestNow},
                  device_.organisation.trust(), {*ScopeId::parse("0ne1"), std::nullopt});
  const auto status = unnamed.handle(Caller::kAdministrator, tcb_protocol::TpmStatus{});
  ASSERT_TRUE(status);
  EXPECT_EQ(status->registration_id, tpm::default_registration_id(device_.software.ek()));
}

}  // namespace
}  // namespace warifu::tcb
