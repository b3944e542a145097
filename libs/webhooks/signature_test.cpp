#include "webhooks/signature.h"

#include <gtest/gtest.h>

#include "sim/deterministic.h"

namespace warifu::webhooks {
namespace {

using std::chrono::hours;

constexpr std::string_view kId = "0190a0b0-0000-7000-8000-000000000001";
constexpr std::string_view kBody =
    R"({"specversion":"1.0","id":"0190a0b0-0000-7000-8000-000000000001","type":"io.warifu.webhook.test"})";
// By `openssl dgst -sha256 -mac HMAC` over "ID.1790000000.BODY", and the same by node's crypto.
constexpr std::string_view kByCounting = "v1,RC6H9hERln/36/II9ChXVgSHUv+6EBvps+e05fqYJuY=";
constexpr std::string_view kByAb = "v1,AMHsEGDXxdpvtnmmHIDx3AFG2QAviOJSQvUrXDz2iHg=";

SecretBytes counting() {
  Bytes bytes(32);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(i);
  return SecretBytes(std::move(bytes));
}

std::vector<SecretBytes> secrets(SecretBytes first) {
  std::vector<SecretBytes> all;
  all.push_back(std::move(first));
  return all;
}

class SecretsTest : public testing::Test {
 protected:
  Webhook rotated() {
    Webhook webhook{ScopeId::parse("0ne").value(), Label::parse("pager").value(), "https://a.example/"};
    webhook.sealed_secret = seal_secret(key_, webhook.scope, webhook.name, counting(), entropy_);
    webhook.sealed_previous_secret =
        seal_secret(key_, webhook.scope, webhook.name, SecretBytes(Bytes(32, 0xab)), entropy_);
    webhook.previous_until = now_ + hours(24);
    return webhook;
  }
  std::string signed_at(const Webhook& webhook, Timestamp now) {
    const auto all = signing_secrets(key_, webhook, now);
    return all ? signature(*all, kId, 1'790'000'000, kBody) : std::string(all.error().code);
  }

  const Timestamp now_{std::chrono::seconds(1'790'000'000)};
  const SecretBytes key_{Bytes(32, 0xE7)};
  sim::SeededEntropy entropy_{1};
};

TEST(Signature, IsThatOfOpensslAndNode) {
  EXPECT_EQ(signature(secrets(counting()), kId, 1'790'000'000, kBody), kByCounting);
  EXPECT_EQ(signature(secrets(SecretBytes(Bytes(32, 0xab))), kId, 1'790'000'000, kBody), kByAb);
}

TEST(Signature, ChangesWithIdTimeAndBody) {
  EXPECT_NE(signature(secrets(counting()), "0190a0b0-0000-7000-8000-000000000002", 1'790'000'000, kBody), kByCounting);
  EXPECT_NE(signature(secrets(counting()), kId, 1'790'000'001, kBody), kByCounting);
  EXPECT_NE(signature(secrets(counting()), kId, 1'790'000'000, "{}"), kByCounting);
}

TEST(Signature, SecretsAreWrittenAsTheStandardSays) {
  EXPECT_EQ(secret_text(counting()), "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
}

TEST_F(SecretsTest, BothSignForADayAfterARotation) {
  const std::string both = std::string(kByCounting) + " " + std::string(kByAb);
  EXPECT_EQ(signed_at(rotated(), now_), both);
  EXPECT_EQ(signed_at(rotated(), now_ + hours(24) - std::chrono::seconds(1)), both);
  EXPECT_EQ(signed_at(rotated(), now_ + hours(24)), kByCounting);
}

TEST_F(SecretsTest, OneOfAnotherWebhookDoesNotOpen) {
  auto other = rotated();
  other.name = Label::parse("other").value();
  EXPECT_EQ(signed_at(other, now_), "crypto.envelope.refused");
}

}  // namespace
}  // namespace warifu::webhooks
