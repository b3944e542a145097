#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "crypto/digest.h"

// The values of security.ima and security.evm (Linux, enum evm_ima_xattr_type in security/integrity/integrity.h; enum
// hash_algo in include/uapi/linux/hash_info.h).
namespace warifu::measured_boot::ima {

enum class XattrType : std::uint8_t {
  kDigest = 0x01,  // SHA-1
  kEvmHmac = 0x02,
  kSignature = 0x03,        // EVM_IMA_XATTR_DIGSIG
  kDigestNg = 0x04,         // a hash of the kernel's list, and the digest
  kEvmPortable = 0x05,      // EVM_XATTR_PORTABLE_DIGSIG
  kVeritySignature = 0x06,  // IMA_VERITY_DIGSIG
};

// The number of a hash in the kernel's list (enum hash_algo).
std::uint8_t kernel_hash_number(crypto::HashAlgorithm hash);

// struct signature_v2_hdr, which version 3 has too: type, version, hash, u32 key id, u16 size, signature; big-endian.
struct SignatureV2 {
  XattrType type = XattrType::kSignature;
  std::uint8_t version = 0;
  crypto::HashAlgorithm hash = crypto::HashAlgorithm::kSha256;
  std::uint32_t key_id = 0;
  ByteView bytes;
};
// nullopt: too short, another size than it says, or a hash that is none of ours.
std::optional<SignatureV2> parse_signature(ByteView xattr);

}  // namespace warifu::measured_boot::ima
