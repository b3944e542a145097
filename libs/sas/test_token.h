#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "crypto/digest.h"
#include "sas/sas_token.h"

// For tests: tokens as devices make them, all with one key.
namespace warifu::sas::test {

inline constexpr std::int64_t kExpirySeconds = 1'790'000'000;
inline constexpr Timestamp kExpiry{std::chrono::seconds(kExpirySeconds)};
inline constexpr std::string_view kResource = "0ne00000001%2Fregistrations%2Fmeter-1";

inline SecretBytes signing_key() {
  return SecretBytes(Bytes(32, 0x5A));
}

inline std::string percent_encoded(std::string_view base64) {
  std::string text;
  for (const char c : base64)
    text += c == '+' ? "%2B" : c == '/' ? "%2F" : c == '=' ? "%3D" : std::string(1, c);
  return text;
}

inline std::string signature_over(std::string_view resource, std::string_view expiry) {
  const auto mac = crypto::hmac(crypto::HashAlgorithm::kSha256, signing_key().reveal(),
                                {as_bytes(resource), as_bytes("\n"), as_bytes(expiry)});
  return to_base64(mac.bytes());
}

// As the Node SDK writes it for a TPM device.
inline std::string token_for(std::string_view resource, std::string_view expiry = std::to_string(kExpirySeconds)) {
  return fmt::format("SharedAccessSignature sr={}&sig={}&se={}&skn=registration", resource,
                     percent_encoded(signature_over(resource, expiry)), expiry);
}

// The code with which `believe` refuses the token, or "believed". A token is refused as kUnauthenticated only.
template <class Believe>
std::string_view refusal_of(Believe believe, std::string_view text, Timestamp now) {
  const Status status = believe(text, now);
  if (status) return "believed";
  EXPECT_EQ(status.error().kind, ErrorKind::kUnauthenticated) << text;
  return status.error().code;
}

}  // namespace warifu::sas::test
