#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// How large each field of a message may be (docs/formats/tcb-protocol.md). What is larger is neither sent nor read.
namespace warifu::tcb_protocol {

constexpr std::size_t kNonceSize = 32;
constexpr std::size_t kHandshakeMessagesMax = 16;
constexpr std::size_t kHandshakeMessageMax = 65'535;
constexpr std::size_t kHostNameMax = 253;  // RFC 1035 §2.3.4, as text
constexpr std::size_t kScopeMax = 64;
constexpr std::size_t kRegistrationIdMax = 128;
constexpr std::size_t kDeviceIdMax = 128;
constexpr std::size_t kPublicAreaMax = 1024;  // RSA-4096 needs 600
constexpr std::size_t kAuthenticationKeyMax = 4096;
constexpr std::size_t kTokenMax = 1024;
constexpr std::size_t kRandomMax = 1024;
constexpr std::size_t kSealedSecretMax = 128;  // MAX_SYM_DATA
constexpr std::size_t kSealedMax = 4096;
constexpr std::uint8_t kPcrCount = 24;
constexpr std::size_t kModelMax = 64;
constexpr std::size_t kNameMax = 66;  // the Name of an object: an algorithm and at most a SHA-512
constexpr std::size_t kEscrowChainMax = 8;
constexpr std::size_t kCertificateMax = 8192;
constexpr std::size_t kEkAuthoritiesMax = 6;  // beside an EK certificate
constexpr std::size_t kEscrowPackageMax = 16'384;
constexpr std::size_t kSha256Size = 32;
constexpr std::size_t kAuthMax = 64;

constexpr std::size_t kIdObjectMax = 132;         // TPM2B_ID_OBJECT: an HMAC and a digest of 64 bytes
constexpr std::size_t kEncryptedSecretMax = 514;  // TPM2B_ENCRYPTED_SECRET: RSA-4096
constexpr std::size_t kActivatedMax = 64;         // TPM2B_DIGEST
constexpr std::size_t kServerNonceMax = 64;
// What the TCB hashes before the nonce of a local quote. No nonce of a server may begin so.
constexpr std::string_view kLocalQuotePrefix = "warifu local quote\n";
constexpr std::size_t kAttestMax = 1024;            // TPMS_ATTEST
constexpr std::size_t kSignatureMax = 1024;         // TPMT_SIGNATURE
constexpr std::size_t kBundleSizeMax = 256 * 1024;  // trust_bundle::kEnvelopeSizeMax
constexpr std::size_t kBundlePartMax = 60 * 1024;
constexpr std::size_t kRegisterValuesMax = 24 * (20 + 32 + 48 + 64);  // each PCR of each bank

constexpr std::size_t kDeviceChainMax = 4;            // certificates in the chain of a device, its own included
constexpr std::size_t kDeviceChainBytesMax = 16'384;  // of all of them: two chains fit into an answer
constexpr std::size_t kCreationDataMax = 1024;        // TPMS_CREATION_DATA
constexpr std::size_t kPrivateAreaMax = 1024;         // TPM2B_PRIVATE
constexpr std::size_t kTlsSignatureMax = 128;         // an Ecdsa-Sig-Value of P-256 has at most 72 bytes

constexpr std::size_t kKeyNameMax = 64;     // a Label
constexpr std::size_t kMacMax = 32;         // HMAC-SHA256
constexpr std::size_t kHmacDataMax = 1024;  // TPM2B_MAX_BUFFER, as every TPM has it

}  // namespace warifu::tcb_protocol
