#pragma once

#include <map>
#include <optional>
#include <vector>

#include "application_keys/desk.h"
#include "provisioning/registrar.h"
#include "store/store.h"
#include "verifier/records.h"

namespace warifu::front::housekeeping {

// Removes what nobody needs any more of what devices showed: boot logs that no ledger and no kept evidence refers to,
// and everything of devices whose enrollment is gone, keys for applications among it, at once. A device that is only
// disabled keeps its ledger, by which a clone of it is noticed when it comes back. Each node may do it. It blocks; one
// thread calls it. The objects that it is given outlive it.
class Retention {
 public:
  static constexpr std::chrono::hours kLooksApart{1};
  // A device that sends evidence may just have been told that its log is known.
  static constexpr std::chrono::hours kUnusedKept{24};
  // After it was due last: an enrollment that was deleted by mistake is made again.
  static constexpr std::chrono::days kGoneKept{30};
  // In one change, so that no device's answer waits long behind it; and of each kind in one look, so that a server that
  // is told to stop does.
  static constexpr std::size_t kRemovedAtOnceMax = 100;
  static constexpr std::size_t kChangesMax = 100;

  Retention(const Clock& clock, const provisioning::Registrar& registrar, const application_keys::Desk& keys,
            store::Store& store)
      : clock_(clock), registrar_(registrar), keys_(keys), store_(store) {}

  // Nothing before kLooksApart has passed since the last time.
  Status look();

 private:
  Status look_at(const ScopeId& scope);
  // True if there may be more.
  Result<bool> remove_unused_logs(const ScopeId& scope);
  // Among those that come after `after`, which moves on.
  Result<bool> remove_gone(const ScopeId& scope, verifier::DueKey& after);
  // Nobody gets them, but nothing should keep them either. Goes on where the last look ended.
  Result<bool> end_orphaned_keys(const ScopeId& scope);
  template <class View>
  Result<bool> is_gone(View& view, const ScopeId& scope, const RegistrationId& id) const;
  Status remove(store::Transaction& transaction, const ScopeId& scope, const verifier::LedgerInfo& gone) const;

  const Clock& clock_;
  const provisioning::Registrar& registrar_;
  const application_keys::Desk& keys_;
  store::Store& store_;
  std::map<ScopeId, RegistrationId> looked_at_;  // the last one whose keys were
  std::optional<Timestamp> last_look_;
};

}  // namespace warifu::front::housekeeping
