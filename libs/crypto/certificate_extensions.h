#pragma once

#include <string_view>

#include "base/result.h"
#include "crypto/certificate.h"
#include "crypto/openssl_handle.h"

// The extensions of a new certificate. Only .cpp files of this library include it.
namespace warifu::crypto {

inline constexpr std::string_view kProfileCode = "crypto.certificate.profile";

Error bad_profile(std::string message);

// Adds what the profile says to a certificate that has its key already. `issuer` may be the certificate itself.
Status add_extensions(X509* certificate, const CertificateProfile& profile, const X509* issuer);

// cRLDistributionPoints and authorityInfoAccess.
Status add_places(X509* certificate, const CertificateProfile& profile);

// The subject key identifier that a certificate states, or the one that we would have given it.
Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> subject_key_identifier(const X509* certificate);

// An otherName's value and back. kInvalidInput for a type that is no OID; nullopt for what is no HardwareModuleName.
Result<GENERAL_NAME*> to_other_name(const HardwareModule& module);
std::optional<HardwareModule> hardware_module_in(const GENERAL_NAME& name);

}  // namespace warifu::crypto
