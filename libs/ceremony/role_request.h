#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/public_key.h"
#include "crypto/signer.h"
#include "pki/authority.h"

namespace warifu::ceremony {

// What a signer asks an offline root for: a PKCS #10 request in PEM, whose common name is that of the role's
// certificate ("Example Power endpoint-identity"). Carried by people, on a stick.
struct RoleRequest {
  std::string organisation;
  pki::Role role;
  crypto::PublicKey key;

  // Whoever asks has the private key. kInvalidInput "role.request" when the common name is no role's; those of
  // crypto::CertificateRequest.
  static Result<RoleRequest> parse(std::string_view pem);
};

Result<std::string> make_role_request(pki::Role role, const std::string& organisation, const crypto::Signer& key);

}  // namespace warifu::ceremony
