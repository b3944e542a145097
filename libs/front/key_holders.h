#pragma once

#include <vector>

#include "application_keys/desk.h"
#include "provisioning/records.h"
#include "store/store.h"

namespace warifu::front {

// Who holds the keys for applications of a registration (provisioning::list_enrolled()).
Result<std::vector<application_keys::Holder>> find_key_holders(provisioning::RecordsView& records, const ScopeId& scope,
                                                               const RegistrationId& registration);

// Ends the keys that nobody holds after this change.
Status end_unheld_keys(const application_keys::Desk& keys, store::Transaction& transaction, const ScopeId& scope,
                       const RegistrationId& registration);

}  // namespace warifu::front
