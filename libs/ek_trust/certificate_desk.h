#pragma once

#include "audit/entry.h"
#include "ek_trust/judge.h"
#include "tpm_types/storage_key.h"

namespace warifu::ek_trust {

// An EK with the certificate that came with it: of the same key, and of one that may be challenged. Who signed the
// certificate is another question.
class CertifiedEk {
 public:
  // kInvalidInput "ek_certificate.key": it is of another key; "ek_certificate.size". kRefused with the code of
  // EkCertificate::check_challenge(): whoever enrolls an EK has it challenged.
  static Result<CertifiedEk> make(const tpm::EkPublic& ek, endorsement::EkCertificate certificate);

  ByteView ek_name() const { return ek_name_; }
  const endorsement::EkCertificate& certificate() const { return certificate_; }

 private:
  CertifiedEk(Bytes ek_name, endorsement::EkCertificate certificate)
      : ek_name_(std::move(ek_name)), certificate_(std::move(certificate)) {}

  Bytes ek_name_;
  endorsement::EkCertificate certificate_;
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
};

// Keeps the EK certificates that operators hand in with EKs. They stay when an enrollment goes, as its device does.
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

 private:
  const Clock& clock_;
};

// "store.corrupt" when it does not parse any more.
Result<endorsement::EkCertificate> certificate_of(const StoredEkCertificate& stored);

}  // namespace warifu::ek_trust
