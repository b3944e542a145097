#include "provisioning/sas_token.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sas/test_token.h"

namespace warifu::provisioning {
namespace {

using sas::test::kExpiry;
using sas::test::signing_key;
using sas::test::token_for;

const ScopeId kScope = ScopeId::parse("0ne00000001").value();
const RegistrationId kRegistration = RegistrationId::parse("meter-1").value();

Status believe(std::string_view text, Timestamp now = kExpiry) {
  TRY(const auto token, parse_sas_token(text));
  TRY_STATUS(check_resource(token, kScope, kRegistration));
  TRY_STATUS(check_expiry(token, now));
  if (!is_signed_by(token, signing_key())) return Error{ErrorKind::kUnauthenticated, "token.signature", "not signed"};
  return {};
}

std::string_view refusal_of(std::string_view text, Timestamp now = kExpiry) {
  return sas::test::refusal_of(believe, text, now);
}

TEST(DeviceToken, RefusesATokenForAnotherScopeOrRegistration) {
  for (const std::string_view resource :
       {"0ne00000002%2Fregistrations%2Fmeter-1", "0ne00000001%2Fregistrations%2Fmeter-2",
        "0ne00000001%2Fregistrations%2Fmeter-1%2F", "0ne00000001%2Fregistrations",
        "0ne00000001%2Fenrollments%2Fmeter-1", "%2F0ne00000001%2Fregistrations%2Fmeter-1",
        "0ne00000001%252Fregistrations%252Fmeter-1", "0ne00000001%2Fregistrations%2Fmeter-1%00", "meter-1", "%2F"})
    EXPECT_EQ(refusal_of(token_for(resource)), "token.resource") << resource;
  EXPECT_EQ(refusal_of(token_for("0ne00000001%2Fregistrations%2Fmeter-1%2")), "token.malformed");
  EXPECT_EQ(refusal_of(token_for("0ne00000001%zzregistrations%2Fmeter-1")), "token.malformed");
}

TEST(DeviceToken, SaysWhoseDepositOfWhichPackageItIsFor) {
  const std::string digest = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
  for (const std::string& resource :
       {"0ne00000001%2Fregistrations%2Fmeter-1%2Fescrow%2F" + digest,
        "0NE00000001%2fregistrations%2FMeter-1/Escrow%2F" +
            std::string("00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF")}) {
    const std::string text = token_for(resource);
    const auto subject = deposit_subject_of(parse_sas_token(text).value());
    ASSERT_TRUE(subject) << resource;
    EXPECT_EQ(subject->scope, kScope);
    EXPECT_EQ(subject->registration, kRegistration);
    EXPECT_EQ(subject->package_sha256, digest);
  }
}

TEST(DeviceToken, IsForNoDepositUnlessItsResourceSaysSo) {
  const std::string digest(64, '0');
  const std::string short_of = digest.substr(1);
  const std::string device = "0ne00000001%2Fregistrations%2Fmeter-1";
  for (const std::string& resource :
       {device, device + "%2Fescrow", device + "%2Fescrow%2F", device + "%2Fescrow%2F" + short_of,
        device + "%2Fescrow%2F" + digest + "0", device + "%2Fescrow%2F" + short_of + "g",
        device + "%2Fescrow%2F" + digest + "%2F", device + "%2Fescrow%252F" + digest,
        device + "%2Fescrow%2Fescrow%2F" + digest, device + "%2F%2Fescrow%2F" + digest,
        "hub.example%2Fdevices%2Fmeter-1%2Fescrow%2F" + digest, "%2Fregistrations%2Fmeter-1%2Fescrow%2F" + digest,
        "0ne00000001%2Fregistrations%2F%2Fescrow%2F" + digest, "%2Fescrow%2F" + digest,
        device + "%2Fregistrations%2Fmeter-1%2Fescrow%2F" + digest}) {
    const std::string text = token_for(resource);
    const auto refused = deposit_subject_of(parse_sas_token(text).value());
    ASSERT_FALSE(refused) << resource;
    EXPECT_EQ(refused.error().code, "token.resource") << resource;
  }
  // And what is for a deposit is for nothing else.
  EXPECT_EQ(refusal_of(token_for(device + "%2Fescrow%2F" + digest)), "token.resource");
}

}  // namespace
}  // namespace warifu::provisioning
