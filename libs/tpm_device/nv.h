#pragma once

#include <cstdint>

#include "base/result.h"
#include "base/secret.h"
#include "tpm_device/device.h"
#include "tpm_types/nv_public.h"

// NV indices (Part 1, "NV Memory"; Part 3, 31) of the owner, with an empty auth value of their own. What is written and
// read is encrypted on the bus. Authorized by the owner if the index allows it (ownerread, ownerwrite), else by its own
// empty auth. Codes: "tpm.nv.defined", "tpm.nv.space", "tpm.nv.unwritten", "tpm.nv.locked", "tpm.nv.type",
// "tpm.nv.size"; kNotFound "tpm.handle" when there is no such index.
namespace warifu::tpm_device {

// An index as it is in the TPM, asked under the session's HMAC.
struct NvIndex {
  Handle handle;
  tpm::NvPublic area;

  // Who authorizes.
  ESYS_TR reader() const { return authority(tpm::kNvOwnerRead); }
  ESYS_TR writer() const { return authority(tpm::kNvOwnerWrite); }

 private:
  ESYS_TR authority(std::uint32_t owner_may) const {
    return (area.attributes & owner_may) != 0 ? ESYS_TR_RH_OWNER : handle.get();
  }
};
Result<NvIndex> find_nv(Device& device, std::uint32_t index);

// `area.attributes` without kNvWritten; noDA is our caller's to think of: without it a power cut counts as a wrong try.
Status define_nv(Device& device, const tpm::NvPublic& area);
Status undefine_nv(Device& device, std::uint32_t index);
Result<tpm::NvPublic> read_nv_public(Device& device, std::uint32_t index);

// All of an ordinary index, in pieces of what the TPM takes at once.
Result<SecretBytes> read_nv(Device& device, std::uint32_t index);
// From its beginning; fewer bytes than it has leave the rest. A power cut between two pieces leaves the first of them.
Status write_nv(Device& device, std::uint32_t index, const SecretBytes& content);

// A counter never goes back, not even by undefining it and defining it anew.
Status increment_nv(Device& device, std::uint32_t index);
Result<std::uint64_t> read_nv_counter(Device& device, std::uint32_t index);

// new = H(old | data), like a PCR.
Status extend_nv(Device& device, std::uint32_t index, const SecretBytes& data);

}  // namespace warifu::tpm_device
