#include "endorsement/ek/pem.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "crypto/private_key.h"
#include "endorsement/ek/ek_certificate.h"
#include "endorsement/ek/key_file.h"
#include "endorsement/ek/root_store.h"
#include "endorsement/ek/test_pki.h"

namespace warifu::endorsement {
namespace {

using namespace test;

class Pem : public testing::Test {
 protected:
  static std::string block(ByteView der, std::string_view label = "CERTIFICATE") {
    return fmt::format("-----BEGIN {}-----\n{}\n-----END {}-----\n", label, to_base64(der), label);
  }
  static std::string code_of(std::string_view text) {
    const auto blocks = pem_blocks(text);
    return blocks ? fmt::format("{} blocks", blocks->size()) : std::string(blocks.error().code);
  }

  const crypto::PrivateKey key_ = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  // A block of another certificate is the name of this one.
  const std::string words_ = "\n-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
  const Bytes speaking_ = certificate({.issuer = name(words_, "x"), .subject = name(words_, "x")}, key_, key_);
};

TEST_F(Pem, DerThatHasTheWordsInItIsDer) {
  ASSERT_NE(as_text(speaking_).find(words_), std::string_view::npos);
  EXPECT_FALSE(looks_like_pem(speaking_));
  const auto certificates = parse_certificates(speaking_);
  ASSERT_TRUE(certificates) << to_string(certificates.error());
  EXPECT_EQ(certificates->size(), 1U);
  EXPECT_TRUE(EkCertificate::parse(speaking_));
  EXPECT_TRUE(parse_public_keys(speaking_));
  EXPECT_TRUE(looks_like_pem(as_bytes(block(speaking_)))) << "and in PEM it is PEM";

  // What an NV index gives that is not filled from its start is neither.
  Bytes shifted = speaking_;
  shifted.insert(shifted.begin(), 0x00);
  EXPECT_FALSE(looks_like_pem(shifted));
  EXPECT_FALSE(parse_certificates(shifted));
}

TEST_F(Pem, TextThatBeginsLikeDerIsText) {
  const std::string text = "0. Roots of nobody\n" + block(speaking_);
  EXPECT_TRUE(looks_like_pem(as_bytes(text)));
  EXPECT_EQ(parse_certificates(as_bytes(text))->size(), 1U);
  EXPECT_EQ(code_of("\xEF\xBB\xBF" + block(speaking_)), "1 blocks");
  EXPECT_TRUE(looks_like_pem(as_bytes("\xEF\xBB\xBF" + block(speaking_))));
}

TEST_F(Pem, BlocksBeginAndEndInLinesOfTheirOwn) {
  const std::string good = block(speaking_);
  const std::string body = to_base64(speaking_);
  const std::pair<std::string, std::string> rows[] = {
      {"about the line -----BEGIN CERTIFICATE-----\n" + good, "1 blocks"},
      {good + good, "2 blocks"},
      {"-----BEGIN CERTIFICATE-----\r\n" + body + "\r\n-----END CERTIFICATE-----  \r\n", "1 blocks"},
      {"-----BEGIN CERTIFICATE-----" + body + "\n-----END CERTIFICATE-----\n", "endorsement.pem"},
      {"-----BEGIN CERTIFICATE-----\n" + body + "-----END CERTIFICATE-----\n", "endorsement.pem"},
      {"-----BEGIN CERTIFICATE-----\n" + body + "\n-----END CERTIFICATE----- x\n", "endorsement.pem"},
      {"-----BEGIN CERTIFICATE-----\n" + body + "\n-----END PUBLIC KEY-----\n", "endorsement.pem"},
      {"-----BEGIN CERTIFICATE-----\n" + good, "endorsement.pem"},
      {"-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n", "endorsement.pem"},
      {"-----BEGIN " + std::string(100, 'A') + "-----\n", "endorsement.pem"},
  };
  for (const auto& [text, expected] : rows)
    EXPECT_EQ(code_of(text), expected) << text;
}

}  // namespace
}  // namespace warifu::endorsement
