#include "front/est/messages.h"

#include <fmt/format.h>

#include "crypto/certs_only.h"
#include "front/http/problem.h"
#include "front/http/told.h"

namespace warifu::front::est {
namespace {

constexpr std::string_view kPrefix = "/.well-known/est";

// CsrAttrs (RFC 7030 §4.5.2), in DER: SEQUENCE { SEQUENCE { id-ecPublicKey, SET { secp256r1 } }, ecdsa-with-SHA256 }.
constexpr std::string_view kAttributes =
    "3023"
    "3015"
    "06072a8648ce3d0201"
    "310a"
    "06082a8648ce3d030107"
    "06082a8648ce3d040302";

net::HttpResponse base64_response(ByteView content, std::string_view type) {
  return {200, {{"Content-Transfer-Encoding", "base64"}}, std::string(type), to_base64(content) + "\n"};
}

Error bad_authorization() {
  return invalid_input("est.authorization", "expected the reference and the secret of HTTP Basic, in base64",
                       "Authorization");
}

}  // namespace

Result<std::optional<BasicCredentials>> basic_credentials_of(const net::HttpRequest& request) {
  constexpr std::string_view kScheme = "Basic ";
  const auto authorization = request.header("Authorization");
  if (!authorization || !authorization->starts_with(kScheme)) return std::optional<BasicCredentials>();
  auto decoded = from_base64(authorization->substr(kScheme.size()));
  if (!decoded) return bad_authorization();
  const SecretBytes both(std::move(*decoded));
  const std::string_view text = as_text(both.reveal());
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0) return bad_authorization();
  return std::optional(
      BasicCredentials{std::string(text.substr(0, colon)), SecretBytes::copy_of(as_bytes(text.substr(colon + 1)))});
}

net::HttpResponse certificates_response(const std::vector<crypto::Certificate>& certificates, std::string_view type) {
  return base64_response(crypto::certs_only(certificates), type);
}

net::HttpResponse attributes_response() {
  return base64_response(from_hex(kAttributes).value(), "application/csrattrs");
}

net::HttpResponse error_response(const Error& error, std::string_view tracking_id) {
  const Error told = told_to_device(error);
  const int status = http_status(told);
  const bool is_internal = told.kind == ErrorKind::kInternal;
  net::HttpResponse response{
      status,
      {},
      "text/plain; charset=utf-8",
      fmt::format("{} [{}] tracking_id={}\n",
                  is_internal ? "an internal error; the server's log tells more" : to_string(told), told.code,
                  tracking_id)};
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"warifu\"");
  if (status == 429 || status == 503) response.headers.emplace_back("Retry-After", "5");
  return response;
}

bool is_est_target(std::string_view target) {
  return target.starts_with(kPrefix) && (target.size() == kPrefix.size() || target[kPrefix.size()] == '/');
}

}  // namespace warifu::front::est
