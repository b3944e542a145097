#pragma once

#include <cstddef>
#include <string_view>

#include "base/bytes.h"
#include "base/secret.h"
#include "crypto/digest.h"

namespace warifu::tpm {

// What a derived value is for. The terminating zero byte belongs to each: it is hashed, and OAEP counts it too.
inline constexpr std::string_view kIdentityLabel{"IDENTITY\0", 9};
inline constexpr std::string_view kDuplicateLabel{"DUPLICATE\0", 10};
inline constexpr std::string_view kStorageLabel{"STORAGE\0", 8};
inline constexpr std::string_view kIntegrityLabel{"INTEGRITY\0", 10};

// Part 1, "KDFa()": SP 800-108 counter mode with HMAC. `bits` is a multiple of 8.
SecretBytes kdfa(crypto::HashAlgorithm hash, ByteView key, std::string_view label, ByteView context_u,
                 ByteView context_v, std::size_t bits);

// Part 1, "KDFe for ECDH": SP 800-56A concatenation KDF. `z` is the x coordinate of the shared point, the party
// infos the x coordinates of the ephemeral and of the static public key.
SecretBytes kdfe(crypto::HashAlgorithm hash, const SecretBytes& z, std::string_view label, ByteView party_u_info,
                 ByteView party_v_info, std::size_t bits);

}  // namespace warifu::tpm
