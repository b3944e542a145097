#pragma once

#include "attestation/ear/results_keys.h"
#include "base/time.h"
#include "front/http/route.h"

namespace warifu::front::well_known {

// GET /.well-known/jwks.json, on each listener where somebody may look: the public keys of attestation results as a JWK
// Set (RFC 7517 §5). The objects that it is given outlive it.
Route jwks_route(const attestation::ResultsKeys& keys, const Clock& clock);

}  // namespace warifu::front::well_known
