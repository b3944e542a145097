#pragma once

#include <cstddef>
#include <string>

#include "audit/entry.h"
#include "audit/requester.h"
#include "base/entropy.h"
#include "base/time.h"
#include "crypto/public_key.h"
#include "endorsement/flaws/flaw_table.h"
#include "endorsement/flaws/quirks.h"
#include "verifier/policy_desk.h"
#include "verifier/records.h"

namespace warifu::verifier {

// Of one document.
inline constexpr std::size_t kPackageSizeMax = 1024 * 1024;

// A package that the key signed and that loads: nothing else makes one.
class SignedPackage {
 public:
  // "endorsement.data.signature" (kRefused), "data_package.key" (kInvalidInput) for no public key in PEM, and the codes
  // of FlawTable::load() or FirmwareQuirks::load().
  static Result<SignedPackage> check(PackageKind kind, std::string document, Bytes signature, const std::string& key);

  PackageKind kind() const { return kind_; }
  // nullptr: it is of the other kind.
  const endorsement::FlawTable* flaws() const { return flaws_ ? &*flaws_ : nullptr; }

 private:
  friend class PackageDesk;
  SignedPackage(PackageKind kind, std::string document, Bytes signature, crypto::PublicKey key)
      : kind_(kind), document_(std::move(document)), signature_(std::move(signature)), key_(std::move(key)) {}

  PackageKind kind_;
  std::string document_;
  Bytes signature_;
  crypto::PublicKey key_;
  std::optional<endorsement::FlawTable> flaws_;
};

struct PutPackage {
  PackageInfo package;
  PolicyOutcome outcome;
};

// Data packages of a scope, one of each kind. The changes run inside a transaction and leave their audit entry, with
// the digests of the document and of the key that signed it.
class PackageDesk {
 public:
  PackageDesk(const Clock& clock, Entropy& entropy) : clock_(clock), entropy_(entropy) {}

  // `expected`: the revision that it takes the place of. kConflict "data_package.revision" if another stands, or none.
  Result<PutPackage> put(Records& records, audit::Trail& trail, const audit::Requester& who,
                         const SignedPackage& package, const std::optional<Uuid>& expected) const;
  // kNotFound "data_package.unknown", kConflict "data_package.revision".
  Status remove(Records& records, audit::Trail& trail, const audit::Requester& who, PackageKind kind,
                const std::optional<Uuid>& expected) const;

 private:
  const Clock& clock_;
  Entropy& entropy_;
};

Error unknown_package(PackageKind kind);

}  // namespace warifu::verifier
