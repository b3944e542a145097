#include "crypto/issuer_key.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <vector>

#include "crypto/openssl_handle.h"
#include "crypto/private_key.h"
#include "crypto/rsa.h"

namespace warifu::crypto {
namespace {

// A policy of the system by which no signature can be verified. Tests of this process come after it.
class ForbiddenByPolicy {
 public:
  ForbiddenByPolicy() { EXPECT_EQ(EVP_set_default_properties(nullptr, "provider=none"), 1); }
  ~ForbiddenByPolicy() { EXPECT_EQ(EVP_set_default_properties(nullptr, ""), 1); }
  ForbiddenByPolicy(const ForbiddenByPolicy&) = delete;
  ForbiddenByPolicy& operator=(const ForbiddenByPolicy&) = delete;
};

TEST(IssuerKey, WhatOpenSslsPolicyForbidsDoesNotHold) {
  const PrivateKey key = PrivateKey::generate(KeyKind::kRsa2048);
  const IssuerKey issuer = IssuerKey::from_rsa(rsa_public_key(key).value().modulus(), Bytes{1, 0, 1}).value();
  const Bytes message = {1, 2, 3};
  const Bytes signature = key.sign(message);
  const IssuerSignature how;  // PKCS #1 with SHA-256
  EXPECT_TRUE(issuer.verifies(how, message, signature));
  {
    const ForbiddenByPolicy policy;
    EXPECT_FALSE(issuer.verifies(how, message, signature));
    EXPECT_EQ(ERR_peek_error(), 0U) << "it would be blamed on what comes next";
  }
  EXPECT_TRUE(issuer.verifies(how, message, signature));
}

using Scheme = IssuerSignature::Scheme;

const EVP_MD* md_of(HashAlgorithm hash) {
  return hash == HashAlgorithm::kSha1     ? EVP_sha1()
         : hash == HashAlgorithm::kSha256 ? EVP_sha256()
         : hash == HashAlgorithm::kSha384 ? EVP_sha384()
                                          : EVP_sha512();
}

Bytes sign(EVP_PKEY* key, const IssuerSignature& how, ByteView message, const EVP_MD* mgf1 = nullptr) {
  const MdCtxHandle context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;
  EXPECT_EQ(EVP_DigestSignInit(context.get(), &parameters, md_of(how.hash), nullptr, key), 1);
  if (how.scheme == Scheme::kRsaPss) {
    EXPECT_EQ(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING), 1);
    EXPECT_EQ(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, static_cast<int>(how.salt_size)), 1);
    if (mgf1 != nullptr) {
      EXPECT_EQ(EVP_PKEY_CTX_set_rsa_mgf1_md(parameters, mgf1), 1);
    }
  }
  std::size_t size = 1024;
  Bytes signature(size);
  EXPECT_EQ(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()), 1);
  signature.resize(size);
  return signature;
}

const Bytes kMessage = {'t', 'b', 's'};

// Every accepted signature has its refused twins: each other way to have signed, another message, each bit.
void expect_only(const IssuerKey& issuer, const IssuerSignature& how, const Bytes& signature,
                 const std::vector<IssuerSignature>& others) {
  EXPECT_TRUE(issuer.verifies(how, kMessage, signature));
  for (const IssuerSignature& other : others)
    EXPECT_FALSE(issuer.verifies(other, kMessage, signature));
  EXPECT_FALSE(issuer.verifies(how, Bytes{'t', 'b'}, signature));
  EXPECT_FALSE(issuer.verifies(how, kMessage, ByteView(signature).first(signature.size() - 1)));
  EXPECT_FALSE(issuer.verifies(how, kMessage, {}));
  for (std::size_t i = 0; i < signature.size(); i += 7) {
    Bytes changed = signature;
    changed[i] ^= 1;
    EXPECT_FALSE(issuer.verifies(how, kMessage, changed)) << i;
  }
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(IssuerKey, VerifiesRsaSignaturesOfTheirSchemeHashAndSaltOnly) {
  const PrivateKey key = PrivateKey::generate(KeyKind::kRsa2048);
  const IssuerKey issuer = IssuerKey::from_rsa(rsa_public_key(key).value().modulus(), Bytes{1, 0, 1}).value();
  const IssuerSignature pkcs1{Scheme::kRsaPkcs1, HashAlgorithm::kSha256, 0};
  const IssuerSignature pss20{Scheme::kRsaPss, HashAlgorithm::kSha256, 20};
  const IssuerSignature pss32{Scheme::kRsaPss, HashAlgorithm::kSha256, 32};
  const IssuerSignature pss384{Scheme::kRsaPss, HashAlgorithm::kSha384, 48};
  const IssuerSignature ecdsa{Scheme::kEcdsa, HashAlgorithm::kSha256, 0};
  expect_only(issuer, pkcs1, sign(key.native(), pkcs1, kMessage),
              {pss20, pss32, ecdsa, {Scheme::kRsaPkcs1, HashAlgorithm::kSha384, 0}});
  expect_only(issuer, pss20, sign(key.native(), pss20, kMessage), {pkcs1, pss32, pss384, ecdsa});
  expect_only(issuer, pss32, sign(key.native(), pss32, kMessage),
              {pkcs1, pss20, pss384, {Scheme::kRsaPss, HashAlgorithm::kSha256, 4096}});
  expect_only(issuer, pss384, sign(key.native(), pss384, kMessage), {pkcs1, pss20, pss32});
  EXPECT_FALSE(issuer.verifies(pss32, kMessage, sign(key.native(), pss32, kMessage, EVP_sha1())))
      << "MGF1 of another hash";
  EXPECT_FALSE(
      issuer.verifies({Scheme::kRsaPkcs1, HashAlgorithm::kSm3, 0}, kMessage, sign(key.native(), pkcs1, kMessage)));
}

TEST(IssuerKey, VerifiesEcdsaOnEachCurve) {
  const IssuerSignature ecdsa{Scheme::kEcdsa, HashAlgorithm::kSha384, 0};
  const std::pair<NamedCurve, const char*> curves[] = {
      {NamedCurve::kP256, "P-256"}, {NamedCurve::kP384, "P-384"}, {NamedCurve::kP521, "P-521"}};
  for (const auto& [curve, name] : curves) {
    const PkeyHandle key(EVP_EC_gen(name));
    ASSERT_TRUE(key) << name;
    unsigned char* encoded = nullptr;
    const std::size_t size = EVP_PKEY_get1_encoded_public_key(key.get(), &encoded);
    Bytes point(encoded, encoded + size);
    OPENSSL_free(encoded);
    const IssuerKey issuer = IssuerKey::from_point(curve, point).value();
    expect_only(issuer, ecdsa, sign(key.get(), ecdsa, kMessage),
                {{Scheme::kEcdsa, HashAlgorithm::kSha256, 0},
                 {Scheme::kRsaPkcs1, HashAlgorithm::kSha384, 0},
                 {Scheme::kRsaPss, HashAlgorithm::kSha384, 48}});

    point.back() ^= 1;
    EXPECT_EQ(IssuerKey::from_point(curve, point).error().code, "crypto.issuer-key") << name;
    point.back() ^= 1;
    EXPECT_FALSE(IssuerKey::from_point(curve, ByteView(point).first(point.size() - 1))) << name;
    point.front() = 0x02;
    EXPECT_FALSE(IssuerKey::from_point(curve, ByteView(point).first(1 + point.size() / 2))) << name << ", compressed";
    EXPECT_FALSE(IssuerKey::from_point(curve, {}));
  }
}

TEST(IssuerKey, TakesRsaNumbersOfItsSizesOnly) {
  const auto number = [](std::size_t bits) {
    Bytes bytes((bits + 7) / 8, 0xFF);
    bytes.front() = static_cast<std::uint8_t>(0xFF >> (8 * bytes.size() - bits));
    return bytes;
  };
  const Bytes exponent = {1, 0, 1};
  for (const std::size_t bits : {2048U, 2049U, 4096U, 8192U})
    EXPECT_TRUE(IssuerKey::from_rsa(number(bits), exponent)) << bits;
  for (const std::size_t bits : {1024U, 2047U, 8193U})
    EXPECT_EQ(IssuerKey::from_rsa(number(bits), exponent).error().code, "crypto.issuer-key") << bits;
  Bytes even = number(2048);
  even.back() = 0xFE;
  EXPECT_FALSE(IssuerKey::from_rsa(even, exponent));
  EXPECT_FALSE(IssuerKey::from_rsa({}, exponent));
  EXPECT_TRUE(IssuerKey::from_rsa(number(2048), Bytes{3}));
  EXPECT_TRUE(IssuerKey::from_rsa(number(2048), Bytes{0xFF, 0xFF, 0xFF, 0xFF}));
  for (const Bytes& bad : {Bytes{}, Bytes{1}, Bytes{4}, Bytes{1, 0, 0, 0, 1}})
    EXPECT_FALSE(IssuerKey::from_rsa(number(2048), bad)) << to_hex(bad);
}

}  // namespace
}  // namespace warifu::crypto
