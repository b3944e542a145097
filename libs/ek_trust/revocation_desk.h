#pragma once

#include "audit/entry.h"
#include "ek_trust/records.h"
#include "endorsement/ek/revocation_list.h"

namespace warifu::ek_trust {

// kOlder: a newer one of its series is there, which stays.
enum class ListOutcome { kAdded, kUpdated, kUnchanged, kOlder };
std::string_view to_string(ListOutcome outcome);  // "added", "updated", "unchanged", "older"

struct ImportedList {
  ListInfo info;  // of what is stored now
  ListOutcome outcome = ListOutcome::kUnchanged;
};

// Where operators bring the CRLs of authorities. A list takes the place of an older one of the same authority, key and
// distribution point.
class RevocationDesk {
 public:
  explicit RevocationDesk(const Clock& clock) : clock_(clock) {}

  // All or none. kInvalidInput "ek_crl.count", "ek_crl.size"; kRefused "ek_crl.issuer": nobody of that name who was
  // imported and may sign it did; kConflict "ek_crl.too_many".
  Result<std::vector<ImportedList>> import(Records& records, audit::Trail& trail, const Requester& who,
                                           const std::vector<endorsement::RevocationList>& lists) const;

 private:
  Result<ImportedList> import_one(Records& records, audit::Trail& trail, const Requester& who,
                                  const endorsement::RevocationList& list) const;

  const Clock& clock_;
};

}  // namespace warifu::ek_trust
