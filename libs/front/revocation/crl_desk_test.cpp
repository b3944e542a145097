#include "front/revocation/crl_desk.h"

#include <gmock/gmock.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "crypto/openssl_handle.h"
#include "front/revocation/certificate_world_test.h"

namespace warifu::front::revocation {
namespace {

using crypto::Handle;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using test::header_of;

// What OpenSSL reads out of a list that it verified.
class Crl {
 public:
  Crl(std::string_view der, const crypto::Certificate& issuer) {
    const auto* end = reinterpret_cast<const unsigned char*>(der.data());
    crl_.reset(d2i_X509_CRL(nullptr, &end, static_cast<long>(der.size())));
    is_good_ = crl_ != nullptr && X509_CRL_verify(crl_.get(), X509_get0_pubkey(issuer.native())) == 1;
    ERR_clear_error();
  }
  bool is_good() const { return is_good_; }
  std::size_t size() const {
    const auto* entries = X509_CRL_get_REVOKED(crl_.get());
    return entries == nullptr ? 0 : static_cast<std::size_t>(sk_X509_REVOKED_num(entries));
  }
  // -2: it is not on the list; -1: without a reason.
  int reason_of(const crypto::Certificate& certificate) const {
    X509_REVOKED* entry = nullptr;
    if (X509_CRL_get0_by_serial(crl_.get(), &entry, X509_get_serialNumber(certificate.native())) != 1) return -2;
    const Handle<ASN1_ENUMERATED, ASN1_ENUMERATED_free> reason(
        static_cast<ASN1_ENUMERATED*>(X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, nullptr, nullptr)));
    return reason == nullptr ? -1 : static_cast<int>(ASN1_ENUMERATED_get(reason.get()));
  }
  std::string number() const {
    const Handle<ASN1_INTEGER, ASN1_INTEGER_free> number(
        static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(crl_.get(), NID_crl_number, nullptr, nullptr)));
    std::int64_t value = 0;
    ASN1_INTEGER_get_int64(&value, number.get());
    return std::to_string(value);
  }

 private:
  Handle<X509_CRL, X509_CRL_free> crl_;
  bool is_good_ = false;
};

class CrlDeskTest : public testing::Test, protected test::CertificateWorld {
 protected:
  // As the threads of the server do.
  void renew() {
    look();
    test::must(world.server.crl.renew());
  }
  net::HttpResponse get(net::Headers headers = {}) {
    return ask_plain(net::Method::kGet, "/crl/endpoint-identity.crl", {}, std::move(headers));
  }
  Crl list() {
    const auto response = get();
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(response.content_type, "application/pkix-crl");
    Crl crl(response.content(), world.server.issuer.certificate().value());
    EXPECT_TRUE(crl.is_good());
    return crl;
  }
};

TEST_F(CrlDeskTest, NamesWhatDoesNotCountAndWhy) {
  const auto good = active();
  const auto waiting = inactive();
  const auto held = active();
  const auto revoked = active();
  change(held, "suspend");
  change(revoked, "revoke", R"({"reason":"keyCompromise"})");
  renew();
  const Crl crl = list();
  EXPECT_EQ(crl.size(), 3U);
  EXPECT_EQ(crl.reason_of(good), -2);
  EXPECT_EQ(crl.reason_of(waiting), CRL_REASON_CERTIFICATE_HOLD);
  EXPECT_EQ(crl.reason_of(held), CRL_REASON_CERTIFICATE_HOLD);
  EXPECT_EQ(crl.reason_of(revoked), CRL_REASON_KEY_COMPROMISE);
}

TEST_F(CrlDeskTest, IsThereAlsoWhenNothingIsOnIt) {
  EXPECT_EQ(get().status, 503);
  EXPECT_EQ(test::member(get(), "code"), "certificate.no-crl");
  renew();
  EXPECT_EQ(list().size(), 0U);
}

TEST_F(CrlDeskTest, IsMadeAnewWhenSomethingChangedAndNotAllTheTime) {
  const auto certificate = active();
  renew();
  const std::string first = list().number();
  world.clock.advance(minutes(5));
  renew();
  EXPECT_EQ(list().number(), first) << "nothing changed";
  change(certificate, "suspend");
  renew();
  const Crl second = list();
  EXPECT_GT(std::stoull(second.number()), std::stoull(first));
  EXPECT_EQ(second.reason_of(certificate), CRL_REASON_CERTIFICATE_HOLD);
  // Soon after, whatever changes.
  change(certificate, "resume");
  renew();
  EXPECT_EQ(list().number(), second.number());
  world.clock.advance(CrlDesk::kIntervalMin);
  renew();
  EXPECT_EQ(list().reason_of(certificate), -2);
  EXPECT_GT(std::stoull(list().number()), std::stoull(second.number()));
}

TEST_F(CrlDeskTest, IsMadeAnewAtHalfOfItsLife) {
  renew();
  const std::string first = list().number();
  world.clock.advance(CrlDesk::kLifetime / 2 - seconds(1));
  renew();
  EXPECT_EQ(list().number(), first);
  world.clock.advance(seconds(1));
  renew();
  EXPECT_NE(list().number(), first);
}

// A clock that was set back keeps nothing from the list, and makes none that is older by its number.
TEST_F(CrlDeskTest, GoesOnWhenTheClockWasSetBack) {
  const auto certificate = active();
  renew();
  const std::string first = list().number();
  change(certificate, "suspend");
  look();
  world.clock.advance(-minutes(10));
  test::must(world.server.crl.renew());
  EXPECT_EQ(list().reason_of(certificate), CRL_REASON_CERTIFICATE_HOLD);
  EXPECT_GT(std::stoull(list().number()), std::stoull(first));
}

// One from the future is believed by nobody, and what had expired by a clock that was ahead has not.
TEST_F(CrlDeskTest, IsMadeAnewWhenTheClockWasSetBackAlsoWhenNothingChanged) {
  const auto certificate = active();
  change(certificate, "revoke");
  const Timestamp right = world.clock.now();
  world.clock.set(certificate.not_after() + hours(1));
  renew();
  ASSERT_EQ(list().size(), 0U);
  const std::string ahead = list().number();
  world.clock.set(right);
  test::must(world.server.crl.renew());
  EXPECT_LE(world.server.crl.current()->this_update, right);
  EXPECT_GT(std::stoull(list().number()), std::stoull(ahead));
  EXPECT_EQ(list().size(), 1U);
}

// RFC 5280 §3.3: one list more after the end, so that whoever looks at each of them misses none.
TEST_F(CrlDeskTest, NamesWhatExpiredOnceMore) {
  const auto certificate = active();
  change(certificate, "revoke");
  renew();
  ASSERT_EQ(list().size(), 1U);
  world.clock.set(certificate.not_after() + seconds(1));
  renew();
  EXPECT_EQ(list().size(), 1U);
  world.clock.advance(CrlDesk::kLifetime);
  renew();
  EXPECT_EQ(list().size(), 0U);
}

TEST_F(CrlDeskTest, IsTheSameListOverManyPages) {
  constexpr std::size_t kCount = 2 * CrlDesk::kPage + 1;
  test::must(world.store->write([&](store::Transaction& t) -> Status {
    for (std::size_t i = 0; i < kCount; ++i) {
      Bytes number(16, 0x41);
      number[14] = static_cast<std::uint8_t>(i >> 8);
      number[15] = static_cast<std::uint8_t>(i);
      TRY_STATUS(t.device_ca().insert_certificate({.scope = test::scope_id(),
                                                   .serial = crypto::SerialNumber::from_bytes(number).value(),
                                                   .registration_id = RegistrationId::parse("meter-1").value(),
                                                   .ground = {Uuid::v7(world.clock.now(), world.entropy)},
                                                   .state = device_ca::State::kRevoked,
                                                   .key_sha256 = Bytes(32, 1),
                                                   .public_key = Bytes(91, 2),
                                                   .not_before = world.clock.now(),
                                                   .not_after = world.clock.now() + hours(100),
                                                   .created_at = world.clock.now(),
                                                   .changed_at = world.clock.now(),
                                                   .certificate = Bytes(10, 3)}));
    }
    return t.audit().record(test::scope_id(), {"test", "certificate.issue", "certificate:1"});
  }));
  renew();
  EXPECT_EQ(list().size(), kCount);
}

TEST_F(CrlDeskTest, StaysWhileTheSignerIsAway) {
  const auto certificate = active();
  renew();
  const std::string first = list().number();
  change(certificate, "suspend");
  world.clock.advance(minutes(5));
  look();
  world.server.issuer.is_away = true;
  EXPECT_FALSE(world.server.crl.renew());
  EXPECT_EQ(list().number(), first);
  world.server.issuer.is_away = false;
  renew();
  EXPECT_EQ(list().reason_of(certificate), CRL_REASON_CERTIFICATE_HOLD);
}

TEST_F(CrlDeskTest, IsSentOnceToWhoHasItAlready) {
  renew();
  const auto response = get();
  const std::string etag = header_of(response, "ETag");
  EXPECT_EQ(header_of(response, "Cache-Control"), "max-age=60, public, no-transform, must-revalidate");
  const auto again = get({{"If-None-Match", etag}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.content(), "");
  EXPECT_EQ(ask(net::Method::kGet, "/crl/endpoint-identity.crl").content(), response.content());
}

TEST_F(CrlDeskTest, HasItsIssuerBesideIt) {
  const auto response = ask_plain(net::Method::kGet, "/issuers/endpoint-identity.cer");
  EXPECT_EQ(response.content_type, "application/pkix-cert");
  EXPECT_EQ(to_bytes(as_bytes(response.content())), world.server.issuer.certificate()->to_der());
  EXPECT_EQ(ask_plain(net::Method::kGet, "/issuers/endpoint-identity.cer", {},
                      {{"If-None-Match", header_of(response, "ETag")}})
                .status,
            304);
}

// What is not for everybody is not behind this door.
TEST_F(CrlDeskTest, NothingElseIsServedWithoutTls) {
  std::vector<std::string> paths;
  for (const auto& route : world.server.plain.router().routes())
    paths.push_back(route.pattern);
  EXPECT_THAT(paths, testing::UnorderedElementsAre("/ocsp", "/ocsp/{request...}", "/crl/endpoint-identity.crl",
                                                   "/issuers/endpoint-identity.cer", "/.well-known/cmp",
                                                   "/.well-known/cmp/p/{profile}"));
  EXPECT_EQ(ask_plain(net::Method::kGet, "/.well-known/est/cacerts").status, 404);
}

}  // namespace
}  // namespace warifu::front::revocation
