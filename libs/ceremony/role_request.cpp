#include "ceremony/role_request.h"

#include <fmt/format.h>

#include "crypto/certificate_request.h"

namespace warifu::ceremony {
namespace {

constexpr std::size_t kPemLine = 64;

// RFC 7468.
std::string armoured(ByteView der) {
  const std::string body = to_base64(der);
  std::string pem = "-----BEGIN CERTIFICATE REQUEST-----\n";
  for (std::size_t at = 0; at < body.size(); at += kPemLine)
    pem += body.substr(at, kPemLine) + '\n';
  return pem + "-----END CERTIFICATE REQUEST-----\n";
}

}  // namespace

Result<RoleRequest> RoleRequest::parse(std::string_view pem) {
  TRY(auto request, crypto::CertificateRequest::from_text(pem));
  const std::string& name = request.names().common_name;
  const auto space = name.rfind(' ');
  const auto role = pki::parse_role(std::string_view(name).substr(space == std::string::npos ? 0 : space + 1));
  if (space == std::string::npos || space == 0 || !role)
    return invalid_input("role.request",
                         fmt::format("expected the name of an organisation and of a role, not \"{}\"", name));
  TRY(auto key, crypto::PublicKey::from_spki(request.public_key().spki()));
  return RoleRequest{name.substr(0, space), *role, std::move(key)};
}

Result<std::string> make_role_request(pki::Role role, const std::string& organisation, const crypto::Signer& key) {
  TRY(const auto der,
      crypto::make_certificate_request(
          {.common_name = fmt::format("{} {}", organisation, to_string(role)), .organization = organisation}, key));
  return armoured(der);
}

}  // namespace warifu::ceremony
