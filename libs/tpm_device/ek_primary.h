#pragma once

#include "base/result.h"
#include "tpm_device/device.h"
#include "tpm_types/name.h"

namespace warifu::tpm_device {

// A primary key of this hierarchy (ESYS_TR_RH_OWNER, ESYS_TR_RH_ENDORSEMENT) with an empty auth value, in a slot.
Result<Handle> create_primary(Device& device, ESYS_TR hierarchy, ByteView tpm2b_template);

// The EK with this Name, made from whichever of the templates gives it. kNotFound "tpm.ek.template" when none does.
Result<Handle> create_same_ek(Device& device, const tpm::Name& name);

}  // namespace warifu::tpm_device
