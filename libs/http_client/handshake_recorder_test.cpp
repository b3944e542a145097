#include "http_client/handshake_recorder.h"

#include <gtest/gtest.h>

#include "http_client/handshake_types_test.h"

namespace warifu::http_client {
namespace {

TEST(HandshakeRecorderTest, KeepsNothingOfAHandshakeThatIsTooLargeOrUnfinished) {
  HandshakeRecorder unfinished;
  unfinished.record(true, Bytes{kClientHello, 0, 0, 0});
  EXPECT_TRUE(unfinished.server_half().empty());
  HandshakeRecorder large;
  large.record(false, Bytes(kRecordedMax + 1, 11));
  large.record(false, Bytes{kCertificateVerify, 0, 0, 0});
  EXPECT_TRUE(large.server_half().empty());
  HandshakeRecorder many;
  for (std::size_t i = 0; i < kMessagesMax; ++i)
    many.record(false, Bytes{8, 0, 0, 0});
  many.record(false, Bytes{kCertificateVerify, 0, 0, 0});
  EXPECT_TRUE(many.server_half().empty());
  EXPECT_TRUE(many.so_far().empty());
}

TEST(HandshakeRecorderTest, EndsBeforeTheClientsOwnSignature) {
  HandshakeRecorder recorder;
  const Bytes hello{kClientHello, 0, 0, 0}, verify{kCertificateVerify, 0, 0, 0}, finished{kFinished, 0, 0, 0};
  recorder.record(true, hello);
  recorder.record(false, verify);
  recorder.record(false, finished);
  recorder.record(true, verify);
  recorder.record(true, finished);
  EXPECT_EQ(recorder.server_half(), (std::vector<Bytes>{hello, verify}));
  EXPECT_EQ(recorder.so_far(), (std::vector<Bytes>{hello, verify, finished}));
  recorder.end();
  EXPECT_TRUE(recorder.so_far().empty() && recorder.server_half().empty());
}

}  // namespace
}  // namespace warifu::http_client
