#include "crypto/serial_number.h"

#include <gtest/gtest.h>

#include "crypto/system_entropy.h"

namespace warifu::crypto {
namespace {

TEST(SerialNumber, IsWhatRfc5280Allows) {
  for (const Bytes& good : {Bytes{1}, Bytes{0x80}, Bytes{1, 0}, Bytes(19, 0xff), Bytes(20, 0x7f)}) {
    const auto number = SerialNumber::from_bytes(good);
    ASSERT_TRUE(number) << to_hex(good);
    EXPECT_EQ(to_bytes(number->bytes()), good);
  }
  for (const Bytes& bad : {Bytes{}, Bytes{0}, Bytes{0, 1}, Bytes(20, 0x80), Bytes(21, 1)})
    EXPECT_EQ(SerialNumber::from_bytes(bad).error().code, "crypto.serial.form") << to_hex(bad);
}

TEST(SerialNumber, IsOrderedByNumber) {
  const auto number = [](std::string_view hex) { return *SerialNumber::from_bytes(*from_hex(hex)); };
  EXPECT_LT(number("ff"), number("0100"));
  EXPECT_LT(number("0100"), number("0101"));
  EXPECT_EQ(number("0100"), number("0100"));
  EXPECT_FALSE(number("01") == number("0100"));
}

TEST(SerialNumber, IsDrawnPositiveAndOfOneSize) {
  SystemEntropy entropy;
  for (int i = 0; i < 100; ++i) {
    const auto number = SerialNumber::random(entropy);
    EXPECT_EQ(SerialNumber::from_bytes(number.bytes()), number);
    EXPECT_EQ(number.bytes().size(), 16u);
  }
  EXPECT_FALSE(SerialNumber::random(entropy) == SerialNumber::random(entropy));
}

}  // namespace
}  // namespace warifu::crypto
