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

constexpr std::size_t kDeviceMax = 64;  // ub-common-name
constexpr std::size_t kSerialMax = 20;  // RFC 5280 §4.1.2.2
constexpr std::size_t kHardwareSerialMax = 256;
constexpr std::size_t kUrlMax = 256;
constexpr std::size_t kCrlEntriesMax = 1024;  // in one frame
constexpr std::size_t kCrlEntryMax = 8 + 1 + kSerialMax;
constexpr std::size_t kSignatureMax = 128;  // ECDSA in DER

}  // namespace warifu::signer_protocol
