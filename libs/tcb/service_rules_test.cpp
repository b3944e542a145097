#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tcb/services_fixture_test.h"
#include "tcb_protocol/codec.h"

namespace warifu::tcb {
namespace {

using namespace tcb_protocol;

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
      {"LocalQuote", kRule<LocalQuote>, "yes yes yes yes"},
      {"EkCertificate", kRule<tcb_protocol::EkCertificate>, "no yes no yes"},
      {"ProveKey", kRule<ProveKey>, "no yes no yes"},
      {"AcceptCertificate", kRule<AcceptCertificate>, "no yes no yes"},
      {"ShowCertificate", kRule<ShowCertificate>, "no yes yes yes"},
      {"SignHandshake", kRule<SignHandshake>, "no yes no yes"},
      {"ExportKey", kRule<ExportKey>, "no no yes yes"},
      {"Random", kRule<Random>, "yes yes yes yes"},
      {"Seal", kRule<Seal>, "yes yes yes yes"},
      {"Unseal", kRule<Unseal>, "yes yes yes yes"},
      {"TpmStatus", kRule<tcb_protocol::TpmStatus>, "no yes yes yes"},
      {"Own", kRule<Own>, "no yes yes yes"},
      {"ReadEscrow", kRule<ReadEscrow>, "no yes yes yes"},
      {"EscrowDelivered", kRule<EscrowDelivered>, "no yes yes yes"},
      {"Clear", kRule<Clear>, "no no yes yes"},
      {"ResetLockout", kRule<ResetLockout>, "no no yes yes"},
      {"TrustBundle", kRule<TrustBundle>, "yes yes yes yes"},
      {"TrustedRoot", kRule<TrustedRoot>, "yes yes yes yes"},
      {"FollowTrustBundle", kRule<FollowTrustBundle>, "yes yes yes yes"},
      {"ShowApplicationKey", kRule<ShowApplicationKey>, "yes yes yes yes"},
      {"ImportApplicationKey", kRule<ImportApplicationKey>, "no yes no yes"},
      {"AcknowledgeApplicationKey", kRule<AcknowledgeApplicationKey>, "no yes no yes"},
      {"ActivateApplicationKey", kRule<ActivateApplicationKey>, "no yes no yes"},
      {"ForgetApplicationKey", kRule<ForgetApplicationKey>, "no yes no yes"},
      {"ApplicationKeyHmac", kRule<ApplicationKeyHmac>, "yes yes yes yes"},
      {"CapApplicationKeys", kRule<CapApplicationKeys>, "yes yes yes yes"},
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
      expect(LocalQuote{{{}, {7}, {}, {}}});
      expect(tcb_protocol::EkCertificate{});
      expect(ProveKey{false, false, Bytes(48)});
      expect(AcceptCertificate{false, {Bytes(8)}, 0});
      expect(ShowCertificate{false});
      expect(SignHandshake{{Bytes(4)}});
      expect(ExportKey{});
      expect(Random{8});
      expect(Seal{SecretBytes(8), {}});
      expect(Unseal{Bytes(8)});
      expect(tcb_protocol::TpmStatus{});
      expect(Own{{Bytes(8)}});
      expect(ReadEscrow{});
      expect(EscrowDelivered{Bytes(32)});
      expect(Clear{SecretBytes(8)});
      expect(ResetLockout{SecretBytes(8)});
      expect(TrustBundle{});
      expect(TrustedRoot{0});
      expect(FollowTrustBundle{1, 0, Bytes(1)});
      expect(ShowApplicationKey{0});
      expect(ImportApplicationKey{"mqtt", 1, 0, Bytes(8)});
      expect(AcknowledgeApplicationKey{"mqtt", 1, Bytes(48)});
      expect(ActivateApplicationKey{"mqtt", 1});
      expect(ForgetApplicationKey{"mqtt", 1});
      expect(ApplicationKeyHmac{"mqtt", SecretBytes(8)});
      expect(CapApplicationKeys{14});
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

}  // namespace
}  // namespace warifu::tcb
