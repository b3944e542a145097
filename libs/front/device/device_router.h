#pragma once

#include "base/time.h"
#include "front/device/attestation_api.h"
#include "front/device/escrow_api.h"
#include "front/dps/device_api.h"
#include "front/http/route.h"

namespace warifu::front::device {

// All that the devices listener serves: DPS, and under /api/v1/ what is for our own devices. Errors of the latter are
// problem details (RFC 9457), all others what the DPS SDKs read. Of a state, a hold or the database a device is told
// the code only. The objects that it is given outlive it.
Router router(dps::DeviceApi& dps, EscrowApi& escrow, AttestationApi& attestation, const Clock& clock);

}  // namespace warifu::front::device
