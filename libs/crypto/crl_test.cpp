#include "crypto/crl.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/temp_dir.h"
#include "crypto/digest_signature.h"
#include "crypto/openssl_handle.h"
#include "crypto/system_entropy.h"

namespace warifu::crypto {
namespace {

using ListHandle = Handle<X509_CRL, X509_CRL_free>;
using std::chrono::hours;

// 2026-01-01T00:00:00Z
constexpr Timestamp kNow = Timestamp(std::chrono::seconds(1767225600));
constexpr Timestamp kIn2050 = Timestamp(std::chrono::sys_days{std::chrono::year{2050} / 1 / 1});

struct Issuer {
  explicit Issuer(KeyKind kind, bool is_ca = true)
      : key(PrivateKey::generate(kind)),
        certificate(*issue_certificate({.common_name = "Warifu CA",
                                        .organization = "Warifu",
                                        .not_before = kNow,
                                        .not_after = kForLife,
                                        .is_ca = is_ca},
                                       key.public_key(), nullptr, key, entropy)) {}

  SystemEntropy entropy;
  PrivateKey key;
  Certificate certificate;
};

SerialNumber serial(std::string_view hex) {
  return *SerialNumber::from_bytes(*from_hex(hex));
}

std::vector<RevokedCertificate> some() {
  return {{serial("01"), kNow},
          {serial("80"), kNow + hours(1), RevocationReason::kKeyCompromise},
          {serial("ff00112233445566778899aabbccddeeff0011"), kIn2050 - std::chrono::microseconds(1),
           RevocationReason::kSuperseded},
          {serial("7f00112233445566778899aabbccddeeff001122"), kIn2050, RevocationReason::kCertificateHold},
          {serial("40"), kForLife, RevocationReason::kAaCompromise}};
}

ListHandle parsed(const Result<Bytes>& der) {
  EXPECT_TRUE(der) << to_string(der.error());
  const std::uint8_t* end = der->data();
  ListHandle list(d2i_X509_CRL(nullptr, &end, static_cast<long>(der->size())));
  EXPECT_EQ(end, der->data() + der->size());
  return list;
}

Timestamp time_of(const ASN1_TIME* time) {
  std::tm parts{};
  EXPECT_EQ(ASN1_TIME_to_tm(time, &parts), 1);
  return Timestamp(std::chrono::seconds(timegm(&parts)));
}

class Crls : public testing::TestWithParam<KeyKind> {};

TEST_P(Crls, SayWhatTheyWereGiven) {
  const Issuer issuer(GetParam());
  const auto entries = some();
  const auto der = make_crl(issuer.certificate, 0x8000000000000001, kNow, kNow + hours(24), entries, issuer.key);
  const auto list = parsed(der);
  ASSERT_NE(list, nullptr);
  EXPECT_EQ(X509_CRL_verify(list.get(), issuer.key.native()), 1);
  EXPECT_EQ(X509_CRL_get_version(list.get()), X509_CRL_VERSION_2);
  EXPECT_EQ(X509_NAME_cmp(X509_CRL_get_issuer(list.get()), X509_get_subject_name(issuer.certificate.native())), 0);
  EXPECT_EQ(time_of(X509_CRL_get0_lastUpdate(list.get())), kNow);
  EXPECT_EQ(time_of(X509_CRL_get0_nextUpdate(list.get())), kNow + hours(24));
  const Handle<ASN1_INTEGER, ASN1_INTEGER_free> number(
      static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(list.get(), NID_crl_number, nullptr, nullptr)));
  std::uint64_t value = 0;
  EXPECT_TRUE(number && ASN1_INTEGER_get_uint64(&value, number.get()) == 1);
  EXPECT_EQ(value, 0x8000000000000001);
  const Handle<AUTHORITY_KEYID, AUTHORITY_KEYID_free> key(
      static_cast<AUTHORITY_KEYID*>(X509_CRL_get_ext_d2i(list.get(), NID_authority_key_identifier, nullptr, nullptr)));
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(ASN1_OCTET_STRING_cmp(key->keyid, X509_get0_subject_key_id(issuer.certificate.native())), 0);

  STACK_OF(X509_REVOKED)* revoked = X509_CRL_get_REVOKED(list.get());
  ASSERT_EQ(sk_X509_REVOKED_num(revoked), static_cast<int>(entries.size()));
  for (const RevokedCertificate& entry : entries) {
    const Handle<ASN1_INTEGER, ASN1_INTEGER_free> wanted(
        BN_to_ASN1_INTEGER(to_bignum(entry.serial.bytes()).get(), nullptr));
    X509_REVOKED* found = nullptr;
    ASSERT_EQ(X509_CRL_get0_by_serial(list.get(), &found, wanted.get()), 1) << to_hex(entry.serial.bytes());
    EXPECT_EQ(time_of(X509_REVOKED_get0_revocationDate(found)),
              std::chrono::floor<std::chrono::seconds>(entry.revoked_at));
    const Handle<ASN1_ENUMERATED, ASN1_ENUMERATED_free> reason(
        static_cast<ASN1_ENUMERATED*>(X509_REVOKED_get_ext_d2i(found, NID_crl_reason, nullptr, nullptr)));
    EXPECT_EQ(reason ? ASN1_ENUMERATED_get(reason.get()) : 0, static_cast<long>(entry.reason));
    EXPECT_EQ(reason == nullptr, entry.reason == RevocationReason::kUnspecified);
  }
  // DER has one way: OpenSSL writes the same.
  X509_CRL_get0_extensions(list.get());
  const ListHandle copy(X509_CRL_dup(list.get()));
  EXPECT_GT(i2d_re_X509_CRL_tbs(copy.get(), nullptr), 0);
  EXPECT_EQ(to_der_bytes<i2d_X509_CRL>(copy.get()), *der);
}

TEST_P(Crls, MayBeEmpty) {
  const Issuer issuer(GetParam());
  const auto list = parsed(make_crl(issuer.certificate, 0, kNow, kIn2050 + hours(1), {}, issuer.key));
  ASSERT_NE(list, nullptr);
  EXPECT_EQ(X509_CRL_verify(list.get(), issuer.key.native()), 1);
  EXPECT_EQ(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(list.get())), -1);
  EXPECT_EQ(time_of(X509_CRL_get0_nextUpdate(list.get())), kIn2050 + hours(1));
}

// What a signer in another process does: it sees the entries in parts of any size, and never all of them.
TEST_P(Crls, AreTheSameBytesOnBothSides) {
  Issuer issuer(GetParam());
  std::vector<RevokedCertificate> entries;
  while (entries.size() < 3000)
    entries.push_back({SerialNumber::random(issuer.entropy), kNow, RevocationReason::kKeyCompromise});
  CrlShape shape{.number = 7, .this_update = kNow, .next_update = kNow + hours(1), .size = {}};
  shape.size.add(entries);
  const auto fed = [&](auto stream, std::size_t piece) {
    for (std::size_t at = 0; at < entries.size(); at += piece)
      EXPECT_TRUE(stream.add(std::span(entries).subspan(at, std::min(piece, entries.size() - at))));
    return stream;
  };
  const Digest digest = *fed(*CrlDigest::begin(issuer.certificate, shape), 7).finish();
  EXPECT_EQ(digest, *fed(*CrlDigest::begin(issuer.certificate, shape), 3000).finish());
  const auto signature = sign_digest(issuer.key, digest);
  ASSERT_TRUE(signature) << to_string(signature.error());
  const auto list = parsed(fed(*CrlWriter::begin(issuer.certificate, shape), 999).finish(*signature));
  EXPECT_EQ(X509_CRL_verify(list.get(), issuer.key.native()), 1);

  // Another order is another list.
  std::swap(entries.front(), entries.back());
  EXPECT_EQ(fed(*CrlWriter::begin(issuer.certificate, shape), 999).finish(*signature).error().code, "crypto.signature");
}

INSTANTIATE_TEST_SUITE_P(Kinds, Crls, testing::Values(KeyKind::kEcP256, KeyKind::kEcP384, KeyKind::kRsa2048));

// The same CA with another keyUsage and basicConstraints, as somebody else may have made it.
Certificate remade(const Issuer& issuer, std::initializer_list<int> usage_bits, bool is_ca) {
  const Handle<X509, X509_free> copy(X509_dup(issuer.certificate.native()));
  for (const int nid : {NID_key_usage, NID_basic_constraints})
    X509_EXTENSION_free(X509_delete_ext(copy.get(), X509_get_ext_by_NID(copy.get(), nid, -1)));
  const Handle<ASN1_BIT_STRING, ASN1_BIT_STRING_free> usage(ASN1_BIT_STRING_new());
  for (const int bit : usage_bits)
    EXPECT_EQ(ASN1_BIT_STRING_set_bit(usage.get(), bit, 1), 1);
  EXPECT_EQ(X509_add1_ext_i2d(copy.get(), NID_key_usage, usage.get(), 1, 0), 1);
  const Handle<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free> constraints(BASIC_CONSTRAINTS_new());
  constraints->ca = is_ca ? 0xff : 0;
  EXPECT_EQ(X509_add1_ext_i2d(copy.get(), NID_basic_constraints, constraints.get(), 1, 0), 1);
  EXPECT_GT(X509_sign(copy.get(), issuer.key.native(), EVP_sha256()), 0);
  return *Certificate::from_der(to_der_bytes<i2d_X509>(copy.get()));
}

TEST(Crl, IsOfNobodyWhoMayNotSignIt) {
  const Issuer issuer(KeyKind::kEcP256);
  const Issuer other(KeyKind::kEcP256);
  const Issuer leaf(KeyKind::kEcP256, false);
  const auto code = [](const Issuer& of, const Issuer& by) {
    return make_crl(of.certificate, 1, kNow, kNow + hours(1), some(), by.key).error().code;
  };
  EXPECT_EQ(code(issuer, other), "crypto.signature");
  EXPECT_EQ(code(leaf, leaf), "crypto.crl.issuer");
  constexpr int kKeyCertSign = 5;
  constexpr int kCrlSign = 6;
  const auto remade_code = [&](std::initializer_list<int> usage_bits, bool is_ca) -> std::string_view {
    const auto made = make_crl(remade(issuer, usage_bits, is_ca), 1, kNow, kNow + hours(1), some(), issuer.key);
    return made ? "made" : made.error().code;
  };
  EXPECT_EQ(remade_code({kKeyCertSign, kCrlSign}, true), "made");
  EXPECT_EQ(remade_code({kKeyCertSign}, true), "crypto.crl.issuer");
  EXPECT_EQ(remade_code({kKeyCertSign, kCrlSign}, false), "crypto.crl.issuer");
}

TEST(Crl, HasTheShapeThatWasSaid) {
  const Issuer issuer(KeyKind::kEcP256);
  const auto entries = some();
  CrlShape good{.number = 1, .this_update = kNow, .next_update = kNow + hours(1), .size = {}};
  good.size.add(entries);
  const auto code = [&](const CrlShape& shape, std::span<const RevokedCertificate> given) -> std::string_view {
    auto stream = CrlDigest::begin(issuer.certificate, shape);
    auto writer = CrlWriter::begin(issuer.certificate, shape);
    EXPECT_EQ(stream.has_value(), writer.has_value());
    if (!stream) return stream.error().code;
    const Status added = stream->add(given);
    EXPECT_EQ(added.has_value(), writer->add(given).has_value());
    if (!added) return added.error().code;
    const auto digest = stream->finish();
    if (digest) return "taken";
    EXPECT_EQ(writer->finish({}).error().code, digest.error().code);
    return digest.error().code;
  };
  EXPECT_EQ(code(good, entries), "taken");
  EXPECT_EQ(code(good, std::span(entries).first(4)), "crypto.crl.shape");
  auto more = entries;
  more.push_back(entries[0]);
  EXPECT_EQ(code(good, more), "crypto.crl.shape");
  // As many, but shorter.
  auto shorter = entries;
  shorter.back().revoked_at = kNow;
  EXPECT_EQ(code(good, shorter), "crypto.crl.shape");
  // Not one more than was said goes into the hash.
  EXPECT_FALSE(CrlDigest::begin(issuer.certificate, good)->add(more));
  // As many bytes, but fewer or more.
  const std::vector<RevokedCertificate> two = {{serial("01"), kNow}, {serial("01"), kNow}};
  const std::vector<RevokedCertificate> one = {{serial("01020304050607"), kNow, RevocationReason::kSuperseded}};
  for (const auto& [given, other] : {std::pair(&two, &one), std::pair(&one, &two)}) {
    CrlShape same_bytes = good;
    same_bytes.size = {};
    same_bytes.size.add(*given);
    EXPECT_EQ(same_bytes.size.bytes, 40u);
    EXPECT_EQ(code(same_bytes, *given), "taken");
    EXPECT_EQ(code(same_bytes, *other), "crypto.crl.shape");
  }
  EXPECT_FALSE(CrlDigest::begin(issuer.certificate, CrlShape{1, kNow, kNow + hours(1), {1, 40}})->add(two));
}

TEST(Crl, IsNotBegunInAShapeThatCannotBe) {
  const Issuer issuer(KeyKind::kEcP256);
  const CrlShape good{.number = 1, .this_update = kNow, .next_update = kNow + hours(1), .size = {2, 40}};
  EXPECT_TRUE(CrlDigest::begin(issuer.certificate, good));
  for (auto change : std::initializer_list<void (*)(CrlShape&)>{
           [](CrlShape& s) { s.next_update = s.this_update + std::chrono::milliseconds(999); },
           [](CrlShape& s) { s.this_update = Timestamp(std::chrono::seconds(-1)); },
           [](CrlShape& s) { s.next_update = kForLife + std::chrono::seconds(1); },
           [](CrlShape& s) { s.size.bytes = kMaxCrlBytes + 1; },
           [](CrlShape& s) { s.size = {.entries = 0, .bytes = 1}; },
           [](CrlShape& s) { s.size = {.entries = 1, .bytes = 0}; },
           [](CrlShape& s) { s.size = {.entries = 100, .bytes = 99}; }}) {
    CrlShape bad = good;
    change(bad);
    const auto begun = CrlDigest::begin(issuer.certificate, bad);
    EXPECT_EQ(begun ? "begun" : begun.error().code, "crypto.crl.shape");
    EXPECT_FALSE(CrlWriter::begin(issuer.certificate, bad));
  }
}

TEST(Crl, HasNoEntryThatCannotBe) {
  const Issuer issuer(KeyKind::kEcP256);
  for (const RevokedCertificate& entry :
       std::initializer_list<RevokedCertificate>{{serial("01"), Timestamp(std::chrono::seconds(-1))},
                                                 {serial("01"), kForLife + std::chrono::seconds(1)},
                                                 {serial("01"), kNow, RevocationReason::kRemoveFromCrl},
                                                 {serial("01"), kNow, static_cast<RevocationReason>(7)},
                                                 {serial("01"), kNow, static_cast<RevocationReason>(11)}}) {
    EXPECT_EQ(make_crl(issuer.certificate, 1, kNow, kNow + hours(1), std::span(&entry, 1), issuer.key).error().code,
              "crypto.crl.shape");
  }
}

TEST(Crl, IsTakenByOpenssl) {
  Issuer issuer(KeyKind::kEcP384);
  const TempDir folder;
  const std::filesystem::path& directory = folder.path();
  const auto run = [&](const std::string& line) {
    const std::string command = "cd " + directory.string() + " && (" + line + ") >out 2>&1";
    return std::system(command.c_str()) == 0;  // NOLINT(cert-env33-c): a test, and no input of others in it
  };
  const auto leaf = [&](std::string_view number) {
    const PrivateKey key = PrivateKey::generate(KeyKind::kEcP256);
    return issue_certificate(
               {.common_name = "leaf", .not_before = kNow, .not_after = kForLife, .serial = serial(number)},
               key.public_key(), &issuer.certificate, issuer.key, issuer.entropy)
        ->to_pem();
  };
  std::ofstream(directory / "ca.pem") << issuer.certificate.to_pem();
  std::ofstream(directory / "revoked.pem") << leaf("80");
  std::ofstream(directory / "good.pem") << leaf("81");
  std::ofstream(directory / "list.crl") << as_text(
      *make_crl(issuer.certificate, 1, kNow, kNow + hours(24), some(), issuer.key));
  ASSERT_TRUE(run("openssl crl -inform DER -in list.crl -CAfile ca.pem -verify -noout"));
  ASSERT_TRUE(run("openssl crl -inform DER -in list.crl -out list.pem"));
  const std::string verify = "openssl verify -x509_strict -crl_check -CAfile ca.pem -CRLfile list.pem -attime ";
  EXPECT_TRUE(run(verify + "1767229200 good.pem"));
  EXPECT_FALSE(run(verify + "1767229200 revoked.pem"));
  EXPECT_TRUE(
      run("openssl verify -crl_check -CAfile ca.pem -CRLfile list.pem -attime 1767229200 revoked.pem; grep -q "
          "'certificate revoked' out"));
  EXPECT_FALSE(run(verify + "1767315600 good.pem"));
  const Issuer other(KeyKind::kEcP384);
  std::ofstream(directory / "ca.pem") << other.certificate.to_pem();
  EXPECT_TRUE(run("openssl crl -inform DER -in list.crl -CAfile ca.pem -verify -noout; ! grep -q 'verify OK' out"));
}

}  // namespace
}  // namespace warifu::crypto
