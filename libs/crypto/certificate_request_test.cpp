#include "crypto/certificate_request.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "base/temp_dir.h"
#include "crypto/digest_signature.h"
#include "crypto/ec.h"
#include "crypto/openssl_handle.h"

namespace warifu::crypto {
namespace {

const RequestProfile kAsked = {.common_name = "device-1",
                               .organization = "Warifu",
                               .dns_names = {"device-1.example.org", "*.example.org"},
                               .ip_addresses = {"192.0.2.1", "2001:db8::1"}};

// A request as somebody else may write it, signed by `key` after `change`.
Bytes written(const PrivateKey& key, const std::function<void(X509_REQ*)>& change, const EVP_MD* hash = EVP_sha256()) {
  const RequestHandle request(X509_REQ_new());
  EXPECT_EQ(X509_REQ_set_pubkey(request.get(), key.native()), 1);
  change(request.get());
  EXPECT_GT(X509_REQ_sign(request.get(), key.native(), hash), 0);
  return to_der_bytes<i2d_X509_REQ>(request.get());
}

void add_text(X509_REQ* request, int nid, int type, std::string_view text) {
  const ByteView bytes = as_bytes(text);
  EXPECT_EQ(X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(request), nid, type, bytes.data(),
                                       to_int(bytes.size()), -1, 0),
            1);
}

void add_attribute(X509_REQ* request, int nid, int type, std::string_view content) {
  const ByteView bytes = as_bytes(content);
  EXPECT_EQ(X509_REQ_add1_attr_by_NID(request, nid, type, bytes.data(), to_int(bytes.size())), 1);
}

ASN1_STRING* text(std::string_view content) {
  ASN1_STRING* string = ASN1_UTF8STRING_new();
  ASN1_STRING_set(string, content.data(), to_int(content.size()));
  return string;
}

std::string_view code_of(const Result<CertificateRequest>& request) {
  return request ? std::string_view("taken") : request.error().code;
}

class Requests : public testing::TestWithParam<KeyKind> {};

TEST_P(Requests, AreReadAsTheyWereMade) {
  const PrivateKey key = PrivateKey::generate(GetParam());
  const auto der = make_certificate_request(kAsked, key);
  ASSERT_TRUE(der) << to_string(der.error());
  const auto request = CertificateRequest::from_der(*der);
  ASSERT_TRUE(request) << to_string(request.error());
  EXPECT_EQ(request->names().common_name, "device-1");
  EXPECT_EQ(request->names().organization, "Warifu");
  EXPECT_EQ(request->names().serial_number, "");
  EXPECT_EQ(request->names().dns_names, kAsked.dns_names);
  EXPECT_EQ(request->names().ip_addresses, kAsked.ip_addresses);
  EXPECT_TRUE(request->challenge_password().empty());
  EXPECT_EQ(request->public_key(), key.public_key());
  EXPECT_EQ(request->public_key().spki(), key.public_key().spki());
}

TEST_P(Requests, AreOfNobodyWhoLacksTheKey) {
  const PrivateKey key = PrivateKey::generate(GetParam());
  const PrivateKey other = PrivateKey::generate(GetParam());
  const Bytes stolen = written(other, [&](X509_REQ* request) { X509_REQ_set_pubkey(request, key.native()); });
  EXPECT_EQ(code_of(CertificateRequest::from_der(stolen)), "crypto.request.proof");
  Bytes changed = *make_certificate_request(kAsked, key);
  for (const std::size_t at : {changed.size() - 1, changed.size() / 2}) {
    changed[at] ^= 1;
    EXPECT_FALSE(CertificateRequest::from_der(changed)) << at;
    changed[at] ^= 1;
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Requests, testing::Values(KeyKind::kEcP256, KeyKind::kEcP384, KeyKind::kRsa2048));

TEST(Request, IsSignedByAKeyElsewhere) {
  const PrivateKey key = PrivateKey::generate(KeyKind::kEcP256);
  const auto kept = std::make_shared<Signer>(key);
  const Signer outside = Signer::outside(ec_public_key(key.public_key()).value(),
                                         [kept](const Digest& digest) { return sign_digest(*kept, digest); });
  EXPECT_TRUE(CertificateRequest::from_der(*make_certificate_request(kAsked, outside)));
  const Signer refuses = Signer::outside(ec_public_key(key.public_key()).value(), [](const Digest&) -> Result<Bytes> {
    return Error{ErrorKind::kThrottled, "test.limit", "too many"};
  });
  EXPECT_EQ(make_certificate_request(kAsked, refuses).error().code, "test.limit");
}

TEST(Request, IsNotMadeForWhatCannotStandInIt) {
  const PrivateKey key = PrivateKey::generate(KeyKind::kEcP256);
  for (const RequestProfile& profile :
       {RequestProfile{.common_name = std::string(65, 'x')}, RequestProfile{.common_name = "\xff\xfe"},
        RequestProfile{.common_name = "a", .organization = std::string(65, 'x')},
        RequestProfile{.common_name = "a", .dns_names = {"a b"}},
        RequestProfile{.common_name = "a", .ip_addresses = {"localhost"}}})
    EXPECT_EQ(make_certificate_request(profile, key).error().code, "crypto.request.profile");
}

TEST(Request, IsNothingLessAndNothingMore) {
  const PrivateKey key = PrivateKey::generate(KeyKind::kEcP256);
  Bytes der = *make_certificate_request(kAsked, key);
  for (std::size_t size = 0; size < der.size(); ++size)
    EXPECT_EQ(code_of(CertificateRequest::from_der(ByteView(der).first(size))), "crypto.request.form") << size;
  der.push_back(0);
  EXPECT_EQ(code_of(CertificateRequest::from_der(der)), "crypto.request.form");
  const Bytes large = written(key, [](X509_REQ* request) {
    add_attribute(request, NID_pkcs9_unstructuredName, V_ASN1_UTF8STRING,
                  std::string(CertificateRequest::kMaxSize, 'x'));
  });
  EXPECT_EQ(code_of(CertificateRequest::from_der(large)), "crypto.request.form");
}

TEST(Request, SaysNothingTwice) {
  const PrivateKey key = PrivateKey::generate(KeyKind::kEcP256);
  const auto twice = [](auto add) { return [=](X509_REQ* request) { add(request), add(request); }; };
  const std::function<void(X509_REQ*)> lies[] = {
      twice([](X509_REQ* r) { add_text(r, NID_commonName, MBSTRING_UTF8, "a"); }),
      twice([](X509_REQ* r) { add_text(r, NID_serialNumber, MBSTRING_UTF8, "1"); }),
      [](X509_REQ* r) { add_text(r, NID_commonName, V_ASN1_UTF8STRING, std::string_view("a\0b", 3)); },
      [](X509_REQ* r) { add_attribute(r, NID_ext_req, V_ASN1_SEQUENCE, std::string_view("\x30\x02\x30\x00", 4)); },
      [](X509_REQ* r) { add_attribute(r, NID_ext_req, V_ASN1_UTF8STRING, "none"); },
      [](X509_REQ* r) {
        X509_ATTRIBUTE* two_values = X509_ATTRIBUTE_create(NID_pkcs9_challengePassword, V_ASN1_UTF8STRING, text("a"));
        X509_ATTRIBUTE_set1_data(two_values, V_ASN1_UTF8STRING, "b", 1);
        X509_REQ_add1_attr(r, two_values);
        X509_ATTRIBUTE_free(two_values);
      },
      [](X509_REQ* r) { add_attribute(r, NID_pkcs9_challengePassword, V_ASN1_OCTET_STRING, "a"); },
  };
  for (const auto& lie : lies)
    EXPECT_EQ(code_of(CertificateRequest::from_der(written(key, lie))), "crypto.request.form") << &lie - lies;
}

// OpenSSL adds no attribute twice, so another one is renamed.
TEST(Request, HasNoAttributeTwice) {
  const PrivateKey key = PrivateKey::generate(KeyKind::kEcP256);
  const auto renamed = [&](int first, int second) {
    Bytes der = written(key, [&](X509_REQ* r) {
      add_attribute(r, first, V_ASN1_SEQUENCE, std::string_view("\x30\x00", 2));
      add_attribute(r, second, V_ASN1_SEQUENCE, std::string_view("\x30\x00", 2));
    });
    const auto oid = [](int nid) {
      const ASN1_OBJECT* object = OBJ_nid2obj(nid);
      return ByteView(OBJ_get0_data(object), OBJ_length(object));
    };
    const auto at = std::ranges::search(der, oid(second));
    EXPECT_EQ(at.size(), oid(first).size());
    std::ranges::copy(oid(first), at.begin());
    const std::uint8_t* position = der.data();
    const RequestHandle request(d2i_X509_REQ(nullptr, &position, static_cast<long>(der.size())));
    EXPECT_GT(X509_REQ_sign(request.get(), key.native(), EVP_sha256()), 0);
    return code_of(CertificateRequest::from_der(to_der_bytes<i2d_X509_REQ>(request.get())));
  };
  EXPECT_EQ(renamed(NID_pkcs9_challengePassword, NID_pkcs9_unstructuredName), "crypto.request.form");
  EXPECT_EQ(renamed(NID_ext_req, NID_pkcs9_unstructuredName), "crypto.request.form");
  EXPECT_EQ(renamed(NID_pkcs9_contentType, NID_pkcs9_unstructuredName), "taken");
}

// subjectAltName in an extensionRequest, its value as given.
Bytes asking_for(const PrivateKey& key, std::string_view names_der, int times = 1) {
  return written(key, [&](X509_REQ* request) {
    STACK_OF(X509_EXTENSION)* extensions = sk_X509_EXTENSION_new_null();
    const Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> value(ASN1_OCTET_STRING_new());
    ASN1_OCTET_STRING_set(value.get(), as_bytes(names_der).data(), to_int(names_der.size()));
    for (int i = 0; i < times; ++i)
      sk_X509_EXTENSION_push(extensions, X509_EXTENSION_create_by_NID(nullptr, NID_subject_alt_name, 0, value.get()));
    EXPECT_EQ(X509_REQ_add_extensions(request, extensions), 1);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  });
}

TEST(Request, AsksForNamesThatAreNames) {
  const PrivateKey key = PrivateKey::generate(KeyKind::kEcP256);
  const auto code = [&](std::string_view der, int times = 1) {
    return code_of(CertificateRequest::from_der(asking_for(key, der, times)));
  };
  EXPECT_EQ(code("\x30\x03\x82\x01"
                 "a"),
            "taken");
  EXPECT_EQ(code("\x30\x03\x82\x01"
                 "a",
                 2),
            "crypto.request.form");
  EXPECT_EQ(code({"\x30\x05\x82\x03"
                  "a\0b",
                  7}),
            "crypto.request.form");
  EXPECT_EQ(code({"\x30\x02\x82\x00", 4}), "crypto.request.form");
  EXPECT_EQ(code("\x30\x03\x87\x01"
                 "a"),
            "crypto.request.form");
  EXPECT_EQ(code("\x30\x05\x82\x01"
                 "a"),
            "crypto.request.form");
  const auto many = [&](int count) {
    std::string names = {'\x30', static_cast<char>(3 * count)};
    for (int i = 0; i < count; ++i)
      names += "\x82\x01z";
    return code(names);
  };
  EXPECT_EQ(many(32), "taken");
  EXPECT_EQ(many(33), "crypto.request.form");
  // A name of another type (a mail address) is passed over.
  EXPECT_EQ(code("\x30\x03\x81\x01"
                 "a"),
            "taken");
}

TEST(Request, IsSignedOverAHashThatStillHolds) {
  const PrivateKey key = PrivateKey::generate(KeyKind::kEcP256);
  const auto with = [&](const EVP_MD* hash) {
    return code_of(CertificateRequest::from_der(written(
        key, [](X509_REQ*) {}, hash)));
  };
  EXPECT_EQ(with(EVP_sha1()), "crypto.request.weak");
  EXPECT_EQ(with(EVP_sha224()), "crypto.request.weak");
  EXPECT_EQ(with(EVP_sha384()), "taken");
  EXPECT_EQ(with(EVP_sha512()), "taken");
}

TEST(Request, IsForAKeyThatIsWrittenInTheOneWay) {
  PrivateKey key = PrivateKey::generate(KeyKind::kEcP256);
  ASSERT_EQ(EVP_PKEY_set_utf8_string_param(key.native(), "point-format", "compressed"), 1);
  EXPECT_EQ(code_of(CertificateRequest::from_der(written(key, [](X509_REQ*) {}))), "crypto.request.key");
  key = PrivateKey::generate(KeyKind::kEcP256);
  ASSERT_EQ(EVP_PKEY_set_utf8_string_param(key.native(), "encoding", "explicit"), 1);
  EXPECT_EQ(code_of(CertificateRequest::from_der(written(key, [](X509_REQ*) {}))), "crypto.request.key");
}

// The same numbers behind another length: OpenSSL reads them, and whoever compares bytes does not find the key.
TEST(Request, IsForAKeyInDerAndNotInBer) {
  const PrivateKey key = PrivateKey::generate(KeyKind::kRsa2048);
  const Bytes request = written(key, [](X509_REQ* r) {
    X509_PUBKEY* spki = X509_REQ_get_X509_PUBKEY(r);
    const unsigned char* numbers = nullptr;
    int size = 0;
    ASSERT_EQ(X509_PUBKEY_get0_param(nullptr, &numbers, &size, nullptr, spki), 1);
    ASSERT_TRUE(numbers[0] == 0x30 && numbers[1] == 0x82);
    auto* longer = static_cast<unsigned char*>(OPENSSL_malloc(static_cast<std::size_t>(size) + 1));
    longer[0] = 0x30, longer[1] = 0x83, longer[2] = 0;
    std::copy(numbers + 2, numbers + size, longer + 3);
    ASSERT_EQ(X509_PUBKEY_set0_param(spki, OBJ_nid2obj(NID_rsaEncryption), V_ASN1_NULL, nullptr, longer, size + 1), 1);
  });
  EXPECT_EQ(code_of(CertificateRequest::from_der(request)), "crypto.request.key");
}

TEST(Request, IsForAKeyOfAKindThatIsTaken) {
  for (EVP_PKEY* generated :
       {EVP_EC_gen("P-521"), EVP_RSA_gen(1024u), EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")}) {
    const PkeyHandle key(generated);
    const RequestHandle request(X509_REQ_new());
    ASSERT_EQ(X509_REQ_set_pubkey(request.get(), key.get()), 1);
    ASSERT_GT(
        X509_REQ_sign(request.get(), key.get(), EVP_PKEY_is_a(key.get(), "ED25519") == 1 ? nullptr : EVP_sha256()), 0);
    EXPECT_EQ(code_of(CertificateRequest::from_der(to_der_bytes<i2d_X509_REQ>(request.get()))), "crypto.key.kind");
  }
}

// Whoever can write a modulus can sign with an exponent of 1.
TEST(Request, IsForNoKeyThatEverybodyHas) {
  const PkeyHandle key([] {
    const Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
    const BignumHandle three(BN_new());
    BN_set_word(three.get(), 3);
    EVP_PKEY* made = nullptr;
    EXPECT_TRUE(EVP_PKEY_keygen_init(context.get()) == 1 &&
                EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), three.get()) == 1 &&
                EVP_PKEY_keygen(context.get(), &made) == 1);
    return made;
  }());
  const RequestHandle request(X509_REQ_new());
  ASSERT_EQ(X509_REQ_set_pubkey(request.get(), key.get()), 1);
  ASSERT_GT(X509_REQ_sign(request.get(), key.get(), EVP_sha256()), 0);
  EXPECT_EQ(code_of(CertificateRequest::from_der(to_der_bytes<i2d_X509_REQ>(request.get()))), "crypto.request.key");
}

TEST(Request, ComesAsText) {
  const PrivateKey key = PrivateKey::generate(KeyKind::kEcP256);
  const Bytes der = *make_certificate_request(kAsked, key);
  const std::string one_line = to_base64(der);
  std::string lines;
  for (std::size_t at = 0; at < one_line.size(); at += 64)
    lines += one_line.substr(at, 64) + "\r\n";
  const auto armoured = [&](const std::string& label) {
    return "-----BEGIN " + label + "-----\n" + lines + "-----END " + label + "-----\n";
  };
  for (const std::string& text :
       {one_line, lines, armoured("CERTIFICATE REQUEST"), armoured("NEW CERTIFICATE REQUEST")})
    EXPECT_EQ(code_of(CertificateRequest::from_text(text)), "taken") << text;
  for (const std::string& text :
       {std::string(), one_line + "!", one_line.substr(1), one_line + one_line,
        lines + "-----END CERTIFICATE REQUEST-----", armoured("CERTIFICATE"),
        armoured("CERTIFICATE REQUEST") + armoured("CERTIFICATE REQUEST"), std::string(as_text(der)),
        one_line + std::string(2 * CertificateRequest::kMaxSize, '\n')})
    EXPECT_EQ(code_of(CertificateRequest::from_text(text)), "crypto.request.form") << text;
}

// What devices have: openssl's own program asks, and reads what we ask.
TEST(Request, IsUnderstoodByOpensslReqAndUnderstandsIt) {
  const TempDir folder;
  const std::filesystem::path& directory = folder.path();
  const auto run = [&](const std::string& options) {
    const std::string command = "cd " + directory.string() + " && openssl req " + options + " >out 2>&1";
    return std::system(command.c_str()) == 0;  // NOLINT(cert-env33-c): a test, and no input of others in it
  };
  const PrivateKey key = PrivateKey::generate(KeyKind::kEcP256);
  std::ofstream(directory / "ours.der") << as_text(*make_certificate_request(kAsked, key));
  EXPECT_TRUE(run("-inform DER -in ours.der -verify -noout -config /dev/null"));

  std::ofstream(directory / "req.cnf") << "[req]\nprompt=no\ndistinguished_name=dn\nattributes=at\nreq_extensions=ex\n"
                                          "[dn]\nCN=device-1\nserialNumber=0815\n[at]\nchallengePassword=s3cret\n"
                                          "[ex]\nsubjectAltName=DNS:a.example.org,IP:192.0.2.7\n";
  ASSERT_TRUE(
      run("-new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -config req.cnf -out theirs.pem"));
  std::ifstream file(directory / "theirs.pem");
  const std::string pem(std::istreambuf_iterator<char>(file), {});
  const auto request = CertificateRequest::from_text(pem);
  ASSERT_TRUE(request) << to_string(request.error());
  EXPECT_EQ(request->names().common_name, "device-1");
  EXPECT_EQ(request->names().serial_number, "0815");
  EXPECT_EQ(as_text(request->challenge_password().reveal()), "s3cret");
  EXPECT_EQ(request->names().dns_names, std::vector<std::string>{"a.example.org"});
  EXPECT_EQ(request->names().ip_addresses, std::vector<std::string>{"192.0.2.7"});
}

}  // namespace
}  // namespace warifu::crypto
