#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/requester.h"
#include "base/ids.h"
#include "base/time.h"
#include "endorsement/ek/vendor.h"

namespace warifu::ek_trust {

using audit::Requester;

enum class Role {
  kRoot,          // trusted by itself
  kIntermediate,  // trusted by nothing but a path to a root
};
std::string_view to_string(Role role);  // "root", "intermediate"
Result<Role> parse_role(std::string_view text);

// Since when an authority is not believed (endorsement::Distrust), and why.
struct Mark {
  Timestamp since;
  std::string reason;
};

// An authority that an operator imported. Digests are SHA-256: names and certificates are found by them, byte for byte.
struct Authority {
  ScopeId scope;
  Bytes sha256;  // of its certificate
  Bytes subject_sha256;
  Bytes issuer_sha256;
  Bytes key_sha256;  // of endorsement::key_numbers(); of a key without any, its certificate
  Role role = Role::kRoot;
  std::vector<endorsement::VendorId> vendors = {};  // for whom a root may speak; empty: for whom its name names
  Bytes certificate;                                // DER
  std::optional<Mark> distrust = {};                // of this certificate; another one of its key may have one too
  Timestamp imported_at;
};

// What is said of a CRL without reading it.
struct CrlInfo {
  ScopeId scope;
  Bytes series_sha256;  // of its issuer's name and key and of its distribution point: a newer one takes its place
  Bytes sha256;         // of the CRL
  Bytes issuer_sha256;
  std::string issuer;  // RFC 4514, for people
  std::int64_t entries = 0;
  bool is_partial = false;
  Timestamp this_update;
  std::optional<Timestamp> next_update;
  Timestamp imported_at;
};
struct StoredCrl {
  CrlInfo info;
  Bytes der;
};

// The EK certificate that came with an EK. Nothing of it is believed for being here.
struct StoredEkCertificate {
  ScopeId scope;
  Bytes ek_name;
  Bytes sha256;
  Bytes issuer_sha256;
  Bytes der;
  Timestamp stored_at;
  Bytes intermediates = {};  // the authorities that came with it: DER, one after another, the nearest first
  std::vector<Bytes> further_issuers_sha256 = {};  // of the names that these have for their issuers; only written
};

// A page in the order of a key of bytes: what comes after `after`, at most `limit`. Every key comes after the empty
// one.
struct Page {
  Bytes after;
  std::size_t limit;
};

// What is read; errors are the database's own.
class RecordsView {
 public:
  virtual ~RecordsView() = default;
  virtual Result<std::optional<Authority>> find_authority(const ScopeId& scope, ByteView sha256) = 0;
  // By the digest of their certificates.
  virtual Result<std::vector<Authority>> list_authorities(const ScopeId& scope, const Page& page) = 0;
  virtual Result<std::vector<Authority>> find_authorities_named(const ScopeId& scope, ByteView subject_sha256,
                                                                std::size_t limit) = 0;
  virtual Result<std::vector<Authority>> find_authorities_issued_by(const ScopeId& scope, ByteView issuer_sha256,
                                                                    std::size_t limit) = 0;
  virtual Result<std::vector<Authority>> find_authorities_of_key(const ScopeId& scope, ByteView key_sha256,
                                                                 std::size_t limit) = 0;
  // The one of that key that is distrusted since the earliest time.
  virtual Result<std::optional<Authority>> find_distrusted_of_key(const ScopeId& scope, ByteView key_sha256) = 0;
  // Counts to `limit` only.
  virtual Result<std::size_t> count_authorities(const ScopeId& scope, std::size_t limit) = 0;

  virtual Result<std::optional<CrlInfo>> find_crl(const ScopeId& scope, ByteView series_sha256) = 0;
  // By series.
  virtual Result<std::vector<CrlInfo>> list_crls(const ScopeId& scope, const Page& page) = 0;
  virtual Result<std::vector<StoredCrl>> find_crls_of(const ScopeId& scope, ByteView issuer_sha256,
                                                      std::size_t limit) = 0;
  virtual Result<std::size_t> count_crls(const ScopeId& scope, std::size_t limit) = 0;

  virtual Result<std::optional<StoredEkCertificate>> find_ek_certificate(const ScopeId& scope, ByteView ek_name) = 0;
  // Those that name this issuer, or came with an authority that does, by EK Name.
  virtual Result<std::vector<StoredEkCertificate>> list_ek_certificates_of(const ScopeId& scope, ByteView issuer_sha256,
                                                                           const Page& page) = 0;
};

class Records : public RecordsView {
 public:
  // Each inserts, or replaces what is stored under its key, but for imported_at of an authority.
  virtual Status put_authority(const Authority& authority) = 0;
  virtual Status put_crl(const StoredCrl& crl) = 0;
  virtual Status put_ek_certificate(const StoredEkCertificate& certificate) = 0;
};

}  // namespace warifu::ek_trust
