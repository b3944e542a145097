#include "crypto/ocsp_response.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/temp_dir.h"
#include "crypto/digest_signature.h"
#include "crypto/test_ocsp.h"

namespace warifu::crypto {
namespace {

using ResponseHandle = Handle<OCSP_RESPONSE, OCSP_RESPONSE_free>;
using BasicHandle = Handle<OCSP_BASICRESP, OCSP_BASICRESP_free>;
using StoreHandle = Handle<X509_STORE, X509_STORE_free>;
using std::chrono::hours;

// 2026-12-01T00:00:00Z
constexpr Timestamp kNow = Timestamp(std::chrono::seconds(1796083200));

BasicHandle basic_of(const Bytes& der) {
  const std::uint8_t* end = der.data();
  const ResponseHandle response(d2i_OCSP_RESPONSE(nullptr, &end, static_cast<long>(der.size())));
  EXPECT_EQ(end, der.data() + der.size());
  EXPECT_EQ(OCSP_response_status(response.get()), OCSP_RESPONSE_STATUS_SUCCESSFUL);
  return BasicHandle(OCSP_response_get1_basic(response.get()));
}

// As a relying party verifies: by the issuer alone, at that time.
bool verifies(OCSP_BASICRESP* response, const Certificate& issuer) {
  const StoreHandle store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), issuer.native());
  X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store.get()), 1796083200);
  const bool is_right = OCSP_basic_verify(response, nullptr, store.get(), 0) == 1;
  ERR_clear_error();
  return is_right;
}

class OcspResponses : public testing::TestWithParam<std::pair<KeyKind, KeyKind>> {};

TEST_P(OcspResponses, SayWhatWasAsked) {
  OcspWorld world(kNow, GetParam().first, GetParam().second);
  const OcspIssuer& issuer = world.responder.issuer();
  const SerialNumber good = serial_of("ff01");
  const SerialNumber revoked = serial_of("02");
  const SerialNumber held = serial_of("03");
  const SerialNumber unknown = serial_of("04");
  const OcspAnswer answers[] = {
      world.answer(issuer.id(HashAlgorithm::kSha1, good), OcspGood{}),
      world.answer(issuer.id(HashAlgorithm::kSha256, revoked), OcspRevoked{kNow - hours(5)}),
      world.answer(issuer.id(HashAlgorithm::kSha384, held), OcspRevoked{kNow, RevocationReason::kCertificateHold}),
      world.answer(issuer.id(HashAlgorithm::kSha1, unknown), OcspUnknown{})};
  const auto der = world.responder.response(answers, {}, kNow + std::chrono::milliseconds(7));
  ASSERT_TRUE(der) << to_string(der.error());
  const BasicHandle basic = basic_of(*der);
  ASSERT_NE(basic, nullptr);
  EXPECT_TRUE(verifies(basic.get(), world.issuer));
  const OcspWorld other(kNow);
  EXPECT_FALSE(verifies(basic.get(), other.issuer));
  EXPECT_EQ(as_text({ASN1_STRING_get0_data(OCSP_resp_get0_produced_at(basic.get())), 15}), "20261201000000Z");
  EXPECT_EQ(OCSP_resp_count(basic.get()), 4);

  struct Expected {
    const SerialNumber& serial;
    const EVP_MD* hash;
    int status;
    int reason;
  };
  for (const auto& expected :
       {Expected{good, EVP_sha1(), V_OCSP_CERTSTATUS_GOOD, -1},
        Expected{revoked, EVP_sha256(), V_OCSP_CERTSTATUS_REVOKED, -1},
        Expected{held, EVP_sha384(), V_OCSP_CERTSTATUS_REVOKED, OCSP_REVOKED_STATUS_CERTIFICATEHOLD},
        Expected{unknown, EVP_sha1(), V_OCSP_CERTSTATUS_UNKNOWN, -1}}) {
    const Handle<OCSP_CERTID, OCSP_CERTID_free> id(native_id(world.issuer, expected.serial, expected.hash));
    int status = -1;
    int reason = -1;
    ASN1_GENERALIZEDTIME* at = nullptr;
    ASN1_GENERALIZEDTIME* this_update = nullptr;
    ASN1_GENERALIZEDTIME* next_update = nullptr;
    ASSERT_EQ(OCSP_resp_find_status(basic.get(), id.get(), &status, &reason, &at, &this_update, &next_update), 1);
    EXPECT_EQ(status, expected.status);
    EXPECT_EQ(reason, expected.reason);
    EXPECT_EQ(as_text({ASN1_STRING_get0_data(this_update), 15}), "20261130235900Z");
    EXPECT_EQ(as_text({ASN1_STRING_get0_data(next_update), 15}), "20261201120000Z");
    if (expected.serial == revoked) {
      EXPECT_EQ(as_text({ASN1_STRING_get0_data(at), 15}), "20261130190000Z");
    }
  }
  // DER has one way: OpenSSL writes the same.
  const ResponseHandle again(OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()));
  EXPECT_EQ(to_der_bytes<i2d_OCSP_RESPONSE>(again.get()), *der);
}

INSTANTIATE_TEST_SUITE_P(Kinds, OcspResponses,
                         testing::Values(std::pair(KeyKind::kEcP384, KeyKind::kEcP256),
                                         std::pair(KeyKind::kEcP256, KeyKind::kEcP384),
                                         std::pair(KeyKind::kEcP256, KeyKind::kRsa2048)));

class OcspResponse : public testing::Test {
 protected:
  Result<Bytes> response(std::span<const OcspAnswer> answers, ByteView nonce = {}, Timestamp at = kNow) {
    return world_.responder.response(answers, nonce, at);
  }
  OcspAnswer good() {
    return world_.answer(world_.responder.issuer().id(HashAlgorithm::kSha1, serial_of("01")), OcspGood{});
  }

  OcspWorld world_{kNow};
};

TEST_F(OcspResponse, EchoesTheNonce) {
  const OcspRequestOwner request(OCSP_REQUEST_new());
  OCSP_request_add0_id(request.get(), native_id(world_.issuer, serial_of("01"), EVP_sha1()));
  OCSP_request_add1_nonce(request.get(), nullptr, 32);
  const auto parsed = OcspRequest::from_der(to_der_bytes<i2d_OCSP_REQUEST>(request.get()));
  ASSERT_TRUE(parsed);
  const OcspAnswer answer = world_.answer(parsed->ids()[0], OcspGood{});
  const BasicHandle basic = basic_of(*response(std::span(&answer, 1), parsed->nonce()));
  EXPECT_EQ(OCSP_check_nonce(request.get(), basic.get()), 1);
  EXPECT_TRUE(verifies(basic.get(), world_.issuer));
  const BasicHandle without = basic_of(*response(std::span(&answer, 1)));
  EXPECT_EQ(OCSP_check_nonce(request.get(), without.get()), -1);
}

TEST_F(OcspResponse, SaysNothingThatCannotBe) {
  const auto code = [&](OcspAnswer answer) -> std::string_view {
    const auto said = response(std::span(&answer, 1));
    return said ? "said" : said.error().code;
  };
  EXPECT_EQ(code(good()), "said");
  const OcspWorld other(kNow);
  const auto foreign = other.responder.issuer().id(HashAlgorithm::kSha1, serial_of("01"));
  EXPECT_EQ(code(world_.answer(foreign, OcspUnknown{})), "said");
  EXPECT_EQ(code(world_.answer(foreign, OcspGood{})), "crypto.ocsp.response");
  EXPECT_EQ(code(world_.answer(foreign, OcspRevoked{kNow})), "crypto.ocsp.response");
  OcspAnswer answer = good();
  answer.next_update = answer.this_update;
  EXPECT_EQ(code(answer), "crypto.ocsp.response");
  answer.next_update = kForLife + std::chrono::seconds(1);
  EXPECT_EQ(code(answer), "crypto.ocsp.response");
  for (const OcspRevoked& revoked :
       {OcspRevoked{kForLife + std::chrono::seconds(1)}, OcspRevoked{Timestamp(std::chrono::seconds(-1))},
        OcspRevoked{kNow, RevocationReason::kRemoveFromCrl}, OcspRevoked{kNow, static_cast<RevocationReason>(7)}})
    EXPECT_EQ(code(world_.answer(good().id, revoked)), "crypto.ocsp.response");
  EXPECT_EQ(response({}).error().code, "crypto.ocsp.response");
  const std::vector<OcspAnswer> many(33, good());
  EXPECT_EQ(response(many).error().code, "crypto.ocsp.response");
  EXPECT_TRUE(response(std::span(many).first(32)));
  EXPECT_EQ(response(std::span(many).first(1), Bytes(33)).error().code, "crypto.ocsp.response");
  EXPECT_EQ(response(std::span(many).first(1), {}, Timestamp(std::chrono::seconds(-1))).error().code,
            "crypto.ocsp.response");
}

TEST_F(OcspResponse, IsSignedByWhomTheIssuerDelegatesTo) {
  const auto code = [](const Result<OcspResponder>& responder) -> std::string_view {
    return responder ? "made" : responder.error().code;
  };
  const OcspWorld other(kNow);
  EXPECT_EQ(code(OcspResponder::of(world_.issuer, world_.responder_certificate, world_.responder_key)), "made");
  EXPECT_EQ(code(OcspResponder::of(other.issuer, world_.responder_certificate, world_.responder_key)),
            "crypto.ocsp.responder");
  EXPECT_EQ(code(OcspResponder::of(world_.issuer, world_.responder_certificate, other.responder_key)),
            "crypto.ocsp.responder");
  const PrivateKey key = PrivateKey::generate(KeyKind::kEcP256);
  const Certificate client = world_.issue(world_.profile("client"), key, &world_.issuer);
  EXPECT_EQ(code(OcspResponder::of(world_.issuer, client, key)), "crypto.ocsp.responder");
}

TEST_F(OcspResponse, IsSignedByAKeyElsewhere) {
  const auto kept = std::make_shared<Signer>(world_.responder_key);
  const auto with = [&](SignDigest sign) {
    return *OcspResponder::of(
        world_.issuer, world_.responder_certificate,
        Signer::outside(ec_public_key(world_.responder_key.public_key()).value(), std::move(sign)));
  };
  const OcspAnswer answer = good();
  const auto outside = with([kept](const Digest& digest) { return sign_digest(*kept, digest); });
  const BasicHandle basic = basic_of(*outside.response(std::span(&answer, 1), {}, kNow));
  EXPECT_TRUE(verifies(basic.get(), world_.issuer));
  const auto refuses = with([](const Digest&) -> Result<Bytes> {
    return Error{ErrorKind::kThrottled, "test.limit", "too many"};
  });
  EXPECT_EQ(refuses.response(std::span(&answer, 1), {}, kNow).error().code, "test.limit");
}

TEST(OcspErrors, AreUnsigned) {
  for (const OcspError error : {OcspError::kMalformedRequest, OcspError::kInternalError, OcspError::kTryLater,
                                OcspError::kSigRequired, OcspError::kUnauthorized}) {
    const Bytes der = ocsp_error(error);
    const ResponseHandle expected(OCSP_response_create(static_cast<int>(error), nullptr));
    EXPECT_EQ(der, to_der_bytes<i2d_OCSP_RESPONSE>(expected.get()));
  }
}

// The client that everybody has. It goes by the clock of the machine.
TEST(Ocsp, IsAskedAndUnderstoodByOpensslOcsp) {
  OcspWorld world(SystemClock().now());
  const TempDir folder;
  const std::filesystem::path& directory = folder.path();
  const auto run = [&](const std::string& line) {
    const std::string command =
        "cd " + directory.string() + " && (" + line + ") >new 2>&1; rc=$?; mv new out; exit $rc";
    return std::system(command.c_str()) == 0;  // NOLINT(cert-env33-c): a test, and no input of others in it
  };
  std::ofstream(directory / "ca.pem") << world.issuer.to_pem();
  std::ofstream(directory / "good.pem") << world.leaf("good", serial_of("0101")).to_pem();
  std::ofstream(directory / "held.pem") << world.leaf("held", serial_of("0102")).to_pem();
  const std::string files = " -issuer ca.pem -cert good.pem -cert held.pem ";
  for (const std::string hash : {"", "-sha256", "-sha384"}) {
    ASSERT_TRUE(run("openssl ocsp " + hash + files + "-reqout req.der"));
    std::ifstream file(directory / "req.der");
    const std::string der(std::istreambuf_iterator<char>(file), {});
    const auto request = OcspRequest::from_der(as_bytes(der));
    ASSERT_TRUE(request) << to_string(request.error());
    ASSERT_EQ(request->ids().size(), 2u);
    EXPECT_FALSE(request->nonce().empty());
    ASSERT_TRUE(world.responder.issuer().is_issuer_of(request->ids()[0]));
    EXPECT_EQ(request->ids()[1].serial, serial_of("0102"));
    const OcspAnswer answers[] = {
        world.answer(request->ids()[0], OcspGood{}),
        world.answer(request->ids()[1], OcspRevoked{world.now - hours(1), RevocationReason::kCertificateHold})};
    std::ofstream(directory / "resp.der") << as_text(*world.responder.response(answers, request->nonce(), world.now));
    // With the nonce of its request; then by what the client says of each certificate.
    EXPECT_TRUE(run("openssl ocsp -reqin req.der -respin resp.der -CAfile ca.pem")) << hash;
    ASSERT_TRUE(run("openssl ocsp " + hash + files + "-respin resp.der -CAfile ca.pem -no_nonce")) << hash;
    EXPECT_TRUE(
        run("cp out said; grep -q 'Response verify OK' said && grep -q 'good.pem: good' said && "
            "grep -q 'held.pem: revoked' said && grep -q 'Reason: certificateHold' said"))
        << hash;
    EXPECT_FALSE(run("openssl ocsp " + files +
                     "-reqout again.der && openssl ocsp -reqin again.der -respin resp.der -CAfile ca.pem"));
  }
  const OcspWorld other(world.now);
  std::ofstream(directory / "other.pem") << other.issuer.to_pem();
  EXPECT_FALSE(run("openssl ocsp " + files + " -respin resp.der -CAfile other.pem -no_nonce"));
}

}  // namespace
}  // namespace warifu::crypto
