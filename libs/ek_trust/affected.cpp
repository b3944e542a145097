#include "ek_trust/affected.h"

#include <algorithm>
#include <set>

#include "ek_trust/identity.h"
#include "ek_trust/limits.h"

namespace warifu::ek_trust {
namespace {

// The names under which this key, or what is below it, may have signed EK certificates: by names alone, so perhaps too
// many. Judging tells.
Result<std::set<Bytes, BytesLess>> names_below(RecordsView& records, const Authority& authority) {
  std::set<Bytes, BytesLess> names;
  TRY(const auto same_key,
      records.find_authorities_of_key(authority.scope, authority.key_sha256, kAuthoritiesOfKeyMax));
  std::vector<Bytes> open;
  for (const Authority& same : same_key)
    if (names.insert(same.subject_sha256).second) open.push_back(same.subject_sha256);
  while (!open.empty()) {
    const Bytes name = std::move(open.back());
    open.pop_back();
    TRY(const auto children, records.find_authorities_issued_by(authority.scope, name, kAuthoritiesMax));
    for (const Authority& child : children)
      if (names.insert(child.subject_sha256).second) open.push_back(child.subject_sha256);
  }
  return names;
}

// A certificate that came with authorities stands under the names of all their issuers; it is told of under the first.
Result<bool> stands_under_an_earlier(const std::set<Bytes, BytesLess>& names, const Bytes& name,
                                     const StoredEkCertificate& stored) {
  if (stored.intermediates.empty()) return false;
  TRY(const auto intermediates, intermediates_of(stored));
  const auto is_earlier = [&](const Bytes& other) { return BytesLess()(other, name) && names.contains(other); };
  return is_earlier(stored.issuer_sha256) || std::ranges::any_of(intermediates, [&](const auto& authority) {
           return is_earlier(name_digest(authority.issuer));
         });
}

// Judges one certificate with and without the authority.
class Comparison {
 public:
  Comparison(RecordsView& records, const Authority& authority, Timestamp now)
      : with_(records, authority.scope, now, Assumption{authority.key_sha256, false}),
        without_(records, authority.scope, now, Assumption{authority.key_sha256, true}),
        as_it_is_(records, authority.scope, now) {}

  Result<std::optional<AffectedCertificate>> affected(StoredEkCertificate stored) {
    TRY(auto certificate, certificate_of(stored));
    TRY(const auto intermediates, intermediates_of(stored));
    TRY(const auto with, with_.judge(certificate, intermediates));
    TRY(const auto without, without_.judge(certificate, intermediates));
    if (!with.verified || without.verified) return std::optional<AffectedCertificate>();
    TRY(auto verdict, as_it_is_.judge(certificate, intermediates));
    return std::optional(AffectedCertificate{std::move(stored), std::move(certificate), std::move(verdict)});
  }

 private:
  Judge with_;
  Judge without_;
  Judge as_it_is_;
};

}  // namespace

Result<AffectedPage> list_affected(RecordsView& records, const Authority& authority,
                                   const std::optional<AffectedKey>& after, std::size_t limit, Timestamp now) {
  TRY(const auto names, names_below(records, authority));
  Comparison comparison(records, authority, now);
  AffectedPage page;
  std::size_t looked_at = 0;
  for (auto name = after ? names.lower_bound(after->issuer_sha256) : names.begin(); name != names.end(); ++name) {
    const bool is_begun = after && *name == after->issuer_sha256;
    TRY(auto certificates, records.list_ek_certificates_of(
                               authority.scope, *name, {is_begun ? after->ek_name : Bytes(), limit - looked_at + 1}));
    for (StoredEkCertificate& stored : certificates) {
      if (looked_at == limit) return page;  // there is more, after what was looked at last
      ++looked_at;
      page.next = AffectedKey{*name, stored.ek_name};
      TRY(const bool was_told, stands_under_an_earlier(names, *name, stored));
      if (was_told) continue;
      TRY(auto affected, comparison.affected(std::move(stored)));
      if (affected) page.items.push_back(*std::move(affected));
    }
  }
  page.next.reset();
  return page;
}

}  // namespace warifu::ek_trust
