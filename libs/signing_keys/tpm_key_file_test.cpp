#include "signing_keys/tpm_key_file.h"

#include <gtest/gtest.h>

#include "tpm_types/public_area.h"
#include "tpm_types/templates.h"
#include "wire/writer.h"

namespace warifu::signing_keys {
namespace {

// The public area of a template with the base point of P-256 as its key.
Bytes with_point(const Bytes& tpm2b_template) {
  const auto x = from_hex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296").value();
  const auto y = from_hex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5").value();
  constexpr std::size_t kSizeField = 2;
  constexpr std::size_t kEmptyPoint = 4;
  const ByteView head = ByteView(tpm2b_template).subspan(kSizeField, tpm2b_template.size() - kSizeField - kEmptyPoint);
  const Bytes area = wire::Writer().bytes(head).sized16(x).sized16(y).take();
  return wire::Writer().sized16(area).take();
}

TpmKeyFile file_of(const Bytes& public_area) {
  return {KeyName::parse("root").value(), {public_area, Bytes(120, 7)}};
}

TEST(TpmKeyFiles, AreReadAsTheyWereWritten) {
  const auto file = file_of(with_point(tpm::organisation_key_template(crypto::EcCurve::kP256)));
  const auto read = TpmKeyFile::parse(file.to_json());
  ASSERT_TRUE(read) << to_string(read.error());
  EXPECT_EQ(read->name.text(), "root");
  EXPECT_EQ(read->object.public_area, file.object.public_area);
  EXPECT_EQ(read->object.private_area, file.object.private_area);
  ASSERT_TRUE(read->point()) << to_string(read->point().error());
  EXPECT_EQ(read->point()->curve(), crypto::EcCurve::kP256);
}

TEST(TpmKeyFiles, OfKeysThatSignOnlyWhatTheTpmMadeOrThatCouldLeaveItAreRefused) {
  EXPECT_EQ(file_of(with_point(tpm::ak_template())).point().error().code, "tpm_key.public");
  EXPECT_EQ(file_of(tpm::srk_rsa_template()).point().error().code, "tpm_key.public");
  Bytes movable = with_point(tpm::organisation_key_template(crypto::EcCurve::kP256));
  movable.at(2 + 2 + 2 + 3) &= static_cast<std::uint8_t>(~0x02U);  // fixedTPM, in the last byte of objectAttributes
  EXPECT_EQ(file_of(movable).point().error().code, "tpm_key.public");
}

TEST(TpmKeyFiles, OfAnotherFormAreRefused) {
  const std::string whole = file_of(with_point(tpm::ldevid_template())).to_json();
  for (std::size_t size = 0; size + 2 < whole.size(); size += 5)
    EXPECT_FALSE(TpmKeyFile::parse(whole.substr(0, size))) << size;
  EXPECT_EQ(TpmKeyFile::parse(R"({"format":"warifu.key.v1","name":"a","public":"","private":""})").error().code,
            "tpm_key.format");
  EXPECT_EQ(TpmKeyFile::parse(R"({"format":"warifu.tpm-key.v1","name":"A","public":"","private":""})").error().code,
            "key.name");
  EXPECT_FALSE(file_of(Bytes(3, 0)).point());
}

}  // namespace
}  // namespace warifu::signing_keys
