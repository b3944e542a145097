#pragma once

#include "attestation/ear/results_keys.h"
#include "base/time.h"
#include "front/cmp/cmp_api.h"
#include "front/device/application_key_api.h"
#include "front/device/attestation_api.h"
#include "front/device/certificate_api.h"
#include "front/device/escrow_api.h"
#include "front/device/trust_bundle_api.h"
#include "front/dps/device_api.h"
#include "front/est/est_api.h"
#include "front/http/route.h"
#include "front/revocation/revocation_api.h"

namespace warifu::front::device {

struct DeviceDoors {
  dps::DeviceApi& dps;
  EscrowApi& escrow;
  AttestationApi& attestation;
  CertificateApi& certificates;
  ApplicationKeyApi& application_keys;
  est::EstApi& est;
  cmp_door::CmpApi& cmp;
  TrustBundleApi& trust_bundles;
  revocation::RevocationApi& revocation;
};

// All that the devices listener serves: DPS, EST, CMP, OCSP and CRL, under /api/v1/ what is for our own devices, and
// the public keys of attestation results. Errors under /api/v1/ are problem details (RFC 9457), all others what the DPS
// SDKs read. Of a state, a hold or the database a device is told the code only. The objects that it is given outlive
// it.
Router router(DeviceDoors doors, const attestation::ResultsKeys& results_keys, const Clock& clock);

}  // namespace warifu::front::device
