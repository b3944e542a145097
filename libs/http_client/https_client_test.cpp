#include <cstdlib>
#include <filesystem>

#include "http_client/handshake_types_test.h"
#include "http_client/https_client_fixture_test.h"

namespace warifu::http_client {
namespace {

using testing::HasSubstr;
using testing::Not;

// libcurl asks the environment for this once, when it starts: so before the first test.
const std::string& key_log_file() {
  static const std::string path = [] {
    std::string pattern = testing::TempDir() + "warifu-key-log-XXXXXX";
    ::close(::mkstemp(pattern.data()));
    ::setenv("SSLKEYLOGFILE", pattern.c_str(), 1);
    return pattern;
  }();
  return path;
}
[[maybe_unused]] const std::string& key_log_is_asked_for = key_log_file();

bool contains(const Bytes& bytes, const Bytes& part) {
  return !std::ranges::search(bytes, part).empty();
}

// The extension as it stands in a ClientHello: type, size, nonce.
Bytes nonce_extension(std::uint8_t filled_with) {
  Bytes bytes(4 + 32, filled_with);
  bytes[0] = kNonceExtension >> 8;
  bytes[1] = kNonceExtension & 0xFF;
  bytes[2] = 0;
  bytes[3] = 32;
  return bytes;
}

TEST_F(HttpsClientTest, SendsARequestAndReadsItsReply) {
  test::TestServer server(leaf_);
  auto client = client_of(server);
  const auto reply = client.send(request_);
  ASSERT_TRUE(reply) << to_string(reply.error());
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->body, "{}");
  EXPECT_EQ(reply->retry_after, std::chrono::seconds(3));
  const std::string sent = server.received();
  EXPECT_THAT(sent, testing::StartsWith("PUT /a?b=c HTTP/1.1\r\n"));
  EXPECT_THAT(sent, HasSubstr("\r\nAuthorization: Secret\r\n"));
  EXPECT_THAT(sent, HasSubstr("\r\nContent-Type: application/json; charset=utf-8\r\n"));
  EXPECT_THAT(sent, testing::EndsWith("\r\n\r\n{\"k\":1}"));
}

TEST_F(HttpsClientTest, RecordsTheHandshakeFromTheClientHelloToTheServersCertificateVerify) {
  test::TestServer server(leaf_);
  auto client = client_of(server);
  ASSERT_TRUE(client.send(request_));
  const auto& messages = check_.messages;
  ASSERT_EQ(messages.size(), 5U);  // and EncryptedExtensions, Certificate
  EXPECT_EQ(messages[0][0], kClientHello);
  EXPECT_EQ(messages[1][0], kServerHello);
  EXPECT_EQ(messages.back()[0], kCertificateVerify);
  EXPECT_TRUE(contains(messages[0], nonce_extension(1)));
  EXPECT_TRUE(contains(messages[3], leaf_.certificate.to_der()));
  for (const Bytes& message : messages)  // each with its header and nothing after it
    EXPECT_EQ(message.size(), 4U + (std::size_t{message[1]} << 16 | std::size_t{message[2]} << 8 | message[3]));
}

TEST_F(HttpsClientTest, RecordsBothClientHellosWhenTheServerAsksForAnother) {
  test::TestServer server(leaf_, {.groups = "P-384"});
  auto client = client_of(server);
  const auto reply = client.send(request_);
  ASSERT_TRUE(reply) << to_string(reply.error());
  ASSERT_EQ(check_.messages.size(), 7U);
  EXPECT_EQ(check_.messages[0][0], kClientHello);
  EXPECT_EQ(check_.messages[1][0], kServerHello);  // the HelloRetryRequest
  EXPECT_EQ(check_.messages[2][0], kClientHello);
  EXPECT_TRUE(contains(check_.messages[2], nonce_extension(1)));
}

TEST_F(HttpsClientTest, EndsInTheMiddleWhenItIsToldToStop) {
  test::TestServer server(leaf_);
  // It would answer when the client is away, which never happens otherwise.
  server.answer = [&](const std::string&) {
    waiter_.stop_at = 0;
    while (!gone_)
      std::this_thread::yield();
    return std::string("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  };
  auto client = client_of(server);
  const auto reply = client.send(request_);
  gone_ = true;
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, "agent.stopped");
  EXPECT_EQ(reply.error().kind, ErrorKind::kUnavailable);
}

TEST_F(HttpsClientTest, DoesNotBeginWhenItWasToldToStop) {
  test::TestServer server(leaf_);
  waiter_.stop_at = 0;
  EXPECT_EQ(client_of(server).send(request_).error().code, "agent.stopped");
  EXPECT_EQ(server.received(), "");
}

TEST_F(HttpsClientTest, SendsNotOneByteToAServerThatTheTcbRefuses) {
  test::TestServer server(leaf_);
  check_.verdict = Error{ErrorKind::kRefused, "tcb.test", "the TCB says no"};
  const Error error = refusal_by(server);
  EXPECT_EQ(error.code, "tcb.test");
  EXPECT_EQ(check_.judged, 1);
  EXPECT_EQ(server.handshakes(), 1);
}

TEST_F(HttpsClientTest, MakesNoConnectionWithoutTheTcb) {
  test::TestServer server(leaf_);
  check_.refuses_to_begin = true;
  EXPECT_EQ(refusal_by(server).code, "tcb.unreachable");
  EXPECT_EQ(check_.judged, 0);
  EXPECT_EQ(server.handshakes(), 0);
}

TEST_F(HttpsClientTest, RefusesAServerOfAnotherRoot) {
  const auto other = test::make_root("other");
  test::TestServer server(test::make_leaf(other, test::localhost()));
  const Error error = refusal_by(server);
  EXPECT_EQ(error.kind, ErrorKind::kRefused);
  EXPECT_EQ(error.code, "server.identity");
  EXPECT_THAT(error.message, HasSubstr("certificate"));
  EXPECT_EQ(check_.judged, 0);
}

TEST_F(HttpsClientTest, RefusesARootThatOnlyLooksTheSame) {
  const auto same_name = test::make_root("root");
  test::TestServer server(test::make_leaf(same_name, test::localhost()));
  EXPECT_EQ(refusal_by(server).code, "server.identity");
}

TEST_F(HttpsClientTest, RefusesAServerOfAnotherName) {
  auto other = test::profile("localhost");  // the common name does not count
  other.dns_names = {"other.example"};
  test::TestServer server(test::make_leaf(root_, other));
  EXPECT_EQ(refusal_by(server).code, "server.identity");
  EXPECT_EQ(check_.judged, 0);
}

TEST_F(HttpsClientTest, MayNameItsServerByAddress) {
  test::TestServer server(leaf_);
  auto client = client_of(server, "127.0.0.1");
  EXPECT_TRUE(client.send(request_));
  auto only_name = test::profile("localhost");
  only_name.dns_names = {"localhost"};
  test::TestServer nameless(test::make_leaf(root_, only_name));
  EXPECT_EQ(refusal_by(nameless, "127.0.0.1").code, "server.identity");
}

TEST_F(HttpsClientTest, RefusesTls12) {
  test::TestServer server(leaf_, {.max_version = TLS1_2_VERSION});
  const Error error = refusal_by(server);
  EXPECT_EQ(error.code, "server.tls");
  EXPECT_EQ(error.kind, ErrorKind::kUnavailable);
}

TEST_F(HttpsClientTest, LeavesTheTimesOfACertificateToTheTcb) {
  auto past = test::localhost();
  past.not_before -= std::chrono::hours(2);
  past.not_after -= std::chrono::hours(2);
  test::TestServer server(test::make_leaf(root_, past));
  auto client = client_of(server);
  EXPECT_TRUE(client.send(request_));
  EXPECT_EQ(check_.judged, 1);
}

TEST_F(HttpsClientTest, AsksTheTcbOncePerConnection) {
  test::TestServer server(leaf_);
  auto client = client_of(server);
  ASSERT_TRUE(client.send(request_));
  ASSERT_TRUE(client.send({.method = "GET", .path = "/"}));
  EXPECT_EQ(check_.judged, 1);
  EXPECT_EQ(server.handshakes(), 1);
  client.close();
  ASSERT_TRUE(client.send(request_));
  EXPECT_EQ(check_.judged, 2);
  EXPECT_TRUE(contains(check_.messages[0], nonce_extension(2)));
}

TEST_F(HttpsClientTest, AsksTheTcbAgainWhenTheServerHungUpAndNeverResumes) {
  test::TestServer server(leaf_, {.closes_after_each_reply = true});
  auto client = client_of(server);
  ASSERT_TRUE(client.send(request_));
  while (server.ended() == 0)
    std::this_thread::yield();
  ASSERT_TRUE(client.send(request_));
  EXPECT_EQ(check_.judged, 2);
  EXPECT_EQ(server.resumed(), 0);
}

TEST_F(HttpsClientTest, SendsNothingOnASecondConnectionThatIsRefused) {
  test::TestServer server(leaf_, {.closes_after_each_reply = true});
  auto client = client_of(server);
  ASSERT_TRUE(client.send(request_));
  while (server.ended() == 0)
    std::this_thread::yield();
  const std::string before = server.received();
  check_.verdict = Error{ErrorKind::kRefused, "tcb.test", "no"};
  EXPECT_EQ(client.send(request_).error().code, "tcb.test");
  client.close();
  while (server.ended() < 2)
    std::this_thread::yield();
  EXPECT_EQ(server.received(), before);
}

TEST_F(HttpsClientTest, FollowsNoRedirect) {
  test::TestServer server(leaf_);
  server.answer = [](const std::string&) {
    return std::string("HTTP/1.1 307 Go\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
  };
  auto client = client_of(server);
  EXPECT_EQ(client.send(request_)->status, 307);
  EXPECT_THAT(server.received(), Not(HasSubstr("elsewhere")));
}

TEST_F(HttpsClientTest, UsesNoProxyOfTheEnvironment) {
  ::setenv("https_proxy", "http://127.0.0.1:1", 1);
  ::setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
  test::TestServer server(leaf_);
  auto client = client_of(server);
  EXPECT_TRUE(client.send(request_));
  ::unsetenv("https_proxy");
  ::unsetenv("ALL_PROXY");
}

TEST_F(HttpsClientTest, WritesNoSessionKeysWhereTheEnvironmentSays) {
  test::TestServer server(leaf_);
  ASSERT_TRUE(client_of(server).send(request_));
  EXPECT_EQ(std::filesystem::file_size(key_log_file()), 0U);
}

TEST_F(HttpsClientTest, TrustsFurtherRootsBesideItsOwn) {
  const auto other = test::make_root("other");
  const auto third = test::make_root("third");
  test::TestServer renewed(test::make_leaf(other, test::localhost()));
  test::TestServer as_before(leaf_);
  for (auto* server : {&renewed, &as_before}) {
    auto client = client_of(*server);
    ASSERT_TRUE(client.trust_also({third.certificate.to_der(), other.certificate.to_der()}));
    EXPECT_TRUE(client.send(request_));
    ASSERT_TRUE(client.trust_also({third.certificate.to_der()}));
    client.close();
    EXPECT_EQ(client.send(request_).has_value(), server == &as_before) << "they take the place of those before";
    EXPECT_FALSE(client.trust_also({Bytes(8)}));
  }
}

// For what protects itself: nobody is judged, and nothing of the device is said.
TEST_F(HttpsClientTest, FetchesFromAnybodyWithoutSayingAnything) {
  const auto stranger = test::make_root("stranger");
  test::TestServer server(test::make_leaf(stranger, test::profile("elsewhere")));
  server.answer = [](const std::string&) {
    return "HTTP/1.1 200 OK\r\nETag: \"abc\"\r\nContent-Length: 70000\r\n\r\n" + std::string(70'000, 'a');
  };
  auto client = client_of(server);
  const auto reply = client.fetch_from_anybody(
      {.method = "GET", .path = "/bundle", .if_none_match = "\"x\"", .reply_size_max = 70'000});
  ASSERT_TRUE(reply) << to_string(reply.error());
  EXPECT_EQ(reply->body.size(), 70'000U);
  EXPECT_EQ(reply->etag, "\"abc\"");
  EXPECT_THAT(server.received(), HasSubstr("GET /bundle HTTP/1.1\r\n"));
  EXPECT_THAT(server.received(), HasSubstr("If-None-Match: \"x\"\r\n"));
  EXPECT_THAT(server.received(), Not(HasSubstr("Authorization")));
  EXPECT_EQ(check_.begun, 0) << "no nonce is used for it";
  EXPECT_EQ(client.fetch_from_anybody({.method = "GET", .path = "/bundle", .reply_size_max = 69'999}).error().code,
            "server.reply");
  EXPECT_EQ(client.fetch_from_anybody(request_).error().code, "server.anybody");
  EXPECT_EQ(client.fetch_from_anybody({.method = "GET", .path = "/", .authorization = "Secret"}).error().code,
            "server.anybody");
  EXPECT_EQ(client.send(request_).error().code, "server.identity") << "and it is not believed afterwards";
}

TEST_F(HttpsClientTest, RefusesAnAnswerThatIsTooLargeOrNone) {
  test::TestServer server(leaf_);
  std::string reply = "HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n" + std::string(65'537, 'a');
  server.answer = [&](const std::string&) { return reply; };
  auto client = client_of(server);
  EXPECT_EQ(client.send(request_).error().code, "server.reply");
  client.close();
  reply = "220 smtp.example ESMTP\r\n";
  const auto nonsense = client.send(request_);
  EXPECT_EQ(nonsense.error().code, "server.reply") << to_string(nonsense.error());
}

TEST_F(HttpsClientTest, SaysWhyAServerIsNotReachable) {
  std::uint16_t port = 0;
  {
    test::TestServer server(leaf_);
    port = server.port();
  }
  const auto root = TrustedRoot::from_pem(root_.certificate.to_pem()).value();
  HttpsClient nobody({"localhost", port}, root, check_, waiter_);
  const auto refused = nobody.send(request_);
  EXPECT_EQ(refused.error().code, "server.unreachable") << to_string(refused.error());
  HttpsClient unknown({"no-such-host.invalid", 443}, root, check_, waiter_);
  const auto unnamed = unknown.send(request_);
  EXPECT_EQ(unnamed.error().code, "server.name") << to_string(unnamed.error());
  EXPECT_EQ(unnamed.error().kind, ErrorKind::kUnavailable);
}

TEST(TrustedRootTest, IsACertificateInPem) {
  EXPECT_TRUE(TrustedRoot::from_pem(test::make_root().certificate.to_pem()));
  EXPECT_EQ(TrustedRoot::from_pem("").error().kind, ErrorKind::kInvalidInput);
  EXPECT_FALSE(TrustedRoot::from_pem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
}

}  // namespace
}  // namespace warifu::http_client
