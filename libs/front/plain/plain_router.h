#pragma once

#include "front/cmp/cmp_api.h"
#include "front/http/route.h"
#include "front/revocation/revocation_api.h"

namespace warifu::front::plain {

// All that the listener without TLS serves: only what protects itself. Whoever is on the way reads it, and can change
// nothing unnoticed. Errors are problem details (RFC 9457). The objects that it is given outlive it.
Router router(revocation::RevocationApi& revocation, cmp_door::CmpApi& cmp);

}  // namespace warifu::front::plain
