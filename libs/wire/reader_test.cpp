#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/reader.h"
#include "wire/writer.h"

namespace warifu::wire {
namespace {

TEST(Reader, ReadsWhatAWriterWrote) {
  const Bytes bytes =
      Writer().u8(0x01).u16(0x0203).u32(0x04050607).u64(0x08090a0b0c0d0e0f).sized16(as_bytes("abc")).take();
  EXPECT_EQ(to_hex(bytes), "0102030405060708090a0b0c0d0e0f0003616263");
  Reader reader(bytes);
  EXPECT_EQ(*reader.u8("a"), 0x01);
  EXPECT_EQ(*reader.u16("b"), 0x0203);
  EXPECT_EQ(*reader.u32("c"), 0x04050607u);
  EXPECT_EQ(*reader.u64("d"), 0x08090a0b0c0d0e0fu);
  EXPECT_EQ(as_text(*reader.sized16("e")), "abc");
  EXPECT_TRUE(reader.expect_done("message"));
}

TEST(Reader, NamesTheFieldAndTheOffsetWhereTheInputEnds) {
  const Bytes bytes = {0, 0, 0, 9, 1};
  Reader reader(bytes);
  ASSERT_TRUE(reader.u16("tag"));
  const auto body = reader.sized16("body");
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code, "wire.truncated");
  EXPECT_EQ(body.error().where, "body, offset 4");
  EXPECT_EQ(body.error().message, "expected 9 bytes, only 1 are left");
}

TEST(Reader, RefusesEveryIntegerThatIsCutShort) {
  const Bytes bytes(7);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const ByteView cut = ByteView(bytes).first(size);
    EXPECT_EQ(Reader(cut).u8("x").has_value(), size >= 1);
    EXPECT_EQ(Reader(cut).u16("x").has_value(), size >= 2);
    EXPECT_EQ(Reader(cut).u32("x").has_value(), size >= 4);
    EXPECT_FALSE(Reader(cut).u64("x"));
  }
}

TEST(Reader, RefusesBytesThatAreLeftOver) {
  const Bytes bytes = {1, 2, 3};
  Reader reader(bytes);
  ASSERT_TRUE(reader.u8("tag"));
  const Status done = reader.expect_done("message");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, "wire.trailing");
  EXPECT_EQ(done.error().where, "message, offset 1");
}

TEST(Reader, CountsOffsetsInsideASizedFieldFromTheStart) {
  const Bytes bytes = {0xff, 0x00, 0x03, 0xaa, 0xbb, 0xcc};
  Reader outer(bytes);
  ASSERT_TRUE(outer.u8("tag"));
  auto inner = outer.sized16_reader("inner");
  ASSERT_TRUE(inner);
  ASSERT_TRUE(inner->u16("first"));
  const auto cut = inner->u16("second");
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().where, "second, offset 5");
  EXPECT_TRUE(outer.expect_done("outer"));
}

}  // namespace
}  // namespace warifu::wire
