#include <future>
#include <list>

#include "net/server_test_support.h"

namespace warifu::net::test {
namespace {

using ServerHandshake = ServerTest;

// The first bytes of a client: a complete ClientHello.
std::string client_hello() {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), out);
  SSL_connect(ssl.get());
  return drain_bio(out);
}

TEST_F(ServerHandshake, IsNotHeldUpByThoseWhoStall) {
  listener_.limits.handshakes_at_once = 1;
  start();
  const std::string hello = client_hello();
  std::list<RawClient> stalled;
  for (int i = 0; i < 20; ++i) {
    RawClient& client = stalled.emplace_back(port_);
    if (i % 2 == 0) client.send(i % 4 == 0 ? hello : hello.substr(0, 20));
  }
  ASSERT_TRUE(eventually([this] { return observer_.opened == 20; }));
  EXPECT_EQ(TlsClient(port_).get("/").status, 200);
  EXPECT_EQ(observer_.failed_handshakes, 0);
}

TEST_F(ServerHandshake, OfAWholeCrowdSucceedsOneAfterTheOther) {
  listener_.limits.handshakes_at_once = 1;
  start();
  std::vector<std::future<int>> crowd;
  for (int i = 0; i < 50; ++i)
    crowd.push_back(std::async(std::launch::async, [this] { return TlsClient(port_).get("/").status; }));
  for (auto& status : crowd)
    EXPECT_EQ(status.get(), 200);
  EXPECT_EQ(observer_.handshakes, 50);
}

TEST_F(ServerHandshake, OfAClientThatVanishesLeavesNothingBehind) {
  start();
  const std::string hello = client_hello();
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{5}, hello.size() / 2, hello.size()})
    RawClient(port_).send(hello.substr(0, size));
  EXPECT_TRUE(eventually([this] { return observer_.failed_handshakes == 5 && observer_.closed == 5; }));
  EXPECT_EQ(TlsClient(port_).get("/").status, 200);
}

TEST_F(ServerHandshake, IsRefusedToAnAddressThatHasItsShare) {
  listener_.limits.connections_per_address = 2;
  start();
  TlsClient first(port_);
  {
    const RawClient second(port_);
    ASSERT_TRUE(eventually([this] { return observer_.opened == 2; }));
    EXPECT_TRUE(RawClient(port_).is_closed());
    EXPECT_EQ(observer_.count(Refusal::kTooManyFromAddress), 1);
    EXPECT_EQ(TlsClient(port_, {.source = "127.0.0.2"}).get("/").status, 200);
    EXPECT_EQ(first.get("/").status, 200);
  }
  EXPECT_TRUE(eventually([this] { return observer_.closed == 2; }));
  EXPECT_EQ(TlsClient(port_).get("/").status, 200);
}

}  // namespace
}  // namespace warifu::net::test
