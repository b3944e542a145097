#include "tcb/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/system_entropy.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"
#include "tcb/test_service.h"
#include "tcb_protocol/codec.h"
#include "tpm_types/attest.h"
#include "tpm_types/authentication_key.h"

namespace warifu::tcb {
namespace {

using namespace tcb_protocol;
using testing::HasSubstr;
using testing::SizeIs;
using Device = TestDevice<sim::SoftwareTpm, sim::SteppingClock, sim::SeededEntropy>;

class Services : public testing::Test {
 protected:
  std::string signature(const SecretBytes& key, std::string_view text) {
    return to_base64(crypto::hmac(crypto::HashAlgorithm::kSha256, key.reveal(), {as_bytes(text)}).bytes());
  }
  // "=" and the two others of base64 that stand for something else in a token.
  static std::string escaped(std::string_view base64) {
    std::string out;
    for (const char c : base64)
      out += c == '+' ? "%2B" : c == '/' ? "%2F" : c == '=' ? "%3D" : std::string(1, c);
    return out;
  }

  const SecretBytes key_ = SecretBytes::copy_of(Bytes(32, 0x5a));
  Device device_;
};

// --- Who may ask what ---

// What the rules say of a request, without running it.
std::string decide(const Rule& rule, Caller caller, bool verified) {
  return allowed(caller, rule, verified) ? "yes" : "no";
}

struct Unlisted {};

TEST_F(Services, AreForThoseOnlyWhomTheRulesName) {
  struct Row {
    const char* name;
    Rule rule;
    const char* expected;  // agent; agent, server verified; administrator; administrator, server verified
  };
  const Row rows[] = {
      {"BeginServerCheck", kRule<BeginServerCheck>, "yes yes yes yes"},
      {"CheckServer", kRule<CheckServer>, "yes yes yes yes"},
      {"Identity", kRule<Identity>, "no yes no yes"},
      {"ActivateRegistration", kRule<ActivateRegistration>, "no yes no yes"},
      {"RegistrationToken", kRule<RegistrationToken>, "no yes no yes"},
      {"AcceptAssignment", kRule<AcceptAssignment>, "no yes no yes"},
      {"HubToken", kRule<HubToken>, "yes yes yes yes"},
      {"EscrowToken", kRule<EscrowToken>, "no yes no yes"},
      {"AttestationKey", kRule<AttestationKey>, "no yes no yes"},
      {"ActivateAttestation", kRule<ActivateAttestation>, "no yes no yes"},
      {"Quote", kRule<Quote>, "no yes no yes"},
      {"Random", kRule<Random>, "yes yes yes yes"},
      {"Seal", kRule<Seal>, "yes yes yes yes"},
      {"Unseal", kRule<Unseal>, "yes yes yes yes"},
      {"TpmStatus", kRule<tcb_protocol::TpmStatus>, "no yes yes yes"},
      {"Own", kRule<Own>, "no yes yes yes"},
      {"ReadEscrow", kRule<ReadEscrow>, "no yes yes yes"},
      {"EscrowDelivered", kRule<EscrowDelivered>, "no yes yes yes"},
      {"Clear", kRule<Clear>, "no no yes yes"},
      {"ResetLockout", kRule<ResetLockout>, "no no yes yes"},
      {"a request that nobody thought of", kRule<Unlisted>, "no no no no"},
  };
  static_assert(std::size(rows) == std::variant_size_v<Request> + 1, "each request has its row");
  for (const Row& row : rows) {
    const auto decided = decide(row.rule, Caller::kAgent, false) + " " + decide(row.rule, Caller::kAgent, true) + " " +
                         decide(row.rule, Caller::kAdministrator, false) + " " +
                         decide(row.rule, Caller::kAdministrator, true);
    EXPECT_EQ(decided, row.expected) << row.name;
  }
}

// The rules are asked for every request, by its type and by its frame.
template <class R>
void expect_rule_is_asked(Device& device, Caller caller, bool verified, R request) {
  const auto frame = encode_request(request);
  ASSERT_TRUE(frame);
  const auto answer = decode_answer<R>(device.service->answer(caller, frame->reveal()).reveal());
  const std::string code = answer ? "" : std::string(answer.error().code);
  const bool refused = code == "tcb.denied" || code == "tcb.server.unverified";
  EXPECT_EQ(refused, !allowed(caller, kRule<R>, verified)) << typeid(R).name() << ": " << code;
}

TEST_F(Services, AskTheRulesBeforeEveryRequest) {
  for (const Caller caller : {Caller::kAgent, Caller::kAdministrator}) {
    for (const bool verified : {false, true}) {
      const auto expect = [&](auto request) {
        Device device;
        if (verified) {
          ASSERT_EQ(device.verify_server(caller), "");
        }
        expect_rule_is_asked(device, caller, verified, std::move(request));
      };
      expect(BeginServerCheck{});
      expect(CheckServer{{Bytes(4)}});
      expect(Identity{});
      expect(ActivateRegistration{Bytes(8)});
      expect(RegistrationToken{1});
      expect(AcceptAssignment{"h", "d", Bytes(8)});
      expect(HubToken{60});
      expect(EscrowToken{60});
      expect(AttestationKey{});
      expect(ActivateAttestation{Bytes(8), Bytes(8)});
      expect(Quote{Bytes(48), {{}, {7}, {}, {}}});
      expect(Random{8});
      expect(Seal{SecretBytes(8), {}});
      expect(Unseal{Bytes(8)});
      expect(tcb_protocol::TpmStatus{});
      expect(Own{{Bytes(8)}});
      expect(ReadEscrow{});
      expect(EscrowDelivered{Bytes(32)});
      expect(Clear{SecretBytes(8)});
      expect(ResetLockout{SecretBytes(8)});
    }
  }
}

TEST_F(Services, SayToTheAgentThatClearIsNotForIt) {
  device_.tpm.lockout_auth = Bytes(8, 1);
  ASSERT_EQ(device_.verify_server(), "");
  EXPECT_EQ(device_.ask(Clear{SecretBytes::copy_of(Bytes(8, 1))}), "tcb.denied");
  EXPECT_EQ(device_.ask(ResetLockout{SecretBytes::copy_of(Bytes(8, 1))}), "tcb.denied");
  EXPECT_EQ(device_.tpm.clears, 0);
  EXPECT_EQ(device_.ask(ResetLockout{SecretBytes::copy_of(Bytes(8, 1))}, Caller::kAdministrator), "");
  EXPECT_EQ(device_.ask(Clear{SecretBytes::copy_of(Bytes(8, 1))}, Caller::kAdministrator), "");
  EXPECT_EQ(device_.tpm.clears, 1);
}

// --- The server's identity ---

TEST_F(Services, SayNothingOfTheDeviceUntilTheServerIsProved) {
  EXPECT_EQ(device_.ask(Identity{}), "tcb.server.unverified");
  ASSERT_EQ(device_.verify_server(), "");
  EXPECT_EQ(device_.ask(Identity{}), "");
}

TEST_F(Services, BelieveAProofForTenMinutesOnly) {
  ASSERT_EQ(device_.verify_server(), "");
  device_.clock.advance(std::chrono::minutes(10) - std::chrono::seconds(1));
  EXPECT_EQ(device_.ask(Identity{}), "");
  device_.clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(device_.ask(Identity{}), "tcb.server.unverified");
  ASSERT_EQ(device_.verify_server(), "");
  device_.clock.advance(-std::chrono::seconds(1));
  EXPECT_EQ(device_.ask(Identity{}), "tcb.server.unverified") << "the clock went back";
}

TEST_F(Services, UseANonceOnceAndOnlyTheLastOne) {
  EXPECT_EQ(device_.ask(CheckServer{record_handshake(device_.organisation, device_.server, ServerNonce{})}),
            "tcb.nonce");
  const auto handshake = record_handshake(device_.organisation, device_.server, device_.begin());
  EXPECT_EQ(device_.ask(CheckServer{handshake}), "");
  EXPECT_EQ(device_.ask(CheckServer{handshake}), "tcb.nonce") << "used up";
  EXPECT_EQ(device_.ask(Identity{}), "tcb.server.unverified") << "a check that fails ends the proof before it";

  const auto early = record_handshake(device_.organisation, device_.server, device_.begin());
  device_.begin();
  EXPECT_EQ(device_.ask(CheckServer{early}), "tcb.handshake.nonce") << "only the last one counts";
  EXPECT_EQ(device_.ask(CheckServer{early}), "tcb.nonce") << "and it was used up by the failure";
}

TEST_F(Services, LetANonceExpire) {
  const auto handshake = record_handshake(device_.organisation, device_.server, device_.begin());
  device_.clock.advance(std::chrono::minutes(2));
  EXPECT_EQ(device_.ask(CheckServer{handshake}), "tcb.nonce");
}

TEST_F(Services, KeepTheCallersApart) {
  const auto nonce = device_.begin(Caller::kAgent);
  ASSERT_EQ(device_.verify_server(Caller::kAdministrator), "");
  EXPECT_EQ(device_.ask(Identity{}, Caller::kAgent), "tcb.server.unverified");
  EXPECT_EQ(device_.ask(CheckServer{record_handshake(device_.organisation, device_.server, nonce)}), "");
}

TEST_F(Services, DrawNoncesFromBothGenerators) {
  const auto first = device_.begin();
  EXPECT_NE(first, device_.begin());
  // One of the two may be broken.
  device_.tpm.constant_random = std::uint8_t{0};
  EXPECT_NE(device_.begin(), device_.begin());
}

TEST_F(Services, RefuseAServerOfAnotherOrganisation) {
  const TestOrganisation other;
  const TestIdentity stranger = other.server();
  EXPECT_EQ(device_.ask(CheckServer{record_handshake(other, stranger, device_.begin())}), "crypto.path.issuer");
  EXPECT_EQ(device_.ask(Identity{}), "tcb.server.unverified");
}

// A device that woke up in 1970: the certificate tells it how late it is at least.
TEST_F(Services, LearnTheTimeFromAServerThatWasProved) {
  device_.clock.set(Timestamp());
  ASSERT_EQ(device_.verify_server(), "");
  device_.restart();
  auto ended = device_.organisation.server_profile();
  ended.not_before = kTestNow - 100 * kTestDay;
  ended.not_after = kTestNow - kTestDay;  // after the program was built, before what the device knows now
  const TestIdentity former = device_.organisation.server(ended, crypto::KeyKind::kEcP256);
  const auto handshake = record_handshake(device_.organisation, former, device_.begin());
  EXPECT_EQ(device_.ask(CheckServer{handshake}), "crypto.path.expired");
  // One that was not proved tells nothing.
  const TestOrganisation other;
  auto later = other.server_profile();
  later.not_before = kTestNow + 1000 * kTestDay;
  later.not_after = kTestNow + 1100 * kTestDay;
  const TestIdentity stranger = other.server(later, crypto::KeyKind::kEcP256);
  device_.ask(CheckServer{record_handshake(other, stranger, device_.begin())});
  EXPECT_EQ(device_.verify_server(), "");
}

TEST_F(Services, ProveAServerAlsoWhenTheDiskIsFull) {
  const auto nonce = device_.begin();
  device_.power.cut_at(3);  // reads of last-seen before it is written; nothing works afterwards
  EXPECT_EQ(device_.ask(CheckServer{record_handshake(device_.organisation, device_.server, nonce)}), "");
  EXPECT_TRUE(device_.power.has_failed());
  EXPECT_THAT(device_.journal.warnings, SizeIs(1));
  device_.power.restore();
  EXPECT_EQ(device_.ask(Identity{}), "");
}

// --- Provisioning ---

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

// --- Attestation ---

// The messages' Quote has no room for an extraData of the caller's choice: the fake's attest shows what the TPM was
// given.
TEST_F(Services, QuoteOverTheHashOfTheServersNonce) {
  device_.verify_server();
  const Bytes nonce(48, 9);
  const auto answer = device_.service->handle(Caller::kAgent, Quote{nonce, {{}, {0, 7, 10}, {1}, {}}});
  ASSERT_TRUE(answer) << to_string(answer.error());
  const auto attest = tpm::QuoteAttest::parse(answer->attest);
  ASSERT_TRUE(attest) << to_string(attest.error());
  const auto expected = crypto::digest(crypto::HashAlgorithm::kSha256, {nonce});
  EXPECT_EQ(to_hex(attest->extra_data), to_hex(expected.bytes()));
  EXPECT_EQ(answer->values.size(), 3U * 32 + 48);
  EXPECT_EQ(to_hex(attest->pcr_digest),
            to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {answer->values}).bytes()));
  EXPECT_EQ(to_hex(answer->null_attest), to_hex(expected.bytes()));
  EXPECT_FALSE(answer->null_public.empty());
  EXPECT_EQ(device_.ask(Quote{nonce, {}}), "tcb.quote.registers");
}

TEST_F(Services, QuoteAgainWhenARegisterMovedMeanwhile) {
  device_.verify_server();
  const Quote request{Bytes(48, 9), {{}, {10}, {}, {}}};
  device_.tpm.moves_left = 4;
  const auto answer = device_.service->handle(Caller::kAgent, request);
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(device_.tpm.quotes, 5);
  const auto attest = tpm::QuoteAttest::parse(answer->attest);
  EXPECT_EQ(to_hex(attest->pcr_digest),
            to_hex(crypto::digest(crypto::HashAlgorithm::kSha256, {answer->values}).bytes()));
  device_.tpm.moves_left = 5;
  EXPECT_EQ(device_.ask(request), "tcb.quote.moving");
}

TEST_F(Services, QuoteNoOtherRegistersThanTheyWereAskedFor) {
  device_.verify_server();
  device_.tpm.missing_bank = crypto::HashAlgorithm::kSha384;
  EXPECT_EQ(device_.ask(Quote{Bytes(48), {{}, {10}, {10}, {}}}), "tcb.quote.selection");
  EXPECT_EQ(device_.ask(Quote{Bytes(48), {{}, {10}, {}, {}}}), "");
}

TEST_F(Services, QuoteWithoutANullPrimaryWhereTheTpmHasNoEcc) {
  device_.verify_server();
  device_.tpm.has_ecc = false;
  const auto answer = device_.service->handle(Caller::kAgent, Quote{Bytes(48), {{}, {10}, {}, {}}});
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->null_public.empty() && answer->null_attest.empty() && answer->null_signature.empty());
}

TEST_F(Services, GiveWhatWasActivatedForTheirAkAndNoOther) {
  device_.verify_server();
  const auto keys = device_.service->handle(Caller::kAgent, AttestationKey{});
  ASSERT_TRUE(keys);
  EXPECT_EQ(to_hex(keys->ek_public), to_hex(device_.software.ek().tpm2b()));
  EXPECT_EQ(keys->ak_public, device_.tpm.ak_public);
  const auto opened = device_.service->handle(Caller::kAgent, ActivateAttestation{device_.tpm.ak_public, Bytes(32, 5)});
  ASSERT_TRUE(opened);
  EXPECT_EQ(to_hex(opened->secret.reveal()), to_hex(Bytes(32, 5)));
  EXPECT_EQ(device_.ask(ActivateAttestation{Bytes(8), Bytes(32, 5)}), "tpm.activation");
}

// --- Secrets of applications ---

TEST_F(Services, SealForThisTpmAndTheseMeasurements) {
  const auto secret = [] { return SecretBytes::copy_of(as_bytes("a secret")); };
  const auto sealed = device_.service->handle(Caller::kAgent, Seal{secret(), {0, 7}});
  ASSERT_TRUE(sealed);
  const auto opened = device_.service->handle(Caller::kAgent, Unseal{sealed->sealed});
  ASSERT_TRUE(opened);
  EXPECT_EQ(as_text(opened->secret.reveal()), "a secret");
  device_.tpm.boot = 1;
  EXPECT_EQ(device_.ask(Unseal{sealed->sealed}), "tpm.unseal");
}

TEST_F(Services, ReadSealedSecretsStrictly) {
  const auto sealed = device_.service->handle(Caller::kAgent, Seal{SecretBytes(8), {1}})->sealed;
  for (std::size_t size = 0; size < sealed.size(); ++size)
    EXPECT_EQ(device_.ask(Unseal{Bytes(sealed.begin(), sealed.begin() + static_cast<std::ptrdiff_t>(size))}),
              "wire.truncated");
  Bytes longer = sealed;
  longer.push_back(0);
  EXPECT_EQ(device_.ask(Unseal{longer}), "wire.trailing");
}

TEST_F(Services, GiveRandomBytesOfEverySizeThatFits) {
  for (const std::uint16_t size : {std::uint16_t{1}, std::uint16_t{32}, std::uint16_t{1024}}) {
    const auto first = device_.service->handle(Caller::kAgent, Random{size});
    const auto second = device_.service->handle(Caller::kAgent, Random{size});
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->bytes.size(), size);
    if (size == 1) continue;  // two of them may be the same
    EXPECT_NE(to_hex(first->bytes.reveal()), to_hex(second->bytes.reveal()));
  }
}

TEST_F(Services, KnowWhetherTheLastRequestFoundTheTpmGone) {
  const auto ask = [&] {
    device_.service->answer(Caller::kAgent, encode_request(Random{8})->reveal());
    return device_.service->has_lost_tpm();
  };
  EXPECT_FALSE(ask());
  device_.power.cut_at(1);
  EXPECT_FALSE(ask()) << "another trouble";
  device_.power.code = kTpmUnreachable;
  EXPECT_TRUE(ask());
  device_.power.restore();
  EXPECT_FALSE(ask());
}

TEST_F(Services, AnswerBadFramesWithAnError) {
  for (const Bytes& frame : {Bytes(), Bytes(7), Bytes(2000, 0xff)})
    EXPECT_FALSE(decode_answer<Identity>(device_.service->answer(Caller::kAgent, frame).reveal()));
}

}  // namespace
}  // namespace warifu::tcb
