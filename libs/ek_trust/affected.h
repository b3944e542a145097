#pragma once

#include "ek_trust/certificate_desk.h"

namespace warifu::ek_trust {

// The place in the list of those that an authority's distrust affects.
struct AffectedKey {
  Bytes issuer_sha256;
  Bytes ek_name;
};

// An EK certificate that is believed by this authority's word and by nobody else's.
struct AffectedCertificate {
  StoredEkCertificate stored;
  endorsement::EkCertificate certificate;
  Verdict verdict;  // as things are now
};

struct AffectedPage {
  std::vector<AffectedCertificate> items;  // may be fewer than were asked for, also before the last page
  std::optional<AffectedKey> next;         // nullopt: that was the last page
};

// The certificates that are trusted if the authority is, and refused if it is not: the same before and after it was
// distrusted. What has another path, or is refused anyway, is not among them. Looks at `limit` certificates.
Result<AffectedPage> list_affected(RecordsView& records, const Authority& authority,
                                   const std::optional<AffectedKey>& after, std::size_t limit, Timestamp now);

}  // namespace warifu::ek_trust
