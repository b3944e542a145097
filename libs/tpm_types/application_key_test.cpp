#include "tpm_types/application_key.h"

#include <gtest/gtest.h>

#include <set>

namespace warifu::tpm {
namespace {

const RegistrationId kMeter = RegistrationId::parse("meter-1").value();
const Label kMqtt = Label::parse("mqtt").value();

TEST(AcknowledgementMessage, SaysWhatItIsAndWhoseItIs) {
  EXPECT_EQ(to_hex(acknowledgement_message(kMeter, kMqtt, 3, Bytes{0xAA, 0xBB})),
            to_hex(as_bytes(kAcknowledgementPrefix)) + "00" + "0007" + to_hex(as_bytes("meter-1")) + "0004" +
                to_hex(as_bytes("mqtt")) + "00000003" + "0002aabb");
}

TEST(AcknowledgementMessage, IsAnotherOneForEachPartOfIt) {
  std::set<Bytes> all;
  all.insert(acknowledgement_message(kMeter, kMqtt, 1, Bytes(48, 1)));
  all.insert(acknowledgement_message(RegistrationId::parse("meter-2").value(), kMqtt, 1, Bytes(48, 1)));
  all.insert(acknowledgement_message(kMeter, Label::parse("dlms").value(), 1, Bytes(48, 1)));
  all.insert(acknowledgement_message(kMeter, kMqtt, 2, Bytes(48, 1)));
  all.insert(acknowledgement_message(kMeter, kMqtt, 1, Bytes(48, 2)));
  // No part runs into the next.
  all.insert(
      acknowledgement_message(RegistrationId::parse("meter-1m").value(), Label::parse("qtt").value(), 1, Bytes(48, 1)));
  EXPECT_EQ(all.size(), 6u);
}

TEST(Capping, IsForPcrsThatOnlyAResetOfTheTpmSetsBack) {
  const std::set<std::uint64_t> may = {12, 13, 14, 15};
  for (std::uint64_t pcr = 0; pcr < 30; ++pcr)
    EXPECT_EQ(may_cap(pcr), may.contains(pcr)) << pcr;
}

// By the formula of Part 3, TPM2_PolicyPCR; a TPM says the same in tests/system/tpm_application_key_test.cpp.
TEST(UncappedPolicy, IsThatOfARegisterThatIsZero) {
  EXPECT_EQ(to_hex(uncapped(14).digest.bytes()), "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925");
  std::set<std::string> policies;
  for (std::uint8_t pcr = kCappingPcrFirst; pcr <= kCappingPcrLast; ++pcr)
    policies.insert(to_hex(uncapped_policy(pcr).bytes()));
  EXPECT_EQ(policies.size(), 4u);
}

// What server and device of different versions must agree on, written out. Computed without this code, by Python's
// hashlib, from Part 3: policyDigest = SHA-256(32 zero bytes | commandCode | arguments), where the arguments are
// TPM2_PolicyCommandCode (0000016c): 00000155 (TPM2_HMAC), and
// TPM2_PolicyPCR (0000017f): TPML_PCR_SELECTION 00000001 000b 03 and the PCR's bit in three bytes, SHA-256(32 zero
// bytes). tests/system/tpm_application_key_test.cpp shows that a TPM says the same.
TEST(ApplicationKeyUse, IsTheseBytes) {
  EXPECT_EQ(to_hex(application_key_use(0).policy), "14d27f7b1c2d6ce4f11708c7dae90c7f425b343f8797b62889e3571159e0a694");
  EXPECT_EQ(application_key_use(0).attributes.bits(), 0x00040440u);
  EXPECT_EQ(to_hex(application_key_use(12).policy), "4c15882faf11738e7b3de5b938fa4c6c9eb74be786ebb1aeea6d3b7cf47e56c8");
  EXPECT_EQ(to_hex(application_key_use(13).policy), "ea07badf162f2c454bdf5aa5e4976b6f7189f2023edfa316fdf58c15d26ec814");
  EXPECT_EQ(to_hex(application_key_use(14).policy), "3c57f1e35e68f3c3e97edced5798da69bcb31f3297969bb7d5f15ef3022af069");
  EXPECT_EQ(to_hex(application_key_use(15).policy), "7e247a603cd1052cabc095741b8ee2f7458aabeee960b8ec97d7f090171a039a");
  EXPECT_EQ(application_key_use(14).attributes.bits(), 0x00040400u);
}

// SHA-256("warifu application keys are capped"), by sha256sum.
TEST(Capping, ExtendsByTheseBytes) {
  EXPECT_EQ(to_hex(capping_digest().bytes()), "11a48b30a0b95af923cc4f88a342ce3ed2474c064f55143f239022c8e6583223");
}

}  // namespace
}  // namespace warifu::tpm
