#include "crypto/ocsp_request.h"

#include <functional>

#include "crypto/test_ocsp.h"

namespace warifu::crypto {
namespace {

// 2026-12-01T00:00:00Z
constexpr Timestamp kNow = Timestamp(std::chrono::seconds(1796083200));

std::string_view code_of(const Result<OcspRequest>& request) {
  return request ? std::string_view("taken") : request.error().code;
}

class OcspRequests : public testing::Test {
 protected:
  Bytes written(const std::function<void(OCSP_REQUEST*)>& change, int ids = 1) {
    const OcspRequestOwner request(OCSP_REQUEST_new());
    for (int i = 0; i < ids; ++i)
      OCSP_request_add0_id(request.get(), native_id(world_.issuer, serial_of("0123"), EVP_sha1()));
    change(request.get());
    return to_der_bytes<i2d_OCSP_REQUEST>(request.get());
  }
  std::string_view code(const std::function<void(OCSP_REQUEST*)>& change, int ids = 1) {
    return code_of(OcspRequest::from_der(written(change, ids)));
  }
  static void add_extension(OCSP_REQUEST* request, int nid, bool critical, std::string_view value) {
    const Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> content(ASN1_OCTET_STRING_new());
    ASN1_OCTET_STRING_set(content.get(), as_bytes(value).data(), to_int(value.size()));
    const Handle<X509_EXTENSION, X509_EXTENSION_free> extension(
        X509_EXTENSION_create_by_NID(nullptr, nid, critical ? 1 : 0, content.get()));
    EXPECT_EQ(OCSP_REQUEST_add_ext(request, extension.get(), -1), 1);
  }

  OcspWorld world_{kNow};
};

TEST_F(OcspRequests, NameCertificatesByAnyHash) {
  const OcspIssuer issuer(world_.issuer);
  const SerialNumber serial = serial_of("ff00112233");
  for (const auto& [evp, hash] :
       {std::pair(EVP_sha1(), HashAlgorithm::kSha1), std::pair(EVP_sha256(), HashAlgorithm::kSha256),
        std::pair(EVP_sha384(), HashAlgorithm::kSha384), std::pair(EVP_sha512(), HashAlgorithm::kSha512)}) {
    const Bytes der = written([&](OCSP_REQUEST* r) { OCSP_request_add0_id(r, native_id(world_.issuer, serial, evp)); });
    const auto request = OcspRequest::from_der(der);
    ASSERT_TRUE(request) << to_string(request.error());
    ASSERT_EQ(request->ids().size(), 2u);
    EXPECT_EQ(request->ids()[1], issuer.id(hash, serial));
    EXPECT_TRUE(issuer.is_issuer_of(request->ids()[1]));
    EXPECT_TRUE(request->nonce().empty());
  }
}

TEST_F(OcspRequests, AreOfOneIssuer) {
  const OcspIssuer issuer(world_.issuer);
  const OcspWorld other(kNow);  // the same name with another key
  auto id = issuer.id(HashAlgorithm::kSha256, serial_of("01"));
  EXPECT_FALSE(OcspIssuer(other.issuer).is_issuer_of(id));
  EXPECT_FALSE(OcspIssuer(world_.responder_certificate).is_issuer_of(id));
  id.issuer_name.writable()[0] ^= 1;
  EXPECT_FALSE(issuer.is_issuer_of(id));
}

TEST_F(OcspRequests, AreNothingLessAndNothingMore) {
  Bytes der = written([](OCSP_REQUEST* r) { OCSP_request_add1_nonce(r, nullptr, 16); });
  ASSERT_EQ(code_of(OcspRequest::from_der(der)), "taken");
  for (std::size_t size = 0; size < der.size(); ++size)
    EXPECT_EQ(code_of(OcspRequest::from_der(ByteView(der).first(size))), "crypto.ocsp.form") << size;
  der.push_back(0);
  EXPECT_EQ(code_of(OcspRequest::from_der(der)), "crypto.ocsp.form");
}

TEST_F(OcspRequests, AskAboutSomethingButNotTooMuch) {
  const auto nothing = [](OCSP_REQUEST*) {};
  EXPECT_EQ(code(nothing, 0), "crypto.ocsp.form");
  EXPECT_EQ(code(nothing, 32), "taken");
  EXPECT_EQ(code(nothing, 33), "crypto.ocsp.form");
  // A mebibyte of what is passed over.
  EXPECT_EQ(
      code([](OCSP_REQUEST* r) { add_extension(r, NID_pkcs9_unstructuredName, false, std::string(1 << 14, 'x')); }),
      "crypto.ocsp.form");
}

TEST_F(OcspRequests, HaveANonceOf1To32Bytes) {
  for (const int size : {1, 16, 32}) {
    const auto request =
        OcspRequest::from_der(written([&](OCSP_REQUEST* r) { OCSP_request_add1_nonce(r, nullptr, size); }));
    ASSERT_TRUE(request) << size;
    EXPECT_EQ(request->nonce().size(), static_cast<std::size_t>(size));
  }
  EXPECT_EQ(code([](OCSP_REQUEST* r) { OCSP_request_add1_nonce(r, nullptr, 33); }), "crypto.ocsp.form");
  EXPECT_EQ(code([](OCSP_REQUEST* r) {
              add_extension(r, NID_id_pkix_OCSP_Nonce, false, {"\x04\x00", 2});
            }),
            "crypto.ocsp.form");
  EXPECT_EQ(code([](OCSP_REQUEST* r) {
              add_extension(r, NID_id_pkix_OCSP_Nonce, false,
                            "\x04\x02"
                            "a");
            }),
            "crypto.ocsp.form");
  EXPECT_EQ(code([](OCSP_REQUEST* r) {
              add_extension(r, NID_id_pkix_OCSP_Nonce, false,
                            "\x04\x01"
                            "ab");
            }),
            "crypto.ocsp.form");
  EXPECT_EQ(code([](OCSP_REQUEST* r) { add_extension(r, NID_id_pkix_OCSP_Nonce, false, "raw"); }), "crypto.ocsp.form");
  EXPECT_EQ(code([](OCSP_REQUEST* r) {
              add_extension(r, NID_id_pkix_OCSP_Nonce, false,
                            "\x04\x01"
                            "a");
              add_extension(r, NID_id_pkix_OCSP_Nonce, false,
                            "\x04\x01"
                            "b");
            }),
            "crypto.ocsp.form");
}

TEST_F(OcspRequests, DemandNothingThatIsNotKnown) {
  EXPECT_EQ(code([](OCSP_REQUEST* r) {
              add_extension(r, NID_id_pkix_OCSP_Nonce, true,
                            "\x04\x01"
                            "a");
            }),
            "taken");
  EXPECT_EQ(code([](OCSP_REQUEST* r) { add_extension(r, NID_pkcs9_unstructuredName, false, "a"); }), "taken");
  EXPECT_EQ(code([](OCSP_REQUEST* r) { add_extension(r, NID_pkcs9_unstructuredName, true, "a"); }), "crypto.ocsp.form");
  const auto of_one = [](bool critical) {
    return [critical](OCSP_REQUEST* r) {
      const Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> content(ASN1_OCTET_STRING_new());
      const Handle<X509_EXTENSION, X509_EXTENSION_free> extension(
          X509_EXTENSION_create_by_NID(nullptr, NID_id_pkix_OCSP_serviceLocator, critical ? 1 : 0, content.get()));
      EXPECT_EQ(OCSP_ONEREQ_add_ext(OCSP_request_onereq_get0(r, 0), extension.get(), -1), 1);
    };
  };
  EXPECT_EQ(code(of_one(false)), "taken");
  EXPECT_EQ(code(of_one(true)), "crypto.ocsp.form");
}

TEST_F(OcspRequests, NameNobodyByWhatCannotBe) {
  EXPECT_EQ(
      code([&](OCSP_REQUEST* r) { OCSP_request_add0_id(r, native_id(world_.issuer, serial_of("01"), EVP_md5())); }),
      "crypto.ocsp.hash");
  // One byte of the digest less than the hash has; serial numbers that are none.
  const Bytes good = written([](OCSP_REQUEST*) {});
  const auto with = [&](int serial, bool shorter) {
    return code([&](OCSP_REQUEST* r) {
      OCSP_CERTID* id = native_id(world_.issuer, serial_of("01"), EVP_sha1());
      ASN1_OCTET_STRING* name = nullptr;
      ASN1_INTEGER* number = nullptr;
      OCSP_id_get0_info(&name, nullptr, nullptr, &number, id);
      if (shorter) ASN1_STRING_set(name, Bytes(19).data(), 19);
      EXPECT_EQ(ASN1_INTEGER_set(number, serial), 1);
      OCSP_request_add0_id(r, id);
    });
  };
  EXPECT_EQ(with(1, false), "taken");
  EXPECT_EQ(with(1, true), "crypto.ocsp.form");
  EXPECT_EQ(with(0, false), "crypto.ocsp.form");
  EXPECT_EQ(with(-1, false), "crypto.ocsp.form");
}

// Who signs a request, and whether anybody does, says nothing.
TEST_F(OcspRequests, MayBeSignedByAnybody) {
  EXPECT_EQ(code([&](OCSP_REQUEST* r) {
              EXPECT_EQ(OCSP_request_sign(r, world_.responder_certificate.native(), world_.responder_key.native(),
                                          EVP_sha256(), nullptr, 0),
                        1);
            }),
            "taken");
}

}  // namespace
}  // namespace warifu::crypto
