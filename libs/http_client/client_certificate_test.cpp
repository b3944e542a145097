#include <iterator>
#include <optional>

#include "crypto/digest.h"
#include "http_client/handshake_types_test.h"
#include "http_client/https_client_fixture_test.h"

namespace warifu::http_client {
namespace {

// Stands for the TCB: a key of its own, and what the test wants.
class ScriptedIdentity final : public agent::ClientIdentity {
 public:
  explicit ScriptedIdentity(const ScriptedCheck& check) : check_(check) {}

  void begin() override { ++begun; }
  Result<std::vector<Bytes>> show() override {
    ++shown;
    judged_before = check_.judged;
    if (!has_one) return std::vector<Bytes>();
    return std::vector<Bytes>{device.certificate.to_der(), root.certificate.to_der()};
  }
  Result<Bytes> sign(std::vector<Bytes> handshake) override {
    messages = std::move(handshake);
    if (refusal) return *refusal;
    return device.key.sign(content(messages));
  }
  // RFC 8446 §4.4.3, of a handshake without a HelloRetryRequest and with the suite that OpenSSL likes best.
  static Bytes content(const std::vector<Bytes>& messages) {
    Bytes said;
    for (const Bytes& message : messages)
      said.insert(said.end(), message.begin(), message.end());
    const auto transcript = crypto::digest(crypto::HashAlgorithm::kSha384, {said});
    Bytes content(64, ' ');
    std::ranges::copy(as_bytes("TLS 1.3, client CertificateVerify"), std::back_inserter(content));
    content.push_back(0);
    std::ranges::copy(transcript.bytes(), std::back_inserter(content));
    return content;
  }

  const ScriptedCheck& check_;
  test::Authority root = test::make_root("device root");
  test::Authority device = test::make_leaf(root, test::profile("press-4"));
  std::optional<Error> refusal;
  std::vector<Bytes> messages;
  bool has_one = true;
  int begun = 0;
  int shown = 0;
  int judged_before = 0;
};

class ClientCertificateTest : public HttpsClientTest {
 protected:
  HttpsClient client_with_certificate(const test::TestServer& server) {
    return {{"localhost", server.port()},
            TrustedRoot::from_pem(root_.certificate.to_pem()).value(),
            check_,
            waiter_,
            &identity_};
  }
  Result<agent::HttpReply> ask(test::TestServer& server) {
    auto client = client_with_certificate(server);
    auto reply = client.send(request_);
    client.close();
    while (server.ended() == 0)
      std::this_thread::yield();
    return reply;
  }

  ScriptedIdentity identity_{check_};
};

TEST_F(ClientCertificateTest, IsShownToAServerThatAsksAfterTheTcbHasJudgedIt) {
  test::TestServer server(leaf_, {.asks_for_certificate = true});
  const auto reply = ask(server);
  ASSERT_TRUE(reply) << to_string(reply.error());
  EXPECT_EQ(server.shown(), "press-4 of 2");
  EXPECT_EQ(identity_.judged_before, 1);
  EXPECT_EQ(check_.judged, 1) << "once, and not again before the first byte";
  // What the TCB is asked to sign: everything up to the client's certificate.
  std::vector<std::uint8_t> types;
  for (const Bytes& message : identity_.messages)
    types.push_back(message.front());
  EXPECT_EQ(types, (std::vector<std::uint8_t>{kClientHello, kServerHello, 8, 13, kCertificate, kCertificateVerify,
                                              kFinished, kCertificate}));
  EXPECT_EQ(check_.messages, std::vector(identity_.messages.begin(), identity_.messages.begin() + 6));
}

TEST_F(ClientCertificateTest, IsShownOnEachConnectionAnew) {
  test::TestServer server(leaf_, {.closes_after_each_reply = true, .asks_for_certificate = true});
  auto client = client_with_certificate(server);
  for (int i = 1; i <= 3; ++i) {
    ASSERT_TRUE(client.send(request_));
    EXPECT_EQ(identity_.shown, i);
    EXPECT_EQ(check_.judged, i);
  }
  EXPECT_EQ(server.resumed(), 0);
}

TEST_F(ClientCertificateTest, IsNotShownToAServerThatTheTcbRefuses) {
  check_.verdict = Error{ErrorKind::kRefused, "crypto.path.expired", "it ended"};
  test::TestServer server(leaf_, {.asks_for_certificate = true});
  EXPECT_EQ(ask(server).error().code, "crypto.path.expired");
  EXPECT_EQ(identity_.shown, 0);
  EXPECT_EQ(server.shown(), "");
  EXPECT_EQ(server.handshakes(), 0);
  EXPECT_EQ(server.received(), "");
}

TEST_F(ClientCertificateTest, IsNotNeeded) {
  identity_.has_one = false;
  test::TestServer asks(leaf_, {.asks_for_certificate = true});
  EXPECT_TRUE(ask(asks));
  EXPECT_EQ(asks.shown(), "");
  EXPECT_EQ(check_.judged, 1);
  test::TestServer does_not(leaf_);
  EXPECT_TRUE(ask(does_not));
  EXPECT_EQ(identity_.shown, 1);
  EXPECT_EQ(identity_.begun, 2);
  EXPECT_EQ(check_.judged, 2) << "a server that asks for none is judged before the first byte";
}

TEST_F(ClientCertificateTest, EndsTheConnectionWhenTheTcbDoesNotSign) {
  identity_.refusal = Error{ErrorKind::kRefused, "tpm.key.dead", "the TPM was cleared"};
  test::TestServer server(leaf_, {.asks_for_certificate = true});
  const auto reply = ask(server);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, "tpm.key.dead");
  EXPECT_EQ(server.received(), "");
  EXPECT_EQ(server.handshakes(), 0);
}

// A signature over anything else does not go out.
TEST_F(ClientCertificateTest, EndsTheConnectionWhenTheTcbSignedSomethingElse) {
  identity_.device.key = crypto::PrivateKey::generate(crypto::KeyKind::kEcP256);
  test::TestServer server(leaf_, {.asks_for_certificate = true});
  EXPECT_FALSE(ask(server));
  EXPECT_EQ(server.handshakes(), 0);
  EXPECT_EQ(server.received(), "");
}

}  // namespace
}  // namespace warifu::http_client
