#include <gmock/gmock.h>

#include "net/server_test_support.h"

namespace warifu::net::test {
namespace {

using testing::HasSubstr;

// What is different without TLS. What is not is in server_http_test.cpp and server_limits_test.cpp.
class ServerPlain : public ServerTest {
 protected:
  ServerPlain() { is_plain_ = true; }
};

TEST_F(ServerPlain, SaysThatNothingIsEncryptedAndNobodyIsKnown) {
  bool is_plain = false, is_anonymous = false;
  handler_.function = [&](const HttpRequest& request, const Respond& respond) {
    is_plain = !request.tls_version;
    is_anonymous = request.peer_chain == nullptr;
    respond({.status = 204, .headers = {}, .content_type = {}, .body = {}});
  };
  start();
  EXPECT_EQ(PlainClient(port_).get("/").status, 204);
  EXPECT_TRUE(is_plain);
  EXPECT_TRUE(is_anonymous);
  EXPECT_EQ(observer_.handshakes + observer_.failed_handshakes, 0);
}

// As openssl ocsp and openssl cmp send it.
TEST_F(ServerPlain, ServesClientsOfVersion10) {
  start();
  PlainClient client(port_);
  const std::string post = "POST /ocsp HTTP/1.0\r\nContent-Type: x\r\nContent-Length: 2\r\n";
  Reply reply = client.exchange(post + "Connection: keep-alive\r\n\r\nab");
  EXPECT_EQ(reply.body, "POST /ocsp ab");
  EXPECT_THAT(reply.header, HasSubstr("Connection: keep-alive\r\n"));
  reply = client.exchange(post + "\r\ncd");
  EXPECT_EQ(reply.body, "POST /ocsp cd");
  EXPECT_THAT(reply.header, HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerPlain, SendsVersion10NoInterimAnswerThatItDoesNotKnow) {
  start();
  PlainClient client(port_);
  const Reply reply = client.exchange("POST /a HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "POST /a body");
}

TEST_F(ServerPlain, AnswersAClientThatExpectsTlsAndGoesOn) {
  start();
  EXPECT_FALSE(TlsClient(port_).ok());
  EXPECT_EQ(PlainClient(port_).get("/").status, 200);
  EXPECT_EQ(observer_.count(Refusal::kMalformedRequest), 1);
}

TEST_F(ServerPlain, HasNoCredentialsToReload) {
  start();
  const Status reloaded = server_->reload("devices", credentials_of(identity_));
  ASSERT_FALSE(reloaded);
  EXPECT_EQ(reloaded.error().code, "net.listener.unknown");
  EXPECT_EQ(PlainClient(port_).get("/").status, 200);
}

TEST_F(ServerPlain, ListensBesideOthersThatHaveTls) {
  const std::uint16_t plain = listen({.name = "http", .address = "127.0.0.1"});
  is_plain_ = false;
  start();
  EXPECT_EQ(PlainClient(plain).get("/").status, 200);
  EXPECT_EQ(TlsClient(port_).get("/").status, 200);
}

}  // namespace
}  // namespace warifu::net::test
