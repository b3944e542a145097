#pragma once

#include <string>

#include "base/ids.h"
#include "sas/sas_token.h"

// What a device's shared access signature is for.
namespace warifu::provisioning {

using sas::check_expiry;
using sas::is_signed_by;
using sas::parse_sas_token;
using sas::resource_of;
using sas::SasToken;
using sas::token_digest;

// The token must be for "{scope}/registrations/{registration}", whatever its percent-encoding and case.
Status check_resource(const SasToken& token, const ScopeId& scope, const RegistrationId& registration);

// Which device the token says that it is of, and the deposit of which package it is for.
struct DepositSubject {
  ScopeId scope;
  RegistrationId registration;
  std::string package_sha256;  // 64 digits of hexadecimal, in lower case
};
// kUnauthenticated "token.resource" unless the token is for
// "{scope}/registrations/{registration}/escrow/{SHA-256 in hexadecimal}", whatever its percent-encoding and case.
Result<DepositSubject> deposit_subject_of(const SasToken& token);

}  // namespace warifu::provisioning
