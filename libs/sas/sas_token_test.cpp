#include "sas/sas_token.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "sas/test_token.h"

namespace warifu::sas {
namespace {

using test::kExpiry;
using test::kExpirySeconds;
using test::kResource;
using test::percent_encoded;
using test::signature_over;
using test::signing_key;
using test::token_for;

Status believe(std::string_view text, Timestamp now = kExpiry) {
  TRY(const auto token, parse_sas_token(text));
  TRY(const auto resource, resource_of(token));
  if (resource != "0ne00000001/registrations/meter-1")
    return Error{ErrorKind::kUnauthenticated, "token.resource", resource};
  TRY_STATUS(check_expiry(token, now));
  if (!is_signed_by(token, signing_key())) return Error{ErrorKind::kUnauthenticated, "token.signature", "not signed"};
  return {};
}

std::string_view refusal_of(std::string_view text, Timestamp now = kExpiry) {
  return test::refusal_of(believe, text, now);
}

TEST(SasToken, BelievesTheFormOfEachSdk) {
  const std::string se = std::to_string(kExpirySeconds);
  const auto with = [&](std::string_view resource, std::string_view form) {
    return fmt::format(fmt::runtime(form), fmt::arg("sr", resource), fmt::arg("se", se),
                       fmt::arg("sig", percent_encoded(signature_over(resource, se))),
                       fmt::arg("raw_sig", signature_over(resource, se)));
  };
  const struct {
    std::string_view sdk, resource, form;
  } rows[] = {
      {"Node TPM", "0ne00000001%2Fregistrations%2Fmeter-1", "sr={sr}&sig={sig}&se={se}&skn=registration"},
      {"Node symmetric key", "0ne00000001/registrations/meter-1", "sr={sr}&sig={sig}&skn=registration&se={se}"},
      {"C", "0ne00000001%2fregistrations%2fmeter-1", "sr={sr}&sig={sig}&se={se}&skn=registration"},
      {"C# with upper case", "0NE00000001%2Fregistrations%2FMeter-1", "sr={sr}&sig={sig}&se={se}&skn=registration"},
      {"IoT Edge", "0ne00000001%2fregistrations%2fmeter-1", "sr={sr}&sig={sig}&se={se}"},
      {"every character escaped", "%30ne00000001%2Fr%65gistrations%2Fmeter%2D1", "sr={sr}&sig={sig}&se={se}"},
      {"signature not escaped", "0ne00000001%2Fregistrations%2Fmeter-1", "sr={sr}&sig={raw_sig}&se={se}"},
      {"another order", "0ne00000001/registrations/meter-1", "skn=registration&se={se}&sig={sig}&sr={sr}"},
  };
  for (const auto& row : rows) {
    const Status status = believe("SharedAccessSignature " + with(row.resource, row.form));
    EXPECT_TRUE(status) << row.sdk << ": " << to_string(status.error());
  }
}

TEST(SasToken, RefusesTheSameFormOverOtherBytes) {
  // Decoding before the HMAC would make these two interchangeable.
  const std::string signature = percent_encoded(signature_over("0ne00000001/registrations/meter-1", "1790000000"));
  EXPECT_EQ(refusal_of(fmt::format("SharedAccessSignature sr={}&sig={}&se=1790000000", kResource, signature)),
            "token.signature");
}

TEST(SasToken, RefusesWhatIsMalformed) {
  const std::string sig = percent_encoded(signature_over(kResource, "1790000000"));
  const std::string good = fmt::format("sr={}&sig={}&se=1790000000", kResource, sig);
  ASSERT_TRUE(believe("SharedAccessSignature " + good));
  const auto with_signature = [&](std::string_view text) {
    return fmt::format("sr={}&sig={}&se=1790000000", kResource, text);
  };
  const auto of_size = [&](std::size_t size) { return with_signature(percent_encoded(to_base64(Bytes(size, 7)))); };
  const auto with_expiry = [&](std::string_view text) {
    return fmt::format("sr={}&sig={}&se={}", kResource, sig, text);
  };
  const struct {
    std::string_view what;
    std::string fields;
  } rows[] = {
      {"nothing", ""},
      {"no sr", fmt::format("sig={}&se=1790000000", sig)},
      {"no sig", fmt::format("sr={}&se=1790000000", kResource)},
      {"no se", fmt::format("sr={}&sig={}", kResource, sig)},
      {"sr twice", fmt::format("{}&sr={}", good, kResource)},
      {"sig twice", fmt::format("{}&sig={}", good, sig)},
      {"se twice", good + "&se=1790000000"},
      {"skn twice", good + "&skn=a&skn=a"},
      {"an unknown field", good + "&sp=1"},
      {"a field in upper case", fmt::format("SR={}&sig={}&se=1790000000", kResource, sig)},
      {"an empty sr", fmt::format("sr=&sig={}&se=1790000000", sig)},
      {"an empty skn", good + "&skn="},
      {"a field without value", good + "&skn"},
      {"an empty field", good + "&&skn=registration"},
      {"an escape that ends early", with_signature("AAAA%2")},
      {"an escape without digits", with_signature("%")},
      {"an escape of other letters", with_signature(sig.substr(0, sig.size() - 3) + "%3G")},
      {"no base64", with_signature(std::string(43, '-') + "%3D")},
      {"base64 without padding", with_signature(sig.substr(0, sig.size() - 3))},
      {"31 bytes", of_size(31)},
      {"33 bytes", of_size(33)},
      {"0 bytes", with_signature("%3D%3D%3D%3D")},
      {"an expiry below zero", with_expiry("-1")},
      {"an expiry with a sign", with_expiry("+1790000000")},
      {"an expiry that overflows", with_expiry("9223372036854775808")},
      {"an expiry that overflows microseconds", with_expiry("9223372036854775")},
      {"an expiry in the year 10000", with_expiry("253402300800")},
      {"an expiry with a fraction", with_expiry("1790000000.5")},
      {"an expiry with a space", with_expiry(" 1790000000")},
      {"an expiry in words", with_expiry("tomorrow")},
  };
  for (const auto& row : rows)
    EXPECT_EQ(refusal_of("SharedAccessSignature " + row.fields), "token.malformed") << row.what;

  for (const std::string_view scheme :
       {"", "Bearer ", "SharedAccessSignature", "sharedaccesssignature ", " SharedAccessSignature "})
    EXPECT_EQ(refusal_of(fmt::format("{}{}", scheme, good)), "token.malformed") << scheme;
}

TEST(SasToken, TakesTheLastSecondOfTheYear9999) {
  EXPECT_TRUE(believe(token_for(kResource, "253402300799")));
}

TEST(SasToken, RefusesATokenThatIsTooLong) {
  const std::string good = token_for(kResource);
  EXPECT_EQ(refusal_of(good + std::string(2048 - good.size(), 'x')),
            "believed");  // a longer skn, which nothing is made of
  EXPECT_EQ(refusal_of(good + std::string(2049 - good.size(), 'x')), "token.malformed");
}

TEST(SasToken, RefusesEveryTruncation) {
  const std::string good = fmt::format("SharedAccessSignature sr={}&se=1790000000&sig={}", kResource,
                                       percent_encoded(signature_over(kResource, "1790000000")));
  ASSERT_TRUE(believe(good));
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(believe(good.substr(0, size))) << size;
}

TEST(SasToken, ToleratesAClockThatIsFiveMinutesOffAndNotMore) {
  const std::string token = token_for(kResource);
  const auto tolerance = std::chrono::minutes(5);
  EXPECT_TRUE(believe(token, Timestamp()));
  EXPECT_TRUE(believe(token, kExpiry + tolerance));
  EXPECT_EQ(refusal_of(token, kExpiry + tolerance + std::chrono::microseconds(1)), "token.expired");
}

TEST(SasToken, NamesTheServersTimeWhenItHasExpired) {
  const std::string text = token_for(kResource);
  const Status status = believe(text, kExpiry + std::chrono::hours(1));
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find(to_rfc3339(kExpiry + std::chrono::hours(1))), std::string::npos);
}

TEST(SasToken, RefusesASignatureWithAnyBitChanged) {
  const auto mac = from_base64(signature_over(kResource, "1790000000")).value();
  for (std::size_t bit = 0; bit < mac.size() * 8; ++bit) {
    Bytes forged = mac;
    forged[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    EXPECT_EQ(refusal_of(fmt::format("SharedAccessSignature sr={}&sig={}&se=1790000000", kResource,
                                     percent_encoded(to_base64(forged)))),
              "token.signature")
        << bit;
  }
}

TEST(SasToken, RefusesAnotherExpiryUnderTheSameSignature) {
  const std::string sig = percent_encoded(signature_over(kResource, "1790000000"));
  EXPECT_EQ(refusal_of(fmt::format("SharedAccessSignature sr={}&sig={}&se=1790000001", kResource, sig)),
            "token.signature");
  // The signature covers the digits, not the number.
  EXPECT_EQ(refusal_of(fmt::format("SharedAccessSignature sr={}&sig={}&se=01790000000", kResource, sig)),
            "token.signature");
}

TEST(SasToken, RefusesAnotherKey) {
  const std::string text = token_for(kResource);
  const auto token = parse_sas_token(text).value();
  EXPECT_TRUE(is_signed_by(token, signing_key()));
  EXPECT_FALSE(is_signed_by(token, SecretBytes(Bytes(32, 0x5B))));
  EXPECT_FALSE(is_signed_by(token, SecretBytes()));
}

TEST(SasToken, IsRecognisedByItsDigestAlone) {
  const std::string first = token_for(kResource);
  const std::string second = token_for(kResource, "1790000001");
  EXPECT_EQ(token_digest(parse_sas_token(first).value()), token_digest(parse_sas_token(std::string(first)).value()));
  EXPECT_NE(token_digest(parse_sas_token(first).value()), token_digest(parse_sas_token(second).value()));
}

}  // namespace
}  // namespace warifu::sas
