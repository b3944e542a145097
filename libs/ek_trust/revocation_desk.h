#pragma once

#include "audit/entry.h"
#include "ek_trust/records.h"
#include "endorsement/ek/revocation_list.h"

namespace warifu::ek_trust {

// The CRLs of one import: as many and as large as may be stored at once.
class CrlImport {
 public:
  // kInvalidInput "ek_crl.count", "ek_crl.size"; that names which of them.
  static Result<CrlImport> make(std::vector<endorsement::RevocationList> crls);

  const std::vector<endorsement::RevocationList>& crls() const { return crls_; }

 private:
  explicit CrlImport(std::vector<endorsement::RevocationList> crls) : crls_(std::move(crls)) {}
  std::vector<endorsement::RevocationList> crls_;
};

// kOlder: a newer one of its series is there, which stays.
enum class CrlOutcome { kAdded, kUpdated, kUnchanged, kOlder };
std::string_view to_string(CrlOutcome outcome);  // "added", "updated", "unchanged", "older"

struct ImportedCrl {
  CrlInfo info;  // of what is stored now
  CrlOutcome outcome = CrlOutcome::kUnchanged;
};

// Where operators bring the CRLs of authorities. A CRL takes the place of an older one of the same authority, key and
// distribution point.
class RevocationDesk {
 public:
  explicit RevocationDesk(const Clock& clock) : clock_(clock) {}

  // All or none; an error names which of them ("crls.2"). kRefused "ek_crl.issuer": nobody of that name who was
  // imported and may sign it did; kConflict "ek_crl.too_many".
  Result<std::vector<ImportedCrl>> import(Records& records, audit::Trail& trail, const Requester& who,
                                          const CrlImport& request) const;

 private:
  Result<ImportedCrl> import_one(Records& records, audit::Trail& trail, const Requester& who,
                                 const endorsement::RevocationList& crl) const;

  const Clock& clock_;
};

}  // namespace warifu::ek_trust
