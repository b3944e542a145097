#include "front/revocation/ocsp_desk.h"

#include <gmock/gmock.h>

#include "crypto/test_ocsp.h"
#include "front/revocation/certificate_world_test.h"

namespace warifu::front::revocation {
namespace {

using crypto::Handle;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using test::header_of;
using testing::HasSubstr;
using testing::StartsWith;

// What OpenSSL reads out of an answer.
struct Told {
  int status = -1;  // of the whole: 0 successful
  int standing = -1;
  int reason = -1;
  Bytes nonce = {};
  bool is_verified = false;
  int count = 0;
};

Bytes request_to(const crypto::Certificate& issuer, const std::vector<crypto::SerialNumber>& serials,
                 const EVP_MD* hash = EVP_sha1(), Bytes nonce = {}, const Bytes& comment = {}) {
  const crypto::OcspRequestOwner made(OCSP_REQUEST_new());
  for (const auto& serial : serials)
    OCSP_request_add0_id(made.get(), crypto::native_id(issuer, serial, hash));
  if (!nonce.empty()) OCSP_request_add1_nonce(made.get(), nonce.data(), static_cast<int>(nonce.size()));
  if (!comment.empty()) {
    const Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> octets(ASN1_OCTET_STRING_new());
    ASN1_OCTET_STRING_set(octets.get(), comment.data(), static_cast<int>(comment.size()));
    const Handle<X509_EXTENSION, X509_EXTENSION_free> extension(
        X509_EXTENSION_create_by_NID(nullptr, NID_netscape_comment, /*crit=*/0, octets.get()));
    OCSP_REQUEST_add_ext(made.get(), extension.get(), -1);
  }
  return crypto::to_der_bytes<i2d_OCSP_REQUEST>(made.get());
}

class OcspDeskTest : public testing::Test, protected test::CertificateWorld {
 protected:
  OcspDeskTest() { test::must(world.server.ocsp.renew()); }

  crypto::Certificate issuer() { return world.server.issuer.certificate().value(); }
  Bytes request(const std::vector<crypto::SerialNumber>& serials, const EVP_MD* hash = EVP_sha1(),
                const Bytes& nonce = {}, const crypto::Certificate* by = nullptr) {
    return request_to(by == nullptr ? issuer() : by->clone(), serials, hash, nonce);
  }
  static crypto::SerialNumber serial_of(const crypto::Certificate& certificate) {
    return crypto::SerialNumber::from_bytes(certificate.serial()).value();
  }
  net::HttpResponse post(const Bytes& der) {
    return ask_plain(net::Method::kPost, "/ocsp", std::string(as_text(der)),
                     {{"Content-Type", "application/ocsp-request"}});
  }
  Told told(const net::HttpResponse& response, const crypto::SerialNumber& serial, const EVP_MD* hash = EVP_sha1()) {
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(response.content_type, "application/ocsp-response");
    const ByteView der = as_bytes(response.content());
    const std::uint8_t* end = der.data();
    const Handle<OCSP_RESPONSE, OCSP_RESPONSE_free> parsed(
        d2i_OCSP_RESPONSE(nullptr, &end, static_cast<long>(der.size())));
    Told told;
    if (parsed == nullptr) return told;
    told.status = OCSP_response_status(parsed.get());
    const Handle<OCSP_BASICRESP, OCSP_BASICRESP_free> basic(OCSP_response_get1_basic(parsed.get()));
    if (basic == nullptr) return told;
    const Handle<X509_STORE, X509_STORE_free> store(X509_STORE_new());
    const auto by = issuer();
    X509_STORE_add_cert(store.get(), by.native());
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store.get()),
                               std::chrono::system_clock::to_time_t(std::chrono::floor<seconds>(world.clock.now())));
    X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
    told.is_verified = OCSP_basic_verify(basic.get(), nullptr, store.get(), 0) == 1;
    told.count = OCSP_resp_count(basic.get());
    const Handle<OCSP_CERTID, OCSP_CERTID_free> id(crypto::native_id(by, serial, hash));
    OCSP_resp_find_status(basic.get(), id.get(), &told.standing, &told.reason, nullptr, nullptr, nullptr);
    const int at = OCSP_BASICRESP_get_ext_by_NID(basic.get(), NID_id_pkix_OCSP_Nonce, -1);
    if (at >= 0) {
      const auto* value = X509_EXTENSION_get_data(OCSP_BASICRESP_get_ext(basic.get(), at));
      const ByteView octets(ASN1_STRING_get0_data(value), static_cast<std::size_t>(ASN1_STRING_length(value)));
      told.nonce = to_bytes(octets.subspan(2));
    }
    ERR_clear_error();
    return told;
  }
  Told ask_about(const crypto::Certificate& certificate, const EVP_MD* hash = EVP_sha1()) {
    return told(post(request({serial_of(certificate)}, hash)), serial_of(certificate), hash);
  }
  std::string count(const std::string& answer) {
    const std::string text = world.server.metrics.text();
    const std::string name = "warifu_ocsp_answers_total{answer=\"" + answer + "\"} ";
    const auto at = text.find(name);
    return at == std::string::npos ? "none" : text.substr(at + name.size(), text.find('\n', at) - at - name.size());
  }
};

TEST_F(OcspDeskTest, SaysHowACertificateStandsInEachState) {
  const auto certificate = inactive();
  const auto expect = [&](int standing, int reason, const char* when) {
    world.clock.advance(OcspDesk::kLookAgainAfter);
    for (const EVP_MD* hash : {EVP_sha1(), EVP_sha256()}) {
      const Told answer = ask_about(certificate, hash);
      EXPECT_EQ(answer.status, 0) << when;
      EXPECT_TRUE(answer.is_verified) << when;
      EXPECT_EQ(answer.standing, standing) << when;
      EXPECT_EQ(answer.reason, reason) << when;
    }
  };
  expect(V_OCSP_CERTSTATUS_REVOKED, OCSP_REVOKED_STATUS_CERTIFICATEHOLD, "inactive");
  change(certificate, "activate");
  expect(V_OCSP_CERTSTATUS_GOOD, -1, "active");
  change(certificate, "suspend");
  expect(V_OCSP_CERTSTATUS_REVOKED, OCSP_REVOKED_STATUS_CERTIFICATEHOLD, "held");
  change(certificate, "resume");
  expect(V_OCSP_CERTSTATUS_GOOD, -1, "resumed");
  change(certificate, "revoke", R"({"reason":"keyCompromise"})");
  expect(V_OCSP_CERTSTATUS_REVOKED, OCSP_REVOKED_STATUS_KEYCOMPROMISE, "revoked");
}

// Lifecycle: the certificate is good by itself, its device is not.
TEST_F(OcspDeskTest, SaysThatADeviceMayNotUseItsCertificate) {
  const auto certificate = active();
  EXPECT_EQ(ask_about(certificate).standing, V_OCSP_CERTSTATUS_GOOD);
  test::must(world.server.unenroll("soft-1"));
  world.clock.advance(OcspDesk::kLookAgainAfter);
  const Told answer = ask_about(certificate);
  EXPECT_EQ(answer.standing, V_OCSP_CERTSTATUS_REVOKED);
  EXPECT_EQ(answer.reason, OCSP_REVOKED_STATUS_CERTIFICATEHOLD);
  EXPECT_TRUE(answer.is_verified);
  // Made anew it is another enrollment.
  EXPECT_EQ(alice.post("/api/v1/enrollments", test::key_enrollment("soft-1")).status, 201);
  world.clock.advance(OcspDesk::kLookAgainAfter);
  EXPECT_EQ(ask_about(certificate).standing, V_OCSP_CERTSTATUS_REVOKED);
}

TEST_F(OcspDeskTest, EchoesANonceAndSignsForItAlone) {
  const auto certificate = active();
  const Bytes first(16, 0xA1);
  const Bytes second(32, 0xB2);
  for (const Bytes& nonce : {first, second}) {
    const auto response = post(request({serial_of(certificate)}, EVP_sha1(), nonce));
    const Told answer = told(response, serial_of(certificate));
    EXPECT_EQ(answer.standing, V_OCSP_CERTSTATUS_GOOD);
    EXPECT_EQ(answer.nonce, nonce);
    EXPECT_TRUE(answer.is_verified);
    EXPECT_EQ(header_of(response, "ETag"), "absent");
    EXPECT_EQ(header_of(response, "Cache-Control"), "absent") << "the listener makes that no-store";
  }
  EXPECT_EQ(count("signed"), "2");
  EXPECT_EQ(told(post(request({serial_of(certificate)})), serial_of(certificate)).nonce, Bytes());
}

TEST_F(OcspDeskTest, GivesWhatItSignedToEverybodyWhileItIsTrue) {
  const auto certificate = active();
  const Bytes der = request({serial_of(certificate)});
  const std::string first(post(der).content());
  EXPECT_EQ(post(der).content(), first);
  // Looked at again, and so still.
  world.clock.advance(minutes(44));
  EXPECT_EQ(post(der).content(), first);
  EXPECT_EQ(count("signed"), "1");
  EXPECT_EQ(count("kept"), "2");
  // For its last quarter it would be of little use.
  world.clock.advance(minutes(1));
  const std::string second(post(der).content());
  EXPECT_NE(second, first);
  change(certificate, "suspend");
  world.clock.advance(OcspDesk::kLookAgainAfter);
  EXPECT_NE(post(der).content(), second);
}

TEST_F(OcspDeskTest, SaysNothingOfWhatIsNotOurs) {
  const auto own = serial_of(active());
  const auto unauthorized = [&](const Bytes& der, const char* what) {
    const Told answer = told(post(der), own);
    EXPECT_EQ(answer.status, OCSP_RESPONSE_STATUS_UNAUTHORIZED) << what;
    EXPECT_EQ(answer.count, 0) << what;
  };
  const auto number = crypto::serial_of("40000000000000000000000000000001");
  unauthorized(request({number}), "a number that was not given");
  unauthorized(request({number}, EVP_sha1(), Bytes(16, 1)), "the same with a nonce");
  unauthorized(request({number, number}), "the same twice");
  const auto& root = world.server.issuer.root().certificate;
  unauthorized(request({own}, EVP_sha1(), {}, &root), "another issuer");
  unauthorized(request({own}, EVP_md5()), "a hash that names nobody");
  EXPECT_EQ(count("signed"), "0");
  // Also when an answer for that number, of ours, is at hand.
  EXPECT_EQ(told(post(request({own})), own).standing, V_OCSP_CERTSTATUS_GOOD);
  unauthorized(request({own}, EVP_sha1(), {}, &root), "another issuer");
}

TEST_F(OcspDeskTest, AnswersForSeveralAtOnce) {
  const auto first = active();
  const auto second = inactive();
  const auto nobody = crypto::serial_of("40000000000000000000000000000001");
  const auto response = post(request({serial_of(first), serial_of(second), nobody}));
  EXPECT_EQ(told(response, serial_of(first)).standing, V_OCSP_CERTSTATUS_GOOD);
  EXPECT_EQ(told(response, serial_of(second)).standing, V_OCSP_CERTSTATUS_REVOKED);
  EXPECT_EQ(told(response, nobody).standing, V_OCSP_CERTSTATUS_UNKNOWN);
  EXPECT_EQ(told(response, nobody).count, 3);
  EXPECT_EQ(header_of(response, "ETag"), "absent");
}

TEST_F(OcspDeskTest, SaysThatARequestIsNone) {
  const Bytes good = request({serial_of(active())});
  std::vector<Bytes> rows = {{}, Bytes(10, 0x30), Bytes(20'000, 0x30)};
  for (std::size_t size = 1; size < good.size(); size += 7)
    rows.push_back(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
  for (const Bytes& row : rows) {
    const auto response = post(row);
    EXPECT_EQ(told(response, crypto::serial_of("01")).status, OCSP_RESPONSE_STATUS_MALFORMEDREQUEST) << row.size();
  }
  for (const char* rest : {"", "x", "MDQw%00", "%2F%2F%2F", "MDQ="}) {
    const auto response = ask_plain(net::Method::kGet, std::string("/ocsp/") + rest);
    if (response.content_type == "application/problem+json") continue;  // no path at all
    EXPECT_EQ(told(response, crypto::serial_of("01")).status, OCSP_RESPONSE_STATUS_MALFORMEDREQUEST) << rest;
  }
}

TEST_F(OcspDeskTest, TakesARequestInAPathHoweverItIsWritten) {
  const auto certificate = active();
  const Bytes der = request({serial_of(certificate)});
  const std::string text = to_base64(der);
  const std::string posted(post(der).content());
  for (const std::string& path : {text, test::percent_encoded(text)}) {
    const auto response = ask_plain(net::Method::kGet, "/ocsp/" + path);
    EXPECT_EQ(response.content(), posted) << path;
  }
  // With slashes, also two together: any bytes may come to that.
  const Bytes slashes = request({serial_of(certificate)}, EVP_sha1(), Bytes(30, 0xFF));
  ASSERT_THAT(to_base64(slashes), HasSubstr("//"));
  EXPECT_EQ(told(ask_plain(net::Method::kGet, "/ocsp/" + to_base64(slashes)), serial_of(certificate)).nonce,
            Bytes(30, 0xFF));
  // On the devices listener, too.
  EXPECT_EQ(ask(net::Method::kGet, "/ocsp/" + text).content(), posted);
}

TEST_F(OcspDeskTest, TellsCachesHowLongTheyMayKeepIt) {
  const auto certificate = active();
  const std::string path = "/ocsp/" + test::percent_encoded(to_base64(request({serial_of(certificate)})));
  world.clock.set(Timestamp(seconds(1'796'083'200)));  // 2026-12-01T00:00:00Z, a Tuesday
  test::must(world.server.ocsp.renew());
  auto response = ask_plain(net::Method::kGet, path);
  EXPECT_EQ(header_of(response, "Last-Modified"), "Tue, 01 Dec 2026 00:00:00 GMT");
  EXPECT_EQ(header_of(response, "Expires"), "Tue, 01 Dec 2026 01:00:00 GMT");
  EXPECT_EQ(header_of(response, "Cache-Control"), "max-age=3600, public, no-transform, must-revalidate");
  const std::string etag = header_of(response, "ETag");
  EXPECT_THAT(etag, StartsWith("\""));
  world.clock.advance(minutes(10));
  response = ask_plain(net::Method::kGet, path, {}, {{"If-None-Match", "\"other\", " + etag}});
  EXPECT_EQ(response.status, 304);
  EXPECT_EQ(response.content(), "");
  EXPECT_EQ(header_of(response, "Cache-Control"), "max-age=3000, public, no-transform, must-revalidate");
  EXPECT_EQ(ask_plain(net::Method::kGet, path, {}, {{"If-None-Match", "\"other\""}}).status, 200);
}

TEST_F(OcspDeskTest, RenewsItsKeyAtHalfOfItsLife) {
  const auto certificate = active();
  const Bytes der = request({serial_of(certificate)});
  const std::string first(post(der).content());
  world.clock.advance(hours(11));
  test::must(world.server.ocsp.renew());
  EXPECT_TRUE(ask_about(certificate).is_verified);
  // The signer is away at half of its life: the key goes on to the end of its own, and no answer outlives it.
  world.clock.advance(hours(2));
  world.server.issuer.is_away = true;
  EXPECT_FALSE(world.server.ocsp.renew());
  world.clock.advance(hours(10) + minutes(30));
  EXPECT_TRUE(ask_about(certificate).is_verified);
  world.clock.advance(minutes(30));
  EXPECT_EQ(ask_about(certificate).status, OCSP_RESPONSE_STATUS_TRYLATER);
  world.server.issuer.is_away = false;
  test::must(world.server.ocsp.renew());
  EXPECT_TRUE(ask_about(certificate).is_verified);
}

// What was certified while the clock was ahead is not good yet.
TEST_F(OcspDeskTest, RenewsItsKeyWhenTheClockWasSetBack) {
  const auto certificate = active();
  world.clock.advance(hours(31 * 24));
  test::must(world.server.ocsp.renew());
  world.clock.advance(-hours(31 * 24));
  EXPECT_EQ(ask_about(certificate).status, OCSP_RESPONSE_STATUS_TRYLATER);
  test::must(world.server.ocsp.renew());
  EXPECT_TRUE(ask_about(certificate).is_verified);
}

// A stranger can make any number of large ones that ask the same.
TEST_F(OcspDeskTest, KnowsNoLargeRequestByItsBytes) {
  const auto certificate = active();
  for (const EVP_MD* hash : {EVP_sha1(), EVP_sha512()}) {
    const Bytes usual = request({serial_of(certificate)}, hash);
    EXPECT_LE(to_base64(usual).size(), OcspDesk::kAskedBytesMax / 2);
    EXPECT_EQ(told(post(usual), serial_of(certificate), hash).standing, V_OCSP_CERTSTATUS_GOOD);
  }
  EXPECT_EQ(world.server.ocsp.asked_count(), 2U);
  for (std::uint8_t i = 0; i < 3; ++i) {
    const Bytes large =
        request_to(issuer(), {serial_of(certificate)}, EVP_sha1(), {}, Bytes(OcspDesk::kAskedBytesMax, i));
    EXPECT_EQ(told(post(large), serial_of(certificate)).standing, V_OCSP_CERTSTATUS_GOOD);
  }
  EXPECT_EQ(world.server.ocsp.asked_count(), 2U);
}

TEST(OcspDesk, SaysTryLaterBeforeItIsCertified) {
  test::CertificateWorld fresh;
  const auto issuer = fresh.world.server.issuer.certificate().value();
  const auto answer = fresh.world.server.ocsp.answer(request_to(issuer, {crypto::serial_of("40")}));
  EXPECT_EQ(to_hex(as_bytes(*answer.der)), "30030a0103");
  EXPECT_FALSE(answer.validity);
}

TEST_F(OcspDeskTest, KeepsABoundedNumberOfAnswers) {
  OcspDesk small(world.clock, world.entropy, *world.store, world.server.applicants, world.server.issuer,
                 world.server.metrics, 2);
  test::must(small.renew());
  std::vector<Bytes> requests;
  for (int i = 0; i < 3; ++i)
    requests.push_back(request({serial_of(inactive())}));
  const auto first = small.answer(requests[0]).der;
  EXPECT_EQ(small.answer(requests[0]).der, first);
  small.answer(requests[1]);
  small.answer(requests[2]);
  EXPECT_NE(small.answer(requests[0]).der, first) << "the oldest one had to go";
}

}  // namespace
}  // namespace warifu::front::revocation
