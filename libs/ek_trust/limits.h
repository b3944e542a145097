#pragma once

#include <cstddef>

// How much an operator may import, so that judging one certificate stays short whatever is stored.
namespace warifu::ek_trust {

// Of all makers together some 1,500 are known.
inline constexpr std::size_t kAuthoritiesMax = 5'000;
inline constexpr std::size_t kAuthoritiesPerChangeMax = 100;
// Of one name: what is cross-signed, and keys that were made anew. A path is looked for in 64 signatures.
inline constexpr std::size_t kAuthoritiesOfNameMax = 64;
// Of one key, with the others that have it.
inline constexpr std::size_t kAuthoritiesOfKeyMax = 64;

inline constexpr std::size_t kCrlsMax = 1'000;
inline constexpr std::size_t kCrlsPerChangeMax = 10;
// All of them are read for each certificate that is judged.
inline constexpr std::size_t kCrlsOfIssuerMax = 16;
inline constexpr std::size_t kCrlSizeMax = 512 * 1024;

// Those of the field have one to two kilobytes.
inline constexpr std::size_t kEkCertificateSizeMax = 8 * 1024;
// Authorities that came with one EK certificate, from a TPM's NV (TCG EK Credential Profile: the certificate chain). A
// path has seven, and the last of them is one that was imported.
inline constexpr std::size_t kIntermediatesMax = 6;
// Of all of them together.
inline constexpr std::size_t kIntermediatesSizeMax = 16 * 1024;
// For whom one root may be said to speak.
inline constexpr std::size_t kVendorsMax = 16;
inline constexpr std::size_t kReasonSizeMax = 500;

}  // namespace warifu::ek_trust
