#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace warifu::tpm {

// A key that a TPM has wrapped, as tpm2-openssl and other software on top of tpm2-tss read it from a file: TPMKey of
// draft-woodhouse-cert-best-practice, a loadable key (2.23.133.10.1.3) without an auth value, in PEM ("TSS2 PRIVATE
// KEY"). `parent` is the handle of its parent, persistent or of a hierarchy; the areas are TPM2B_PUBLIC and
// TPM2B_PRIVATE. Nobody can use it but that TPM, and whoever may use that TPM can.
std::string tss2_private_key_pem(std::uint32_t parent, ByteView public_area, ByteView private_area);

}  // namespace warifu::tpm
