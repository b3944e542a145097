#include <openssl/rsa.h>

#include "net/server_test_support.h"

namespace warifu::net::test {
namespace {

constexpr char kEcdheAead[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

// Answers with the version that the request came by.
class ServerCompat : public ServerTest {
 protected:
  void SetUp() override {
    tls_ = {.profile = TlsProfile::kCompat, .request_client_certificate = true};
    handler_.function = [](const HttpRequest& request, const Respond& respond) {
      respond({.status = 200,
               .headers = {},
               .content_type = "text/plain",
               .body = std::string(to_string(request.tls_version.value())) +
                       (request.peer_chain ? " " + to_hex(request.peer_chain->back()) : "")});
    };
  }
  const Identity device_ = make_identity("device");
  const Identity ca_ = make_identity("CA");
};

class ServerCompatRsa : public ServerCompat {
 protected:
  // The certificate of an RSA key, with which the old key exchange would be possible.
  void start_rsa() {
    const Identity rsa = make_identity("rsa", std::chrono::hours(1), EVP_RSA_gen(2048));
    server_ = std::make_unique<Server>(options_);
    const auto bound = server_->listen(listener_, credentials_of(rsa, tls_), handler_);
    ASSERT_TRUE(bound);
    port_ = bound->port;
    server_->start();
  }
};

TEST_F(ServerCompat, SpeaksVersion12And13AndSaysWhich) {
  start();
  EXPECT_EQ(TlsClient(port_, {.max_version = TLS1_2_VERSION}).get("/").body, "1.2");
  EXPECT_EQ(TlsClient(port_).get("/").body, "1.3");
  EXPECT_FALSE(TlsClient(port_, {.max_version = TLS1_1_VERSION, .ciphers = "ALL:@SECLEVEL=0"}).ok());
  EXPECT_TRUE(eventually([this] { return observer_.failed_handshakes == 1 && observer_.handshakes == 2; }));
  EXPECT_EQ(observer_.version_12, 1);
}

TEST_F(ServerCompat, AcceptsEphemeralKeysWithAeadOnly) {
  start();
  for (const char* cipher :
       {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"}) {
    TlsClient client(port_, {.max_version = TLS1_2_VERSION, .ciphers = cipher});
    EXPECT_EQ(client.get("/").body, "1.2") << cipher;
    EXPECT_STREQ(SSL_get_cipher_name(client.ssl()), cipher);
  }
  for (const char* cipher : {"ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-CCM"})
    EXPECT_FALSE(TlsClient(port_, {.max_version = TLS1_2_VERSION, .ciphers = cipher}).ok()) << cipher;
}

TEST_F(ServerCompatRsa, RefusesTheKeyExchangeWithoutForwardSecrecy) {
  start_rsa();
  EXPECT_EQ(TlsClient(port_, {.max_version = TLS1_2_VERSION, .ciphers = kEcdheAead}).get("/").body, "1.2");
  for (const char* cipher : {"AES128-GCM-SHA256", "AES256-SHA256", "ECDHE-RSA-AES128-SHA", "DHE-RSA-AES128-GCM-SHA256"})
    EXPECT_FALSE(TlsClient(port_, {.max_version = TLS1_2_VERSION, .ciphers = cipher}).ok()) << cipher;
}

TEST_F(ServerCompat, RefusesVersion12OnTheDefaultProfile) {
  tls_.profile = TlsProfile::kModern;
  start();
  EXPECT_FALSE(TlsClient(port_, {.max_version = TLS1_2_VERSION, .ciphers = kEcdheAead}).ok());
  EXPECT_EQ(TlsClient(port_).get("/").body, "1.3");
}

TEST_F(ServerCompat, RefusesToRenegotiate) {
  start();
  TlsClient client(port_, {.max_version = TLS1_2_VERSION});
  ASSERT_EQ(client.get("/").status, 200);
  ASSERT_EQ(SSL_renegotiate(client.ssl()), 1);
  EXPECT_NE(SSL_do_handshake(client.ssl()), 1);
  EXPECT_EQ(observer_.handshakes, 1);
}

TEST_F(ServerCompat, ResumesASessionOfVersion12WithItsChain) {
  start();
  const std::string expected = "1.2 " + to_hex(ca_.certificate_der);
  TlsClient first(port_, {.max_version = TLS1_2_VERSION, .identity = &device_, .intermediates = {&ca_}});
  ASSERT_EQ(first.get("/").body, expected);
  TlsClient second(port_, {.max_version = TLS1_2_VERSION, .session = first.session()});
  EXPECT_EQ(second.get("/").body, expected);
  EXPECT_TRUE(second.resumed());
  EXPECT_EQ(observer_.resumed, 1);
}

}  // namespace
}  // namespace warifu::net::test
