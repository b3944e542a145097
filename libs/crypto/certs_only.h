#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/certificate.h"

namespace warifu::crypto {

// Certificates in the envelope of a message that nobody signed, as EST answers with them: a "certs-only" CMS
// SignedData without content and signers (RFC 7030 §4.1.3, RFC 5652 §5.1), in DER. In their order, the leaf first if
// there is one. EST sends it in base64, and some clients want that on one line: to_base64() writes it so.
Bytes certs_only(std::span<const Certificate> certificates);

// Above this nothing is parsed.
inline constexpr std::size_t kMaxCertsOnlySize = 128 * 1024;

// The counterpart of it; one at least. "crypto.certs_only.form" for what is anything else, has signers or content, or
// ends earlier or later.
Result<std::vector<Certificate>> read_certs_only(ByteView der);

}  // namespace warifu::crypto
