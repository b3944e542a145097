#pragma once

#include "audit/entry.h"
#include "ek_trust/records.h"
#include "endorsement/ek/x509.h"

namespace warifu::ek_trust {

struct ImportRequest {
  std::vector<endorsement::X509Certificate> certificates;
  // Absent: who names itself as its issuer is a root, the others are intermediates; what is there keeps its role.
  std::optional<Role> role = {};
  // For whom the roots among them speak. Empty: for whom their names name; what is there keeps what was said.
  std::vector<endorsement::VendorId> vendors = {};
};

enum class ImportOutcome { kAdded, kUpdated, kUnchanged };
std::string_view to_string(ImportOutcome outcome);  // "added", "updated", "unchanged"

struct ImportedAuthority {
  Authority authority;
  ImportOutcome outcome = ImportOutcome::kUnchanged;
};

// An authority, and the mark that counts for it: its own or that of another certificate of its key.
struct AuthorityView {
  Authority authority;
  std::optional<Authority> distrusted = {};
};
Result<AuthorityView> view_of(RecordsView& records, Authority authority);

struct DistrustRequest {
  Bytes sha256;
  Timestamp since;
  std::string reason;
};

// Where operators say who may certify endorsement keys. The changes run inside a transaction and leave their audit
// entries.
class AuthorityDesk {
 public:
  explicit AuthorityDesk(const Clock& clock) : clock_(clock) {}

  // All or none. Errors of endorsement::RootStore::add_root() and add_intermediate(); kInvalidInput "ek_root.count",
  // "ek_root.vendors" (vendors for an import without a root); kConflict "ek_root.too_many".
  Result<std::vector<ImportedAuthority>> import(Records& records, audit::Trail& trail, const Requester& who,
                                                const ImportRequest& request) const;

  // From then on no certificate under this authority, or under another one of its key, is believed. An earlier time
  // stands: distrust is not shortened by saying it again. Nothing is written when nothing changes. kNotFound
  // "ek_root.unknown", kInvalidInput "ek_root.reason".
  Result<AuthorityView> distrust(Records& records, audit::Trail& trail, const Requester& who,
                                 const DistrustRequest& request) const;
  // Takes the mark of this certificate back. One of another certificate of its key stands, and the view has it.
  // kNotFound "ek_root.unknown".
  Result<AuthorityView> trust(Records& records, audit::Trail& trail, const Requester& who, ByteView sha256) const;

 private:
  Result<ImportedAuthority> import_one(Records& records, audit::Trail& trail, const Requester& who,
                                       const endorsement::X509Certificate& certificate,
                                       const ImportRequest& request) const;

  const Clock& clock_;
};

}  // namespace warifu::ek_trust
