#pragma once

#include <cstddef>

// How large each field of a message may be (docs/formats/signer-protocol.md). What is larger is neither sent nor read.
namespace warifu::signer_protocol {

constexpr std::size_t kNameMax = 64;  // X.520, ub-common-name; an organisation's and a role's are shorter
constexpr std::size_t kRolesMax = 16;
constexpr std::size_t kCertificateMax = 2048;
constexpr std::size_t kHostNamesMax = 64;
constexpr std::size_t kHostNameMax = 253;            // RFC 1035 §2.3.4, as text
constexpr std::size_t kNodeCertificateMax = 32'768;  // all those names stand in it
constexpr std::size_t kPublicKeyMax = 1024;          // SubjectPublicKeyInfo; RSA-3072 needs 422
constexpr std::size_t kEscrowPackageMax = 16'384;

}  // namespace warifu::signer_protocol
