#include "front/key_holders.h"

#include "provisioning/statement.h"

namespace warifu::front {

Result<std::vector<application_keys::Holder>> find_key_holders(provisioning::RecordsView& records, const ScopeId& scope,
                                                               const RegistrationId& registration) {
  TRY(auto enrolled, provisioning::list_enrolled(records, scope, registration));
  std::vector<application_keys::Holder> holders;
  for (auto& [enrollment_id, ek_name] : enrolled)
    holders.push_back({scope, registration, enrollment_id, std::move(ek_name)});
  return holders;
}

Status end_unheld_keys(const application_keys::Desk& keys, store::Transaction& transaction, const ScopeId& scope,
                       const RegistrationId& registration) {
  auto& records = transaction.application_keys();
  TRY(const auto any, records.list_keys_of(scope, registration, 1));
  if (any.empty()) return {};
  TRY(const auto holders, find_key_holders(transaction.provisioning(), scope, registration));
  TRY_STATUS(keys.end_orphans(records, transaction.audit(), scope, registration, holders));
  return {};
}

}  // namespace warifu::front
