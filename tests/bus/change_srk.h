#pragma once

#include "tpm_device/device.h"

namespace warifu::bus {

// What an owner does who wants another storage root key at 0x81000001, made of this TPM2B_PUBLIC. The device has
// forgotten the one before.
Status change_srk(tpm_device::Device& device, ByteView tpm2b_template);

}  // namespace warifu::bus
