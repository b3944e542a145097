#pragma once

#include <cstddef>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace warifu::cli {

// Certificates, revocation lists, keys, and tables of flaws.
inline constexpr std::size_t kCertificatesSizeMax = std::size_t{16} << 20;

// All of a file of evidence, or of standard input ("-"), held once: room for as much as the file says it has is made
// at once. A file of securityfs says that it is empty. kInvalidInput "file.read", "file.size".
Result<Bytes> read_evidence(const std::string& path, std::size_t size_max);

}  // namespace warifu::cli
