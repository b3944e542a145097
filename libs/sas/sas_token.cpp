#include "sas/sas_token.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "crypto/digest.h"

namespace warifu::sas {
namespace {

constexpr std::string_view kScheme = "SharedAccessSignature ";
constexpr std::size_t kTokenSizeMax = 2048;
constexpr std::size_t kSignatureSize = 32;
// Later times could overflow microseconds, too.
constexpr auto kExpirySecondsMax = static_cast<std::int64_t>(kUnixSecondsMax);

Error malformed(std::string message, std::string_view field) {
  return {ErrorKind::kUnauthenticated, "token.malformed", std::move(message), std::string(field)};
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char folded = lower(c);
  return folded >= 'a' && folded <= 'f' ? folded - 'a' + 10 : -1;
}

// RFC 3986 §2.1. A '+' stays a '+': no SDK writes a space here, and base64 needs it.
Result<std::string> percent_decode(std::string_view text, std::string_view field) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return malformed("the token has a bad percent escape", field);
    decoded.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return decoded;
}

struct Fields {
  std::string_view sr, sig, se, skn;
};

Result<Fields> split_fields(std::string_view text) {
  Fields fields;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    const std::string_view name = pair.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    std::string_view* field = name == "sr"    ? &fields.sr
                              : name == "sig" ? &fields.sig
                              : name == "se"  ? &fields.se
                              : name == "skn" ? &fields.skn
                                              : nullptr;
    if (field == nullptr) return malformed("the token has a field that is not sr, sig, se or skn", "token");
    if (value.empty() || !field->empty()) return malformed("a field of the token is empty or stands twice", name);
    *field = value;
  }
  if (fields.sr.empty() || fields.sig.empty() || fields.se.empty())
    return malformed("the token needs the fields sr, sig and se", "token");
  return fields;
}

Result<Timestamp> parse_expiry(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 0 || seconds > kExpirySecondsMax)
    return malformed("the token's expiry is not a number of seconds since 1970", "se");
  return Timestamp(std::chrono::seconds(seconds));
}

}  // namespace

Result<SasToken> parse_sas_token(std::string_view authorization) {
  if (authorization.size() > kTokenSizeMax)
    return malformed(
        fmt::format("a token has at most {} characters, this one has {}", kTokenSizeMax, authorization.size()),
        "token");
  if (!authorization.starts_with(kScheme)) return malformed("the Authorization is no SharedAccessSignature", "token");
  TRY(const auto fields, split_fields(authorization.substr(kScheme.size())));
  TRY(const auto expires_at, parse_expiry(fields.se));
  TRY(const auto base64, percent_decode(fields.sig, "sig"));
  auto signature = from_base64(base64);
  if (!signature || signature->size() != kSignatureSize)
    return malformed("the token's signature is not base64 of 32 bytes", "sig");
  return SasToken{fields.sr, fields.se, expires_at, *std::move(signature), fields.skn, authorization};
}

bool is_signed_by(const SasToken& token, const SecretBytes& key) {
  const auto expected = crypto::hmac(crypto::HashAlgorithm::kSha256, key.reveal(),
                                     {as_bytes(token.resource), as_bytes("\n"), as_bytes(token.expiry_text)});
  return equal_constant_time(expected.bytes(), token.signature);
}

Result<std::string> resource_of(const SasToken& token) {
  TRY(auto resource, percent_decode(token.resource, "sr"));
  std::ranges::transform(resource, resource.begin(), lower);
  return resource;
}

Status check_expiry(const SasToken& token, Timestamp now) {
  if (token.expires_at + kSasClockTolerance < now)
    return Error{
        ErrorKind::kUnauthenticated, "token.expired",
        fmt::format("the token expired at {}; the server's time is {}", to_rfc3339(token.expires_at), to_rfc3339(now)),
        "se"};
  return {};
}

Bytes token_digest(const SasToken& token) {
  return to_bytes(crypto::digest(crypto::HashAlgorithm::kSha256, {as_bytes(token.raw)}).bytes());
}

}  // namespace warifu::sas
