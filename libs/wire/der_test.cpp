#include "wire/der.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace warifu::wire {
namespace {

Bytes hex(std::string_view text) {
  return from_hex(text).value();
}

TEST(Der, ReadsAnElementAndKnowsWhereItStood) {
  const Bytes input = hex("05003006020105040101");
  DerReader reader(input);
  ASSERT_TRUE(reader.element(der::kNull, "null"));
  auto inner = reader.enter(der::kSequence, "sequence").value();
  EXPECT_TRUE(reader.done());
  EXPECT_EQ(inner.offset(), 4U);
  EXPECT_EQ(inner.small_integer("number").value(), 5U);
  const auto octets = inner.element(der::kOctetString, "octets").value();
  EXPECT_EQ(to_hex(octets.content), "01");
  EXPECT_EQ(octets.offset, 7U);
  EXPECT_EQ(octets.content_offset(), 9U);
  EXPECT_TRUE(inner.expect_done("sequence"));
}

TEST(Der, RefusesWhatIsCutOffAtEveryByte) {
  Bytes input = hex("30820100");
  input.resize(4 + 256, 7);
  for (std::size_t size = 0; size < input.size(); ++size)
    EXPECT_EQ(DerReader(ByteView(input).first(size)).any("x").error().code, "wire.truncated") << size;
  EXPECT_EQ(DerReader(input).any("x").value().content.size(), 256U);
}

TEST(Der, RefusesWhatIsNoDefiniteLengthOrLies) {
  for (const auto* text : {"3080", "308500000000010a", "1f0101", "30ff"})
    EXPECT_EQ(DerReader(hex(text)).any("x").error().code, "wire.der") << text;
  EXPECT_EQ(DerReader(hex("3084ffffffff01")).any("x").error().code, "wire.truncated");
}

TEST(Der, AnErrorNamesFieldAndOffset) {
  const Bytes input = hex("300302010a");
  auto inner = DerReader(input).enter(der::kSequence, "outer").value();
  const Error error = inner.oid("purpose").error();
  EXPECT_EQ(error.code, "wire.der");
  EXPECT_EQ(error.where, "purpose, offset 2");
}

TEST(Der, ReadsNumbersWithinTheirRange) {
  EXPECT_EQ(DerReader(hex("020500ffffffff")).small_integer("n").value(), 0xFFFFFFFFU);
  EXPECT_FALSE(DerReader(hex("02050100000000")).small_integer("n"));
  EXPECT_FALSE(DerReader(hex("0201ff")).small_integer("n"));
  EXPECT_FALSE(DerReader(hex("0200")).integer("n"));
}

TEST(Der, ReadsBooleansAndBitStrings) {
  EXPECT_TRUE(DerReader(hex("0101ff")).boolean("b").value());
  EXPECT_FALSE(DerReader(hex("010100")).boolean("b").value());
  EXPECT_FALSE(DerReader(hex("01020000")).boolean("b"));
  EXPECT_EQ(to_hex(DerReader(hex("030300abcd")).whole_bytes("k").value()), "abcd");
  EXPECT_FALSE(DerReader(hex("030301abcd")).whole_bytes("k"));
  EXPECT_FALSE(DerReader(hex("0300")).whole_bytes("k"));
}

TEST(Der, WritesObjectIdentifiersAsDottedDecimals) {
  EXPECT_EQ(oid_text(hex("2a864886f70d010107")).value(), "1.2.840.113549.1.1.7");
  EXPECT_EQ(oid_text(hex("6781050801")).value(), "2.23.133.8.1");
  EXPECT_EQ(oid_text(hex("550403")).value(), "2.5.4.3");
  EXPECT_FALSE(oid_text(hex("5504ff")));
  EXPECT_FALSE(oid_text({}));
  EXPECT_FALSE(oid_text(hex("2affffffffffffffffffff7f")));
}

TEST(Der, SaysWhatIsLeftOver) {
  DerReader reader(ByteView{});
  EXPECT_TRUE(reader.expect_done("x"));
  EXPECT_EQ(DerReader(hex("0500")).expect_done("x").error().code, "wire.trailing");
}

}  // namespace
}  // namespace warifu::wire
