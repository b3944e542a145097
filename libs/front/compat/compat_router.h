#pragma once

#include "base/time.h"
#include "front/dps/device_api.h"
#include "front/dps_service/service_api.h"
#include "front/est/est_api.h"
#include "front/http/route.h"

namespace warifu::front::compat {

// All that the compat listener serves: what clients made for Azure DPS speak, under one host and port as they want it,
// and nothing of our own. No two of its paths have the same form. Errors are what the DPS SDKs read. The objects that
// it is given outlive it.
Router router(dps::DeviceApi& dps, est::EstApi& est, dps_service::ServiceApi& service, const Clock& clock);

}  // namespace warifu::front::compat
