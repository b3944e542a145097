#include "measured_boot/registers.h"

#include <gtest/gtest.h>

namespace warifu::measured_boot {
namespace {

using crypto::HashAlgorithm;

constexpr std::array kAll = {HashAlgorithm::kSha1, HashAlgorithm::kSha256, HashAlgorithm::kSha384,
                             HashAlgorithm::kSha512, HashAlgorithm::kSm3};

TEST(Registers, BanksHaveTheNamesAndNumbersOfTheField) {
  for (const auto bank : kAll)
    EXPECT_EQ(parse_bank_name(bank_name(bank)), bank);
  EXPECT_EQ(bank_of(0x0004), HashAlgorithm::kSha1);
  EXPECT_EQ(bank_of(0x000B), HashAlgorithm::kSha256);
  EXPECT_EQ(bank_of(0x0012), HashAlgorithm::kSm3);
  EXPECT_FALSE(bank_of(0x0027)) << "SHA3-256";
  EXPECT_FALSE(parse_bank_name("SHA256"));
}

TEST(Registers, ExtendHashesTheOldValueAndTheDigest) {
  const crypto::Digest zero(HashAlgorithm::kSha256);
  const Bytes digest(32, 0x01);
  EXPECT_EQ(to_hex(extended(zero, digest).bytes()),
            to_hex(crypto::digest(HashAlgorithm::kSha256, {zero.bytes(), digest}).bytes()));
}

TEST(Registers, KnowsWhatWasSetAndNothingElse) {
  RegisterValues values;
  EXPECT_EQ(values.find(HashAlgorithm::kSha256), nullptr);
  Bank& bank = values.bank(HashAlgorithm::kSha256);
  const auto of = [](std::string_view text) { return crypto::digest(HashAlgorithm::kSha256, {as_bytes(text)}); };
  bank.set(7, of("seven"));
  bank.set(0, of("zero"));
  bank.set(7, of("seven again"));
  ASSERT_EQ(bank.registers().size(), 2U);
  EXPECT_EQ(bank.registers().front().first, 0U);
  EXPECT_EQ(*values.find(HashAlgorithm::kSha256, 7), of("seven again"));
  EXPECT_EQ(values.find(HashAlgorithm::kSha256, 1), nullptr);
  EXPECT_EQ(values.find(HashAlgorithm::kSha1, 7), nullptr);
}

}  // namespace
}  // namespace warifu::measured_boot
