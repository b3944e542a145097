#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "endorsement/ek/revocation_list.h"
#include "endorsement/ek/vendor.h"
#include "endorsement/ek/x509.h"

namespace warifu::endorsement {

// An authority that an operator trusts. A root need not be signed by itself: some manufacturers' are not.
struct TrustedRoot {
  X509Certificate certificate;
  // For whom it may speak, when the operator says so. Empty: for whom its name names.
  std::vector<VendorId> vendors;
};

// Since when an authority is not believed, and with it every certificate of the same key: issued anew, cross-signed or
// under another name. It counts for every judgement made from then on, whatever dates a
// certificate bears: whoever has an authority's key writes any date.
struct Distrust {
  std::string fingerprint_sha256;  // hexadecimal, of a root or an intermediate; its key is known if it is in the store
  Timestamp since;
  std::string reason;
};

// The numbers of a key and not their encoding: announced as rsaEncryption or id-RSAES-OAEP it is the same key. Empty
// for keys that nothing here computes with, which sign nothing.
std::string key_numbers(const SubjectKey& key);

// What EK certificates are judged by.
class RootStore {
 public:
  // "endorsement.root.authority" when it is no CA's, "endorsement.root.signature" when it names itself as its issuer
  // and its signature is not its own, "endorsement.root.full" above 20,000 authorities. What is there already is left.
  Status add_root(X509Certificate certificate, std::vector<VendorId> vendors = {});
  // Trusted by nothing but a path to a root. "endorsement.root.authority", "endorsement.root.full"
  Status add_intermediate(X509Certificate certificate);
  // Believed when the authority that it names signed it. "endorsement.root.full" above 1,000 CRLs.
  Status add_revocation_list(RevocationList crl);
  void distrust(Distrust distrust);
  // The same with its key, although it is not in the store itself.
  void distrust(const X509Certificate& authority, Timestamp since, std::string reason);

  // All that have this subject, byte for byte.
  std::vector<const TrustedRoot*> roots_named(const Name& subject) const;
  std::vector<const X509Certificate*> intermediates_named(const Name& subject) const;
  std::vector<const RevocationList*> crls_of(const X509Certificate& authority) const;
  // The earliest that names this certificate or another one of its key; nullptr without one.
  const Distrust* find_distrust(const X509Certificate& authority) const;

  std::size_t root_count() const { return roots_.size(); }
  std::size_t intermediate_count() const { return intermediates_.size(); }

 private:
  Status check_room(const X509Certificate& certificate) const;

  // By the bytes of the subject.
  std::multimap<std::string, TrustedRoot> roots_;
  std::multimap<std::string, X509Certificate> intermediates_;
  std::multimap<std::string, RevocationList> crls_;  // by issuer
  std::map<std::string, Distrust> distrusted_;
  std::map<std::string, std::string> key_of_;  // by fingerprint: the numbers of the key of each that is here
};

// Every CERTIFICATE of a PEM bundle, or one DER certificate. What is broken stops it, with its number in the file:
// "endorsement.root.certificate" for what is no certificate at all, the codes of X509Certificate::parse(),
// "endorsement.pem".
Result<std::vector<X509Certificate>> parse_certificates(ByteView content);

}  // namespace warifu::endorsement
