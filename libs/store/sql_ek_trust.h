#pragma once

#include "ek_trust/records.h"
#include "store/connection.h"

namespace warifu::store {

// Everything of ek_trust::Records in SQL: authorities in sql_ek_authorities.cpp, CRLs and EK certificates in
// sql_ek_trust.cpp.
class SqlEkTrustRecords final : public ek_trust::Records {
 public:
  explicit SqlEkTrustRecords(Connection& connection) : connection_(connection) {}

  Result<std::optional<ek_trust::Authority>> find_authority(const ScopeId& scope, ByteView sha256) override;
  Result<std::vector<ek_trust::Authority>> list_authorities(const ScopeId& scope, const ek_trust::Page& page) override;
  Result<std::vector<ek_trust::Authority>> find_authorities_named(const ScopeId& scope, ByteView subject_sha256,
                                                                  std::size_t limit) override;
  Result<std::vector<ek_trust::Authority>> find_authorities_issued_by(const ScopeId& scope, ByteView issuer_sha256,
                                                                      std::size_t limit) override;
  Result<std::vector<ek_trust::Authority>> find_authorities_of_key(const ScopeId& scope, ByteView key_sha256,
                                                                   std::size_t limit) override;
  Result<std::optional<ek_trust::Authority>> find_distrusted_of_key(const ScopeId& scope, ByteView key_sha256) override;
  Result<std::size_t> count_authorities(const ScopeId& scope, std::size_t limit) override;
  Status put_authority(const ek_trust::Authority& authority) override;

  Result<std::optional<ek_trust::CrlInfo>> find_crl(const ScopeId& scope, ByteView series_sha256) override;
  Result<std::vector<ek_trust::CrlInfo>> list_crls(const ScopeId& scope, const ek_trust::Page& page) override;
  Result<std::vector<ek_trust::StoredCrl>> find_crls_of(const ScopeId& scope, ByteView issuer_sha256,
                                                        std::size_t limit) override;
  Result<std::size_t> count_crls(const ScopeId& scope, std::size_t limit) override;
  Status put_crl(const ek_trust::StoredCrl& crl) override;

  Result<std::optional<ek_trust::StoredEkCertificate>> find_ek_certificate(const ScopeId& scope,
                                                                           ByteView ek_name) override;
  Result<std::vector<ek_trust::StoredEkCertificate>> list_ek_certificates_of(const ScopeId& scope,
                                                                             ByteView issuer_sha256,
                                                                             const ek_trust::Page& page) override;
  Status put_ek_certificate(const ek_trust::StoredEkCertificate& certificate) override;

 private:
  Result<std::vector<ek_trust::Authority>> find_authorities(Sql sql, const ScopeId& scope, ByteView digest,
                                                            std::size_t limit);

  Connection& connection_;
};

}  // namespace warifu::store
