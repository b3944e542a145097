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

}  // namespace
}  // namespace warifu::tpm
