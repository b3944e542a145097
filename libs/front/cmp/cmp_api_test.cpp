#include "front/cmp/cmp_api.h"

#include <gtest/gtest.h>

#include "device_ca/test_issuer.h"
#include "front/plain/plain_router.h"
#include "front/test_world.h"
#include "sim/deterministic.h"
#include "sim/software_tpm.h"

namespace warifu::front::cmp_door {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// The signer, which may get another key for its role; or have none.
class TestSigner final : public device_ca::Issuer {
 public:
  explicit TestSigner(device_ca::test::KeyIssuer& role_) : role(&role_) {}

  Result<crypto::Certificate> certificate() override {
    if (role == nullptr) return Error{ErrorKind::kNotFound, "signer.role", "no such role"};
    return role->certificate();
  }
  Result<crypto::Certificate> certify(const pki::DeviceOrder& order, ByteView public_key) override {
    return role->certify(order, public_key);
  }
  Result<crypto::Certificate> certify_responder(pki::ResponderPurpose purpose, ByteView public_key,
                                                seconds lifetime) override {
    ++times_asked;
    return role->certify_responder(purpose, public_key, lifetime);
  }
  Status begin_crl(const crypto::CrlShape& shape) override { return role->begin_crl(shape); }
  Status add_to_crl(std::uint64_t number, std::span<const crypto::RevokedCertificate> entries) override {
    return role->add_to_crl(number, entries);
  }
  Result<Bytes> finish_crl(std::uint64_t number) override { return role->finish_crl(number); }

  device_ca::test::KeyIssuer* role;
  int times_asked = 0;
};

class CmpApiTest : public testing::Test {
 protected:
  void pass(seconds time) {
    world.clock.advance(time);
    monotonic.advance(time);
  }
  // To what is no message; the server says so, in one of its own.
  net::HttpResponse answer(DispatcherParts parts = {}) {
    Dispatcher plain(plain::router(world.server.revocation_api, api), world.server.authenticator, *world.store,
                     world.server.metrics, world.clock, world.entropy, parts);
    net::HttpRequest request;
    request.method = net::Method::kPost;
    request.target = "/.well-known/cmp";
    request.body = "garbage";
    request.peer_address = "192.0.2.10";
    return test::Server::ask(plain, std::move(request));
  }

  test::BasicWorld<sim::SteppingClock, sim::SeededEntropy, sim::SoftwareTpm> world;
  device_ca::test::KeyIssuer first{world.clock, world.entropy};
  device_ca::test::KeyIssuer second{world.clock, world.entropy};
  TestSigner signer{first};
  sim::SteppingMonotonicClock monotonic;
  CmpApi api{world.server.cmp_issuer, signer, world.clock, monotonic, world.entropy};
};

TEST_F(CmpApiTest, AnswersOnceItsKeyIsCertified) {
  EXPECT_EQ(answer().status, 503);
  test::must(api.look_after());
  const auto response = answer();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/pkixcmp");
}

TEST_F(CmpApiTest, GetsAnotherCredentialAtHalfOfItsLife) {
  test::must(api.look_after());
  pass(hours(24) - minutes(1));
  test::must(api.look_after());
  EXPECT_EQ(signer.times_asked, 1);
  pass(minutes(1));
  test::must(api.look_after());
  EXPECT_EQ(signer.times_asked, 2);
}

// Who was told of another issuer trusts no answer under the old one.
TEST_F(CmpApiTest, GetsAnotherCredentialWhenItsIssuerIsAnotherOne) {
  test::must(api.look_after());
  pass(minutes(2));
  test::must(api.look_after());
  EXPECT_EQ(signer.times_asked, 1);
  signer.role = &second;
  test::must(api.look_after());
  EXPECT_EQ(signer.times_asked, 2);
  pass(minutes(2));
  test::must(api.look_after());
  EXPECT_EQ(signer.times_asked, 2);
}

TEST_F(CmpApiTest, GetsAnotherCredentialWhenTheClockWasSetBack) {
  test::must(api.look_after());
  world.clock.advance(-hours(48));
  monotonic.advance(minutes(2));
  test::must(api.look_after());
  EXPECT_EQ(signer.times_asked, 2);
}

TEST_F(CmpApiTest, GoesOnWithWhatItHasWhileTheSignerIsAway) {
  test::must(api.look_after());
  pass(hours(24));
  first.is_away = true;
  EXPECT_FALSE(api.look_after());
  EXPECT_EQ(answer().status, 200);
  // It is tried again after a while.
  pass(seconds(5));
  EXPECT_TRUE(api.look_after());
  EXPECT_EQ(signer.times_asked, 2);
  first.is_away = false;
  pass(minutes(1));
  test::must(api.look_after());
  EXPECT_EQ(signer.times_asked, 3);
}

TEST_F(CmpApiTest, IsQuietWhereTheOrganisationHasNoSuchRole) {
  signer.role = nullptr;
  EXPECT_TRUE(api.look_after());
  EXPECT_EQ(answer().status, 503);
  signer.role = &first;
  test::must(api.look_after());
  EXPECT_EQ(answer().status, 200);
}

// Anybody may send what costs much to look at: that is done where nobody else waits.
TEST_F(CmpApiTest, IsDoneByWorkersOfItsOwn) {
  test::must(api.look_after());
  Workers others(1);
  Workers own(1);
  others.stop();  // they take nothing more
  EXPECT_EQ(answer({.workers = &others, .workers_for_anybody = &own}).status, 200);
  own.stop();
  EXPECT_EQ(answer({.workers = &others, .workers_for_anybody = &own}).status, 429);
}

}  // namespace
}  // namespace warifu::front::cmp_door
