#pragma once

#include <span>
#include <vector>
#include "audit/entry.h"

#include "ek_trust/judge.h"
#include "tpm_types/storage_key.h"

namespace warifu::ek_trust {

using Intermediates = std::vector<endorsement::X509Certificate>;

// The authorities that came with an EK certificate, read and not trusted. kInvalidInput "ek_certificate.chain": more
// than kIntermediatesMax, or larger than kIntermediatesSizeMax together; the codes of X509Certificate::parse().
Result<Intermediates> parse_intermediates(std::span<const Bytes> ders);

// An EK with the certificate that came with it: of the same key, and of one that may be challenged. Who signed the
// certificate is another question.
class CertifiedEk {
 public:
  // Of `intermediates` those are kept that lead on from the certificate, name by name, in that order. kInvalidInput
  // "ek_certificate.key": it is of another key; "ek_certificate.size". kRefused with the code of
  // EkCertificate::check_challenge(): whoever enrolls an EK has it challenged.
  static Result<CertifiedEk> make(const tpm::EkPublic& ek, endorsement::EkCertificate certificate,
                                  Intermediates intermediates = {});

  ByteView ek_name() const { return ek_name_; }
  const endorsement::EkCertificate& certificate() const { return certificate_; }
  const Intermediates& intermediates() const { return intermediates_; }

 private:
  CertifiedEk(Bytes ek_name, endorsement::EkCertificate certificate, Intermediates intermediates)
      : ek_name_(std::move(ek_name)), certificate_(std::move(certificate)), intermediates_(std::move(intermediates)) {}

  Bytes ek_name_;
  endorsement::EkCertificate certificate_;
  Intermediates intermediates_;  // the nearest to the certificate first
};

// What keeping a certificate changes.
struct KeptCertificate {
  bool is_other = false;             // than was there; that is an entry of the audit log
  std::optional<Bytes> before = {};  // SHA-256 of the one that was there
};

// A stored certificate and its worth now.
struct JudgedCertificate {
  StoredEkCertificate stored;
  endorsement::EkCertificate certificate;
  Verdict verdict;
  Intermediates intermediates = {};
};

// Through whom an EK certificate leads to a root that was imported.
struct EkVouchers {
  std::vector<Bytes> authorities = {};  // SHA-256 of each on a path that holds now; empty: `refusal`
  std::optional<Error> refusal = {};
};

// Keeps the EK certificates that operators hand in with EKs, and those by which devices came. They stay when an
// enrollment goes, as its device does.
class CertificateDesk {
 public:
  explicit CertificateDesk(const Clock& clock) : clock_(clock) {}

  // What keep() would change.
  Result<KeptCertificate> compare(RecordsView& records, const ScopeId& scope, const CertifiedEk& ek) const;
  Result<KeptCertificate> keep(Records& records, audit::Trail& trail, const Requester& who,
                               const CertifiedEk& ek) const;
  // nullopt when none came with this EK.
  Result<std::optional<JudgedCertificate>> find(RecordsView& records, const ScopeId& scope, ByteView ek_name) const;
  // The one that came, as if it were kept now; it may be there already. As find() does, it parses CRLs and verifies
  // signatures: nothing for the one writer of a store.
  Result<JudgedCertificate> judge(RecordsView& records, const ScopeId& scope, const CertifiedEk& ek) const;
  // Who vouches for it now: not only on the first path that holds, but on each. As judge().
  Result<EkVouchers> vouchers(RecordsView& records, const ScopeId& scope, const CertifiedEk& ek) const;

 private:
  const Clock& clock_;
};

// "store.corrupt" when it does not parse any more.
Result<endorsement::EkCertificate> certificate_of(const StoredEkCertificate& stored);
Result<Intermediates> intermediates_of(const StoredEkCertificate& stored);

}  // namespace warifu::ek_trust
