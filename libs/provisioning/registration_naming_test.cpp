#include "provisioning/registration_naming.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tpm_types/test_keys.h"

namespace warifu::provisioning {
namespace {

using testing::HasSubstr;

tpm::EkPublic ek_of(std::uint8_t number) {
  tpm::RsaFields fields = tpm::ek_fields();
  fields.modulus[128] = number;
  return tpm::EkPublic::from_tpm2b(tpm::tpm2b_of(fields)).value();
}

class Naming : public testing::Test {
 protected:
  bool allows(std::string_view text, const std::string& id) const { return allows_for(ek_, text, id); }
  static bool allows_for(const tpm::EkPublic& ek, std::string_view text, const std::string& id) {
    const auto naming = RegistrationNaming::parse(text);
    EXPECT_TRUE(naming) << text;
    const auto registration = RegistrationId::parse(id);
    EXPECT_TRUE(registration) << id;
    return naming && registration && naming->allows(ek, *registration);
  }

  const tpm::EkPublic ek_ = ek_of(1);
  const tpm::EkPublic other_ek_ = ek_of(2);
  const std::string hash_ = tpm::default_registration_id(ek_);
};

TEST_F(Naming, TheDefaultIsTheHashOfTheEkAndNothingElse) {
  const auto naming = RegistrationNaming::ek_hash();
  EXPECT_EQ(naming.text(), "{ek}");
  EXPECT_EQ(naming, RegistrationNaming::parse("{ek}").value());
  ASSERT_EQ(hash_.size(), 52U);
  EXPECT_TRUE(naming.allows(ek_, RegistrationId::parse(hash_).value()));
  EXPECT_FALSE(naming.allows(other_ek_, RegistrationId::parse(hash_).value()));
  EXPECT_FALSE(naming.allows(ek_, RegistrationId::parse(hash_ + "a").value()));
  EXPECT_FALSE(naming.allows(ek_, RegistrationId::parse("a" + hash_).value()));
  EXPECT_FALSE(naming.allows(ek_, RegistrationId::parse(hash_.substr(0, 51)).value()));
}

TEST_F(Naming, APartOfTheHashStandsAmongLiterals) {
  const std::string eight = hash_.substr(0, 8);
  EXPECT_TRUE(allows("plant-{ek:8}", "plant-" + eight));
  EXPECT_TRUE(allows("plant-{ek:8}.a", "plant-" + eight + ".a"));
  EXPECT_TRUE(allows("{ek:52}", hash_));
  EXPECT_FALSE(allows("plant-{ek:8}", "plant-" + hash_.substr(0, 9)));
  EXPECT_FALSE(allows("plant-{ek:9}", "plant-" + eight));
  EXPECT_FALSE(allows("plant-{ek:8}", "works-" + eight));
  EXPECT_FALSE(allows_for(other_ek_, "plant-{ek:8}", "plant-" + eight));
}

TEST_F(Naming, LiteralsAreComparedWithoutCaseAndKeptAsTheyCame) {
  EXPECT_TRUE(allows("Plant-{ek:8}", "plant-" + hash_.substr(0, 8)));
  EXPECT_EQ(RegistrationNaming::parse("Plant-{ek:8}")->text(), "Plant-{ek:8}");
}

TEST_F(Naming, TheDeviceChoosesWhatTheStarStandsForAndAtLeastOneCharacter) {
  const std::string eight = hash_.substr(0, 8);
  EXPECT_TRUE(allows("*", "anything.at:all"));
  EXPECT_TRUE(allows("press-*", "press-7"));
  EXPECT_TRUE(allows("press-*-{ek:8}", "press-7-" + eight));
  EXPECT_TRUE(allows("*-{ek:8}", "a-b-" + eight));
  EXPECT_FALSE(allows("press*", "press"));
  EXPECT_FALSE(allows("press*", "pres7"));
  EXPECT_FALSE(allows("*-{ek:8}", "7-" + eight + "x"));
  EXPECT_FALSE(allows("press-*-{ek:8}", "press-" + eight)) << "one \"-\" is not two";
  EXPECT_FALSE(allows("aba*aba", "aba")) << "what stands before and after may not overlap";
  EXPECT_FALSE(allows("aba*aba", "ababa"));
  EXPECT_FALSE(allows("aba*aba", "abaaba"));
  EXPECT_TRUE(allows("aba*aba", "abaxaba"));
}

TEST_F(Naming, RefusesWhatIsNoTemplateAndSaysWhy) {
  const struct {
    std::string text;
    const char* says;
  } rows[] = {
      {"", "1 to 128 characters"},
      {std::string(129, 'a'), "1 to 128 characters"},
      {"{ek", "has no \"}\""},
      {"a{", "has no \"}\""},
      {"{}", "{ek} and {ek:N}"},
      {"{EK}", "{ek} and {ek:N}"},
      {"{srk}", "{ek} and {ek:N}"},
      {"{ek:}", "N from 8 to 52"},
      {"{ek:7}", "N from 8 to 52"},
      {"{ek:53}", "N from 8 to 52"},
      {"{ek:0}", "N from 8 to 52"},
      {"{ek:-8}", "N from 8 to 52"},
      {"{ek:+8}", "N from 8 to 52"},
      {"{ek: 8}", "N from 8 to 52"},
      {"{ek:8x}", "N from 8 to 52"},
      {"{ek:0x8}", "N from 8 to 52"},
      {"{ek:18446744073709551624}", "N from 8 to 52"},
      {"{{ek}}", "{ek} and {ek:N}"},
      {"{ek}}", "letters, digits"},
      {"}", "letters, digits"},
      {"a b", "letters, digits"},
      {"a/b", "letters, digits"},
      {"\xC3\xA4", "letters, digits"},
      {std::string("a\0b", 3), "letters, digits"},
      {"a\n", "letters, digits"},
      {"*a*", "may stand once"},
      {"**", "may stand once"},
      {"-x{ek}", "no registration ID fits"},
      {"*-", "no registration ID fits"},
      {":", "no registration ID fits"},
      {"{ek}{ek}{ek}", "no registration ID fits"},
  };
  for (const auto& row : rows) {
    const auto naming = RegistrationNaming::parse(row.text);
    ASSERT_FALSE(naming) << row.text;
    EXPECT_EQ(naming.error().kind, ErrorKind::kInvalidInput) << row.text;
    EXPECT_EQ(naming.error().code, "enrollment.naming") << row.text;
    EXPECT_THAT(naming.error().message, HasSubstr(row.says)) << row.text;
  }
  EXPECT_TRUE(RegistrationNaming::parse(std::string(128, 'a')));
}

// Whatever bytes come, parse() answers, and what it takes allows nothing but IDs of its form.
TEST_F(Naming, TakesAnyBytesForInput) {
  const std::string alphabet = "{}*:ek8aA-.\xFF";
  std::size_t taken = 0;
  for (std::size_t a = 0; a < alphabet.size(); ++a)
    for (std::size_t b = 0; b < alphabet.size(); ++b)
      for (std::size_t c = 0; c < alphabet.size(); ++c) {
        const std::string text = {alphabet[a], alphabet[b], alphabet[c]};
        const auto naming = RegistrationNaming::parse(text);
        if (!naming) continue;
        ++taken;
        EXPECT_EQ(text.find_first_of("{}\xFF"), std::string::npos) << text;
        EXPECT_EQ(naming->text(), text);
      }
  // Eight characters are a literal's and five of them may stand at the ends of an ID; "*" stands once, or not at all.
  EXPECT_EQ(taken, 5U * 8 * 5 + 8 * 5 + 5 * 5 + 5 * 8);
}

}  // namespace
}  // namespace warifu::provisioning
