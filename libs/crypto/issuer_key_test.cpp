#include "crypto/issuer_key.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>

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

}  // namespace
}  // namespace warifu::crypto
