#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/secret.h"
#include "base/time.h"

namespace warifu::sas {

// A shared access signature as it came, well-formed and not yet believed: "SharedAccessSignature
// sr=…&sig=…&se=…[&skn=…]" with the fields in any order. Made by parse_sas_token().
struct SasToken {
  std::string_view resource;  // sr exactly as sent: the signature covers these bytes, each SDK encodes them its own way
  std::string_view expiry_text;  // se as sent
  Timestamp expires_at;
  Bytes signature;            // HMAC-SHA256, 32 bytes
  std::string_view key_name;  // skn; empty without it
  std::string_view raw;       // the whole header value
};

// Clocks of devices and operators may be off by this much, in favour of the token.
constexpr std::chrono::minutes kSasClockTolerance{5};

// Reads the value of an Authorization header; the views in the result are into it. Refuses unknown, doubled and missing
// fields, bad percent escapes, a signature that is not 32 bytes of base64, an expiry that is no number of seconds.
Result<SasToken> parse_sas_token(std::string_view authorization);

// True if the token was signed with this key (HMAC-SHA256 over sr + "\n" + se).
bool is_signed_by(const SasToken& token, const SecretBytes& key);

// What the token is for: sr, decoded and in lower case. Only to compare: the signature is over sr as sent.
// kUnauthenticated "token.malformed": a bad percent escape.
Result<std::string> resource_of(const SasToken& token);

// The error names the server's time, so that a device's owner sees a wrong clock at once.
Status check_expiry(const SasToken& token, Timestamp now);

// SHA-256 over the header value: recognises a token that was accepted before.
Bytes token_digest(const SasToken& token);

}  // namespace warifu::sas
