#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "tpm_device/device.h"
#include "tpm_types/storage_key.h"

// EK certificates in NV (TCG EK Credential Profile, low and high range).
namespace warifu::tpm_device {

struct EkCertificate {
  tpm::EkProfile profile;
  std::uint32_t index;
  Bytes der;
};
// All that are there, in the order of the profiles. An index that holds no certificate is left out.
Result<std::vector<EkCertificate>> read_ek_certificates(Device& device);

// The one for this key; nullopt: the manufacturer gave none (firmware TPMs: it may be on the manufacturer's server), or
// one for another key, as for every EK with an empty `unique`.
Result<std::optional<EkCertificate>> certificate_of(Device& device, const tpm::EkPublic& ek);

// The authorities that the manufacturer put beside the EK certificates (the profile's certificate chain: from index
// 0x01C00100 on, one certificate after another, wherever an index ends), at most `count_max` of `size_max` bytes
// together. Empty when there are none, more, or what is there is no chain.
Result<std::vector<Bytes>> read_ek_authorities(Device& device, std::size_t count_max, std::size_t size_max);

}  // namespace warifu::tpm_device
