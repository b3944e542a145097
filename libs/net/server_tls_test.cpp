#include <openssl/core_names.h>

#include <array>

#include "net/server_test_support.h"

namespace warifu::net::test {
namespace {

// A private key that carries the public key of `victim`, so that OpenSSL takes it for that of the victim's certificate.
std::string key_that_claims_to_be(const Identity& victim) {
  const unsigned char* der = victim.certificate_der.data();
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      d2i_X509(nullptr, &der, static_cast<long>(victim.certificate_der.size())), X509_free);
  std::array<unsigned char, 65> point;
  EVP_PKEY_get_octet_string_param(X509_get0_pubkey(certificate.get()), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                  point.size(), nullptr);
  std::array<unsigned char, 32> one = {1};
  std::string group = "P-256";
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
                             OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
                             OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, one.data(), one.size()),
                             OSSL_PARAM_construct_end()};
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr), EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_fromdata_init(context.get());
  EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> owner(key, EVP_PKEY_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return drain_bio(out.get());
}

class ServerTls : public ServerTest {
 protected:
  // Answers with the client's certificates.
  void SetUp() override {
    handler_.function = [](const HttpRequest& request, const Respond& respond) {
      std::string certificates;
      if (request.peer_chain)
        for (const Bytes& der : *request.peer_chain)
          certificates += to_hex(der) + " ";
      respond({.status = 200,
               .headers = {},
               .content_type = "text/plain",
               .body = request.peer_chain ? certificates : "none"});
    };
  }
  static std::string text_of(std::initializer_list<const Identity*> chain) {
    std::string certificates;
    for (const Identity* identity : chain)
      certificates += to_hex(identity->certificate_der) + " ";
    return certificates;
  }
  const Identity device_ = make_identity("device");
  const Identity first_ = make_identity("first CA");
  const Identity second_ = make_identity("second CA");
};

TEST_F(ServerTls, SpeaksOnlyVersion13) {
  start();
  EXPECT_FALSE(TlsClient(port_, {.max_version = TLS1_2_VERSION}).ok());
  EXPECT_TRUE(TlsClient(port_).ok());
  EXPECT_TRUE(eventually([this] { return observer_.failed_handshakes == 1 && observer_.handshakes == 1; }));
}

TEST_F(ServerTls, DeliversAnyClientCertificateOrNone) {
  tls_.request_client_certificate = true;
  start();
  TlsClient with(port_, {.identity = &device_});
  EXPECT_EQ(with.get("/").body, text_of({&device_}));
  TlsClient without(port_);
  EXPECT_EQ(without.get("/").body, "none");
}

TEST_F(ServerTls, DoesNotAskForACertificateUnlessTold) {
  start();
  TlsClient client(port_, {.identity = &device_});
  EXPECT_EQ(client.get("/").body, "none");
}

TEST_F(ServerTls, RefusesACertificateWithoutItsKey) {
  tls_.request_client_certificate = true;
  start();
  const Identity impostor{device_.certificate_pem, key_that_claims_to_be(device_), {}};
  TlsClient client(port_, {.identity = &impostor});
  EXPECT_EQ(client.get("/").status, 0);
  EXPECT_TRUE(eventually([this] { return observer_.failed_handshakes == 1; }));
}

TEST_F(ServerTls, DeliversTheWholeChainInTheOrderOfTheClient) {
  tls_.request_client_certificate = true;
  start();
  TlsClient client(port_, {.identity = &device_, .intermediates = {&second_, &first_}});
  EXPECT_EQ(client.get("/").body, text_of({&device_, &second_, &first_}));
}

TEST_F(ServerTls, RefusesAChainThatIsLongerThanAnyHonestOne) {
  tls_.request_client_certificate = true;
  start();
  const std::vector<const Identity*> too_many(16 * 1024 / first_.certificate_der.size() + 1, &first_);
  TlsClient client(port_, {.identity = &device_, .intermediates = too_many});
  EXPECT_EQ(client.get("/").status, 0);
  EXPECT_TRUE(eventually([this] { return observer_.failed_handshakes == 1; }));
}

TEST_F(ServerTls, ResumesASessionAndStillKnowsTheChain) {
  tls_.request_client_certificate = true;
  start();
  TlsClient first(port_, {.identity = &device_, .intermediates = {&first_, &second_}});
  ASSERT_EQ(first.get("/").status, 200);
  TlsClient second(port_, {.identity = &device_, .session = first.session()});
  EXPECT_EQ(second.get("/").body, text_of({&device_, &first_, &second_}));
  EXPECT_TRUE(second.resumed());
  TlsClient third(port_, {.session = second.session()});
  EXPECT_EQ(third.get("/").body, text_of({&device_, &first_, &second_}));
  EXPECT_EQ(observer_.resumed, 2);
}

// The chain belongs to the session: no other client gets to see it.
TEST_F(ServerTls, GivesEachClientItsOwnChain) {
  tls_.request_client_certificate = true;
  start();
  TlsClient one(port_, {.identity = &device_, .intermediates = {&first_}});
  TlsClient two(port_, {.identity = &second_});
  TlsClient none(port_);
  EXPECT_EQ(one.get("/").body, text_of({&device_, &first_}));
  EXPECT_EQ(two.get("/").body, text_of({&second_}));
  EXPECT_EQ(none.get("/").body, "none");
}

// It would gain nothing, and its ticket would take the place of one that a device resumes with.
TEST_F(ServerTls, GivesNoTicketToAClientWithoutACertificate) {
  tls_.request_client_certificate = true;
  start();
  TlsClient none(port_);
  EXPECT_EQ(none.get("/").body, "none");
  TlsClient later(port_, {.identity = &device_, .session = none.session()});
  EXPECT_EQ(later.get("/").body, text_of({&device_}));
  EXPECT_FALSE(later.resumed());
}

TEST_F(ServerTls, ResumesTheSessionOfAClientWhoseLinkBroke) {
  tls_.request_client_certificate = true;
  start();
  SessionPtr session;
  {
    TlsClient broken(port_, {.identity = &device_});
    ASSERT_EQ(broken.get("/").status, 200);
    session = broken.session();
  }
  ASSERT_TRUE(eventually([this] { return observer_.closed == 1; }));
  TlsClient back(port_, {.session = session});
  EXPECT_EQ(back.get("/").status, 200);
  EXPECT_TRUE(back.resumed());
}

TEST_F(ServerTls, ReloadServesTheNewCertificateAndKeepsOldConnections) {
  start();
  TlsClient old(port_);
  ASSERT_EQ(old.get("/").status, 200);
  const Identity renewed = make_identity("renewed");
  ASSERT_TRUE(server_->reload("devices", credentials_of(renewed)));
  TlsClient fresh(port_);
  EXPECT_EQ(fresh.server_certificate(), renewed.certificate_der);
  EXPECT_EQ(old.get("/").status, 200);
  EXPECT_EQ(old.server_certificate(), identity_.certificate_der);

  const Status unknown = server_->reload("nobody", credentials_of(renewed));
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, "net.listener.unknown");
}

TEST_F(ServerTls, DropsBytesThatAreNotTls) {
  start();
  RawClient client(port_);
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(client.is_closed());
}

}  // namespace
}  // namespace warifu::net::test
