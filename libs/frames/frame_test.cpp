#include "frames/frame.h"

#include <gtest/gtest.h>

#include "frames/received_code.h"
#include "frames/test_protocol.h"

namespace warifu::frames {
namespace {

constexpr std::string_view kOther = "test.other";

Bytes frame_of(std::string_view hex) {
  return from_hex(hex).value();
}

TEST(FrameSize, IsThatOfTheWholeFrame) {
  EXPECT_EQ(frame_size(test::kProtocol, frame_of("5754010300000000")).value(), 8U);
  EXPECT_EQ(frame_size(test::kProtocol, frame_of("5754010300010000")).value(), kFrameMax);
  EXPECT_EQ(frame_size(test::kProtocol, frame_of("5754010300010001")).error().code, "test.limit");
  EXPECT_EQ(frame_size(test::kProtocol, frame_of("57540103000000")).error().code, "wire.truncated");
}

TEST(ReceivedCodes, OutliveTheFrame) {
  std::string sent = "tpm.key.dead";
  const std::string_view kept = keep_received_code(sent, kOther);
  sent.assign(sent.size(), 'x');
  EXPECT_EQ(kept, "tpm.key.dead");
  EXPECT_EQ(keep_received_code("tpm.key.dead", kOther).data(), kept.data());
}

TEST(ReceivedCodes, AreCodes) {
  for (const std::string& bad : {std::string(), std::string("With Space"), std::string("line\nend"),
                                 std::string("UPPER"), std::string(kErrorCodeMax + 1, 'a')})
    EXPECT_EQ(keep_received_code(bad, kOther), kOther);
  EXPECT_EQ(keep_received_code(std::string(kErrorCodeMax, 'a'), kOther), std::string(kErrorCodeMax, 'a'));
}

TEST(ReceivedCodes, DoNotFillTheMemory) {
  ReceivedCodes codes(2);
  EXPECT_EQ(codes.keep("first", kOther), "first");
  EXPECT_EQ(codes.keep("second", kOther), "second");
  EXPECT_EQ(codes.keep("third", kOther), kOther);
  EXPECT_EQ(codes.keep("first", kOther), "first");
}

TEST(Protocols, DoNotTakeEachOthersFrames) {
  Protocol other = test::kProtocol;
  other.request_magic = 0x5454;
  const Bytes frame = test::encode_request(test::Random{16});
  EXPECT_TRUE(decode_request<test::Request>(test::kProtocol, frame));
  EXPECT_EQ(decode_request<test::Request>(other, frame).error().code, "test.magic");
  other = test::kProtocol;
  other.version = 2;
  EXPECT_EQ(decode_request<test::Request>(other, frame).error().code, "test.version");
}

}  // namespace
}  // namespace warifu::frames
