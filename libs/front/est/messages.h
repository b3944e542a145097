#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/secret.h"
#include "crypto/certificate.h"
#include "crypto/certificate_request.h"
#include "net/http_message.h"

// What EST says over HTTP (RFC 7030, RFC 8951).
namespace warifu::front::est {

// What a client showed with HTTP Basic (RFC 7617): the reference as its user name. nullopt: nothing, or another scheme.
// kInvalidInput "est.authorization" when it is none.
struct BasicCredentials {
  std::string reference;
  SecretBytes secret;
};
Result<std::optional<BasicCredentials>> basic_credentials_of(const net::HttpRequest& request);

// Certificates as EST answers with them: base64 on one line, because there are clients that take no other (RFC 8951
// §3.1 demands that readers take any).
net::HttpResponse certificates_response(const std::vector<crypto::Certificate>& certificates, std::string_view type);
inline constexpr std::string_view kCertsOnly = "application/pkcs7-mime; smime-type=certs-only";
inline constexpr std::string_view kCaCerts = "application/pkcs7-mime";

// What a request should hold (RFC 7030 §4.5.2): a key on P-256, signed for with ECDSA and SHA-256.
net::HttpResponse attributes_response();

// RFC 7030 §4.2.3: an error in words, for people.
net::HttpResponse error_response(const Error& error, std::string_view tracking_id);
bool is_est_target(std::string_view target);

}  // namespace warifu::front::est
