#include "endorsement/ek/vendor.h"

#include <gtest/gtest.h>

namespace warifu::endorsement {
namespace {

struct Row {
  const char* id;
  const char* text;
};

// TCG TPM Vendor ID Registry 1.08, as tables of others give it; IBM's simulator and swtpm are not in it.
TEST(VendorRegistry, HasEveryIdOfTheTcg) {
  const Row rows[] = {
      {"414D4400", "AMD"},  {"414E5400", "ANT"},  {"41524D00", "ARM"},         {"41544D4C", "ATML"},
      {"4252434D", "BRCM"}, {"4353434F", "CSCO"}, {"464C5953", "FLYS"},        {"524F4343", "ROCC"},
      {"474F4F47", "GOOG"}, {"48504900", "HPI"},  {"48504500", "HPE"},         {"48495349", "HISI"},
      {"49424D00", "IBM"},  {"49465800", "IFX"},  {"494E5443", "INTC"},        {"4C454E00", "LEN"},
      {"4D534654", "MSFT"}, {"4E534D20", "NSM"},  {"4E545A00", "NTZ"},         {"4E534700", "NSG"},
      {"4E544300", "NTC"},  {"51434F4D", "QCOM"}, {"534D534E", "SMSN"},        {"53454345", "SECE"},
      {"534E5300", "SNS"},  {"534D5343", "SMSC"}, {"53544D20", "STM"},         {"54584E00", "TXN"},
      {"57454300", "WEC"},  {"5345414C", "SEAL"}, {"00001014", "id:00001014"},
  };
  for (const Row& row : rows) {
    const auto id = VendorId::parse(std::string("id:") + row.id);
    ASSERT_TRUE(id) << row.id;
    EXPECT_EQ(id->text(), row.text);
    ASSERT_NE(find_vendor(*id), nullptr) << row.id;
  }
  for (const auto* other : {"id:58595A00", "id:FFFFF1D0", "id:00000000"})  // FFFFF1D0: FIDO's conformance tests
    EXPECT_EQ(find_vendor(*VendorId::parse(other)), nullptr) << other;
}

TEST(VendorRegistry, WhatIsWrittenIsRead) {
  for (const std::uint32_t number : {0x49465800U, 0x49465820U, 0x4E545A00U, 0x00001014U, 0xFFFFF1D0U, 0x00000000U,
                                     0x20494658U, 0x4900465AU, 0x4946007FU}) {
    const VendorId id(number);
    EXPECT_EQ(VendorId::parse(id.text()), id) << id.text();
  }
  EXPECT_EQ(VendorId(0x20494658).text(), "id:20494658") << "a text that begins with a blank is read as none";
  EXPECT_FALSE(VendorId::parse("0x00001014"));
}

TEST(VendorRegistry, AnIdHasFourCharactersOrEightDigits) {
  EXPECT_EQ(VendorId::parse("IFX"), VendorId::parse("id:49465800"));
  EXPECT_EQ(VendorId::parse("IFX "), VendorId::parse("id:49465820"));
  for (const auto* bad : {"", " IFX", "INTEL", "id:", "id:494658", "id:4946580000", "id:4946580g", "IF\tX"})
    EXPECT_FALSE(VendorId::parse(bad)) << bad;
}

}  // namespace
}  // namespace warifu::endorsement
