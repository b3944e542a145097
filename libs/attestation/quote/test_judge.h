#pragma once

#include <gtest/gtest.h>

#include <array>
#include <string_view>

#include "attestation/quote/quote.h"
#include "attestation/quote/test_quote.h"

// Quotes that are judged, and what is expected of the answer.
namespace warifu::attestation {

inline const SoftwareAk& ak_of(crypto::KeyKind kind) {
  static const SoftwareAk rsa = SoftwareAk::of(crypto::KeyKind::kRsa2048);
  static const SoftwareAk p256 = SoftwareAk::of(crypto::KeyKind::kEcP256);
  static const SoftwareAk p384 = SoftwareAk::of(crypto::KeyKind::kEcP384);
  return kind == crypto::KeyKind::kRsa2048 ? rsa : kind == crypto::KeyKind::kEcP256 ? p256 : p384;
}
inline constexpr std::array kKinds = {crypto::KeyKind::kRsa2048, crypto::KeyKind::kEcP256, crypto::KeyKind::kEcP384};

template <class T>
void expect_code(const Result<T>& result, std::string_view code, ErrorKind kind = ErrorKind::kRefused) {
  ASSERT_FALSE(result) << "expected " << code;
  EXPECT_EQ(result.error().code, code) << to_string(result.error());
  EXPECT_EQ(result.error().kind, kind) << to_string(result.error());
}

inline QuoteFields fields(crypto::HashAlgorithm hash = crypto::HashAlgorithm::kSha256) {
  constexpr auto kSha256 = crypto::HashAlgorithm::kSha256;
  return fields_of(some_values({kSha256}), {selected(kSha256, {0, 1, 7, 10})}, hash);
}

inline Result<VerifiedQuote> judge(const SoftwareAk& key, const Bytes& message) {
  return verify({message, key.sign(message)}, key.ak(), ExpectedNonce{QuoteFields().nonce});
}

}  // namespace warifu::attestation
