#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "provisioning/terms.h"

namespace warifu::provisioning {

// The hub of a device under these terms; `own_hubs` (at least one) are those of the server, for terms that name none.
// Hashed allocation gives each registration the same hub for as long as the hubs are the same, and moves only the share
// of a hub that comes or goes (rendezvous hashing over SHA-256). Geo-latency needs hubs that measure, which there are
// none yet: any hub of the list is right, so it is hashed too. kRefused "enrollment.allocation": custom allocation,
// whose webhook nobody calls yet; another choice than the webhook's would be a wrong one.
Result<std::string> allocate(const Terms& terms, const std::vector<std::string>& own_hubs,
                             const RegistrationId& registration);

}  // namespace warifu::provisioning
