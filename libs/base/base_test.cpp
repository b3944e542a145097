#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/place.h"
#include "base/secret.h"
#include "base/time.h"

namespace warifu {
namespace {

class CountingEntropy final : public Entropy {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (auto& byte : out)
      byte = next_++;
  }

 private:
  std::uint8_t next_ = 0;
};

// RFC 4648 §10.
TEST(Base64, FollowsTheRfcVectors) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : rows) {
    EXPECT_EQ(to_base64(as_bytes(plain)), encoded);
    const auto decoded = from_base64(encoded);
    ASSERT_TRUE(decoded) << encoded;
    EXPECT_EQ(as_text(*decoded), plain);
  }
}

TEST(Base64, RefusesWhatIsNotCanonical) {
  for (const std::string_view bad :
       {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Z===", "====", "Zm 8=", "Zm8=\n", "Zm-_", "=Zg="})
    EXPECT_FALSE(from_base64(bad)) << bad;
}

TEST(Base64Url, HasNoPaddingAndItsOwnDigits) {
  const Bytes bytes = {0xfb, 0xff};
  EXPECT_EQ(to_base64url(bytes), "-_8");
  EXPECT_EQ(from_base64url("-_8").value(), bytes);
  EXPECT_FALSE(from_base64url("+/8"));
  EXPECT_FALSE(from_base64url("-_9"));
  EXPECT_FALSE(from_base64url("-"));
}

TEST(Base32, FollowsTheRfcVectorsInLowerCaseWithoutPadding) {
  EXPECT_EQ(to_base32_lower(as_bytes("foob")), "mzxw6yq");
  EXPECT_EQ(to_base32_lower(as_bytes("foobar")), "mzxw6ytboi");
}

TEST(Hex, RoundTripsAndNamesTheBadDigit) {
  EXPECT_EQ(to_hex(from_hex("00fFa9").value()), "00ffa9");
  EXPECT_FALSE(from_hex("abc"));
  const auto bad = from_hex("0g");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().where, "character 1");
}

TEST(Time, IsPrintedAsRfc3339InUtc) {
  EXPECT_EQ(to_rfc3339(from_micros(1'795'298'258'000'123)), "2026-11-21T21:57:38.000123Z");
  EXPECT_EQ(to_rfc3339(from_micros(253'402'300'799'000'000)), "9999-12-31T23:59:59.000000Z");
}

TEST(Ids, RegistrationIdsAreFoldedToLowerCase) {
  EXPECT_EQ(RegistrationId::parse("Meter:01.a_B-9")->text(), "meter:01.a_b-9");
  EXPECT_TRUE(RegistrationId::parse(std::string(128, 'a')));
}

TEST(Ids, BadRegistrationIdsAreRefused) {
  for (const std::string& bad : {std::string(), std::string(129, 'a'), std::string("-a"), std::string("a."),
                                 std::string("a b"), std::string("a/b"), std::string("é"), std::string("a\0b", 3)})
    EXPECT_FALSE(RegistrationId::parse(bad)) << bad;
}

TEST(Ids, UuidVersion7KeepsTheOrderOfTime) {
  CountingEntropy entropy;
  const auto first = Uuid::v7(from_micros(1'700'000'000'000'999), entropy);
  const auto second = Uuid::v7(from_micros(1'700'000'000'001'000), entropy);
  EXPECT_LT(first, second);
  EXPECT_EQ(first.text().at(14), '7');
  EXPECT_EQ(Uuid::parse(first.text()).value(), first);
}

TEST(Ids, BadUuidsAreRefused) {
  for (const std::string_view bad :
       {"", "0192", "01920000000070008000000000000000", "01920000-0000-7000-8000-00000000000",
        "01920000-0000-7000-8000-0000000000000", "0192000g-0000-7000-8000-000000000000"})
    EXPECT_FALSE(Uuid::parse(bad)) << bad;
}

TEST(Place, OfAnErrorStandsBehindWhatItIsIn) {
  EXPECT_EQ(at(invalid_input("a.b", "no"), "file").where, "file");
  EXPECT_EQ(at(invalid_input("a.b", "no", "offset 7"), "file").where, "file, offset 7");
  EXPECT_EQ(at(at(invalid_input("a.b", "no"), "crls.1"), "crls").where, "crls, crls.1");
}

TEST(ConstantTime, EqualComparesLengthAndContent) {
  EXPECT_TRUE(equal_constant_time(as_bytes("abc"), as_bytes("abc")));
  EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("abd")));
  EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("ab")));
}

TEST(Secret, IsWipedWhenMovedFrom) {
  auto secret = SecretBytes::copy_of(as_bytes("k"));
  const SecretBytes other = std::move(secret);
  EXPECT_TRUE(secret.empty());  // NOLINT(bugprone-use-after-move): the state after a move is what is tested
  EXPECT_EQ(as_text(other.reveal()), "k");
}

}  // namespace
}  // namespace warifu
