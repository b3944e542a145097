#include "endorsement/flaws/quirks.h"

#include <gtest/gtest.h>

#include <chrono>

#include "crypto/private_key.h"

namespace warifu::endorsement {
namespace {

constexpr std::string_view kPackage = R"({"format": "warifu.firmware-quirks.v1",
 "quirks": [{"id": "q1", "machine": {"manufacturer": "Acme", "product": "Box"},
             "quirk": "exit-boot-services-not-logged", "source": "https://acme.example/1"}],
 "waivers": [{"id": "w1", "machine": {"manufacturer": "Acme", "product": "Box", "firmware_version": "1.2"},
              "bank": "sha256", "pcr": 0, "reason": "never replays", "approved_by": "ops", "until": "2027-01-31"}]})";

std::string replaced(std::string_view from, std::string_view to) {
  std::string text(kPackage);
  return text.replace(text.find(from), from.size(), to);
}

Result<FirmwareQuirks> load(const std::string& text) {
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  return FirmwareQuirks::load(SignedText::check(text, key.sign(as_bytes(text)), key.public_key()).value());
}

Timestamp day(int year, unsigned month, unsigned number) {
  return Timestamp(
      std::chrono::sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(number)));
}

TEST(FirmwareQuirks, L13_L14_AreThoseOfTheModelAndEnd) {
  const auto quirks = load(std::string(kPackage)).value();
  const MachineMatch box{"Acme", "Box", "1.2"};
  ASSERT_EQ(quirks.quirks_of(box).size(), 1U);
  EXPECT_EQ(quirks.quirks_of(box).front()->quirk, FirmwareQuirk::kExitBootServicesNotLogged);
  ASSERT_EQ(quirks.waivers_of(box, day(2027, 1, 31)).size(), 1U);
  EXPECT_EQ(quirks.waivers_of(box, day(2027, 1, 31)).front()->id, "w1");
  EXPECT_TRUE(quirks.waivers_of(box, day(2027, 2, 1)).empty());
  EXPECT_TRUE(quirks.waivers_of({"Acme", "Box", "1.3"}, day(2026, 1, 1)).empty());
  EXPECT_TRUE(quirks.quirks_of({"Acme", "Other", "1.2"}).empty());
}

TEST(FirmwareQuirks, WhatIsUnclearIsRefused) {
  const std::pair<const char*, const char*> rows[] = {
      {"firmware-quirks.v1", "firmware-quirks.v2"},
      {"\"manufacturer\": \"Acme\", \"product\": \"Box\"}", "\"product\": \"Box\"}"},
      {"exit-boot-services-not-logged", "whatever"},
      {"sha256", "md5"},
      {"\"pcr\": 0", "\"pcr\": 24"},
      {"2027-01-31", "2027-02-30"},
      {"\"ops\"", "\"\""},
      {"\"w1\"", "\"q1\""},
      {"\"reason\"", "\"raeson\""},
  };
  for (const auto& [from, to] : rows)
    EXPECT_FALSE(load(replaced(from, to))) << to;
}

TEST(SignedText, AnyOtherByteOrKeyIsRefused) {
  const auto key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  const auto other = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  const std::string text(kPackage);
  const Bytes signature = key.sign(as_bytes(text));
  EXPECT_TRUE(SignedText::check(text, signature, key.public_key()));
  EXPECT_EQ(SignedText::check(text, signature, other.public_key()).error().code, "endorsement.data.signature");
  EXPECT_FALSE(SignedText::check(replaced("Acme", "Acne"), signature, key.public_key()));
  EXPECT_FALSE(SignedText::check(text, {}, key.public_key()));
}

}  // namespace
}  // namespace warifu::endorsement
