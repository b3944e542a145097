#pragma once

#include <cstddef>
#include <cstdint>

// docs/formats/trust-bundle.md. A bundle that is full in every list, with certificates as `warifud init` makes them, is
// within the size.
namespace warifu::trust_bundle {

inline constexpr std::size_t kEnvelopeSizeMax = 256 * 1024;  // as JSON, in bytes
inline constexpr std::size_t kSignaturesMax = 32;
inline constexpr std::size_t kSignatureSizeMax = 128;  // in bytes; ECDSA on P-384 in DER has at most 104
inline constexpr std::size_t kKeyIdTextMax = 128;      // of what a signature calls its key, in characters
inline constexpr std::size_t kOrganisationSizeMax = 128;
inline constexpr std::uint64_t kVersionMax = (std::uint64_t{1} << 53) - 1;  // RFC 7493 §2.2
inline constexpr std::size_t kKeysMax = 16;                                 // signing, and revocation
inline constexpr std::size_t kRootsMax = 16;
inline constexpr std::size_t kRolesMax = 32;
inline constexpr std::size_t kRoleNameMax = 64;
inline constexpr std::size_t kRoleCertificatesMax = 8;    // of one role
inline constexpr std::size_t kCertificatesMax = 64;       // of all roles
inline constexpr std::size_t kCertificateSizeMax = 4096;  // DER
inline constexpr std::size_t kRevokedMax = 512;

}  // namespace warifu::trust_bundle
