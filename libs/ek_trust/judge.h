#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "ek_trust/identity.h"
#include "endorsement/ek/verify.h"

namespace warifu::ek_trust {

// What an EK certificate is worth by what a scope imported: a path that holds, or why there is none.
struct Verdict {
  std::optional<endorsement::VerifiedEkCertificate> verified = {};
  std::optional<Error> refusal = {};
  std::optional<endorsement::MissingAuthority> missing = {};
};

// A question that is asked before an authority is distrusted or believed again: what if the key with this digest
// were, or were not, whatever is stored.
struct Assumption {
  Bytes key_sha256;
  bool is_distrusted = false;
};

// Judges EK certificates by what is stored in one scope. Only what can matter for a certificate is read: authorities
// are looked up by name, from its issuer upwards. Those of one issuer are read once.
class Judge {
 public:
  Judge(RecordsView& records, ScopeId scope, endorsement::JudgedAt at, std::optional<Assumption> assumption = {})
      : records_(records), scope_(std::move(scope)), at_(at), assumption_(std::move(assumption)) {}

  // `intermediates` came with it: they are believed no further than the path through them to a root that was imported,
  // and their keys may be distrusted like others. Errors are the database's, and "store.corrupt" for what it holds and
  // nothing takes any more.
  Result<Verdict> judge(const endorsement::EkCertificate& certificate,
                        const std::vector<endorsement::X509Certificate>& intermediates = {});
  // SHA-256 of every authority that stands on a path which holds. The error of endorsement::verify() in `refusal` if
  // there is none. For what strangers show: `intermediates` are proved from the top down, so that what they made
  // themselves costs one signature, and CRLs are read only when there is a path without them.
  Result<std::vector<Bytes>> authorities(const endorsement::EkCertificate& certificate,
                                         const std::vector<endorsement::X509Certificate>& intermediates,
                                         std::optional<Error>& refusal);

 private:
  using Intermediates = std::vector<endorsement::X509Certificate>;
  using Names = std::set<Bytes, BytesLess>;  // their digests

  Result<endorsement::RootStore> store_with(const endorsement::Name& issuer, const Intermediates& intermediates);
  Result<const endorsement::RootStore*> store_for(const endorsement::Name& issuer);
  Status add_all_crls(endorsement::RootStore& store, const Names& names);
  // Without their CRLs; the names that were looked up.
  Result<Names> gather(endorsement::RootStore& store, std::vector<Bytes> level);
  // Why nothing more was proved, if something was not.
  Result<std::optional<Error>> add_proved(endorsement::RootStore& store, const Intermediates& intermediates);
  Status add_named(endorsement::RootStore& store, const Bytes& name, std::vector<Bytes>& next);
  Status add_distrust(endorsement::RootStore& store, const Bytes& key_sha256,
                      const endorsement::X509Certificate& certificate);
  Status add_crls(endorsement::RootStore& store, const Bytes& name);

  RecordsView& records_;
  const ScopeId scope_;
  const endorsement::JudgedAt at_;
  const std::optional<Assumption> assumption_;
  std::map<Bytes, endorsement::RootStore, BytesLess> stores_;  // by the digest of the issuer's name
};

}  // namespace warifu::ek_trust
