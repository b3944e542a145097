#pragma once

#include <map>
#include <optional>
#include <vector>

#include "application_keys/desk.h"
#include "base/entropy.h"
#include "provisioning/registrar.h"
#include "store/store.h"
#include "verifier/records.h"

namespace warifu::front::housekeeping {

// Removes what nobody needs any more of what devices showed: boot logs that no ledger and no kept evidence refers to,
// and everything of devices whose enrollment is gone. A device that is only disabled keeps its ledger, by which a clone
// of it is noticed when it comes back. And it ends the keys for applications that nobody holds since their group is
// gone: nobody is given them from that moment, and they are wiped when the looks come by, each at Bounds::changes *
// Bounds::at_once devices of a scope (what ends one registration ends its keys itself). Each node may do it. It
// blocks; one thread calls it. The objects that it is given outlive it.
class Retention {
 public:
  static constexpr std::chrono::hours kLooksApart{1};
  // A device that sends evidence may just have been told that its log is known.
  static constexpr std::chrono::hours kUnusedKept{24};
  // After it was due last: an enrollment that was deleted by mistake is made again.
  static constexpr std::chrono::days kGoneKept{30};
  struct Bounds {
    std::size_t at_once = 100;  // in one change, so that no device's answer waits long behind it
    std::size_t changes = 100;  // of each kind in one look, so that a server that is told to stop does
  };

  Retention(const Clock& clock, Entropy& entropy, const provisioning::Registrar& registrar,
            const application_keys::Desk& keys, store::Store& store, Bounds bounds)
      : clock_(clock), entropy_(entropy), registrar_(registrar), keys_(keys), store_(store), bounds_(bounds) {}
  Retention(const Clock& clock, Entropy& entropy, const provisioning::Registrar& registrar,
            const application_keys::Desk& keys, store::Store& store)
      : Retention(clock, entropy, registrar, keys, store, Bounds()) {}

  // Nothing before kLooksApart has passed since the last time.
  Status look();

 private:
  Status look_at(const ScopeId& scope);
  // True if there may be more.
  Result<bool> remove_unused_logs(const ScopeId& scope);
  // Among those that come after `after`, which moves on.
  Result<bool> remove_gone(const ScopeId& scope, verifier::DueKey& after);
  // The last device whose keys were looked at; nullopt: the look begins anew.
  using Place = std::optional<RegistrationId>;
  // Goes on where the last look ended.
  Status look_at_keys(const ScopeId& scope);
  // Any of those that hold keys: where processes do not live long, all of them have their turn nevertheless.
  Result<Place> draw_place(const ScopeId& scope);
  // Of some that come after `place`, which moves on. True at the end.
  Result<bool> end_orphaned_keys(const ScopeId& scope, Place& place);
  // In one change, from `first` on; who is next.
  Result<std::size_t> end_keys_of(const ScopeId& scope, const std::vector<RegistrationId>& orphaned,
                                  std::size_t first) const;
  template <class View>
  Result<bool> is_gone(View& view, const ScopeId& scope, const RegistrationId& id) const;
  Status remove(store::Transaction& transaction, const ScopeId& scope, const verifier::LedgerInfo& gone) const;

  const Clock& clock_;
  Entropy& entropy_;
  const provisioning::Registrar& registrar_;
  const application_keys::Desk& keys_;
  store::Store& store_;
  const Bounds bounds_;
  std::map<ScopeId, Place> places_;
  std::optional<Timestamp> last_look_;
};

}  // namespace warifu::front::housekeeping
