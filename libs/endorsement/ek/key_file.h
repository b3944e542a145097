#pragma once

#include <vector>

#include "endorsement/ek/x509.h"

namespace warifu::endorsement {

// The public keys of a file: CERTIFICATE and PUBLIC KEY blocks of PEM, or one certificate or SubjectPublicKeyInfo in
// DER. "endorsement.pem" when there is none; errors of the parsers.
Result<std::vector<SubjectKey>> parse_public_keys(ByteView content);

}  // namespace warifu::endorsement
