#pragma once

#include "store/connection.h"
#include "store/event_writer.h"
#include "verifier/records.h"

namespace warifu::store {

// Everything of verifier::Records in SQL: AKs and policies in sql_verifier.cpp, ledgers in
// sql_attestation_ledgers.cpp, evidence in sql_evidence.cpp, boot logs in sql_boot_logs.cpp, data packages in
// sql_data_packages.cpp. It counts the rows that
// need no audit entry, so that a transaction can tell them from those that do.
class SqlVerifierRecords final : public verifier::Records {
 public:
  // Without `events` (for who only reads) nobody is told of what is written.
  explicit SqlVerifierRecords(Connection& connection, EventWriter* events = nullptr)
      : connection_(connection), events_(events) {}

  Result<std::optional<verifier::BoundAk>> find_ak(const ScopeId& scope, const RegistrationId& id) override;
  Result<std::optional<verifier::Ledger>> find_ledger(const ScopeId& scope, const RegistrationId& id) override;
  Result<std::vector<verifier::LedgerInfo>> list_ledgers(const ScopeId& scope, const verifier::Page& page) override;
  Result<std::vector<verifier::LedgerInfo>> list_due(const ScopeId& scope, const verifier::DueKey& after,
                                                     Timestamp before, std::size_t limit) override;
  Result<std::vector<verifier::LedgerInfo>> list_silent(const ScopeId& scope, const verifier::DueKey& after,
                                                        Timestamp before, std::size_t limit) override;
  Result<bool> has_event_log(const ScopeId& scope, ByteView sha256) override;
  Result<std::optional<verifier::StoredEventLog>> find_event_log(const ScopeId& scope, ByteView sha256) override;
  Result<std::vector<Bytes>> list_unused_event_logs(const ScopeId& scope, Timestamp before, std::size_t limit) override;
  Result<std::optional<verifier::KeptEvidence>> find_whole_evidence(const ScopeId& scope,
                                                                    const RegistrationId& id) override;
  Result<std::vector<verifier::EvidenceInfo>> list_evidence(const ScopeId& scope, const RegistrationId& id,
                                                            std::int64_t before, std::size_t limit) override;
  Result<std::optional<verifier::KeptEvidence>> find_evidence(const ScopeId& scope, const RegistrationId& id,
                                                              std::int64_t number) override;
  Result<std::optional<verifier::PolicyInfo>> find_policy_info(const ScopeId& scope, std::string_view target) override;
  Result<std::optional<verifier::StoredPolicy>> find_policy(const ScopeId& scope, std::string_view target) override;
  Result<std::vector<verifier::PolicyInfo>> list_policies(const ScopeId& scope, const verifier::Page& page) override;

  Result<std::optional<verifier::PackageInfo>> find_package_info(const ScopeId& scope,
                                                                 verifier::PackageKind kind) override;
  Result<std::optional<verifier::StoredPackage>> find_package(const ScopeId& scope,
                                                              verifier::PackageKind kind) override;

  Status put_ak(const verifier::BoundAk& ak) override;
  Status put_ledger(const verifier::Ledger& ledger, std::int64_t from) override;
  Status advance_ledger(const verifier::Ledger& ledger, std::int64_t from) override;
  Status remove_ledger(const ScopeId& scope, const RegistrationId& id) override;
  Status remove_attester(const ScopeId& scope, const RegistrationId& id) override;
  Status put_event_log(const verifier::StoredEventLog& log) override;
  Status remove_unused_event_log(const ScopeId& scope, ByteView sha256) override;
  Status keep_evidence(const verifier::KeptEvidence& evidence, std::size_t kept_max) override;
  Status put_policy(const verifier::StoredPolicy& policy) override;
  Status remove_policy(const ScopeId& scope, std::string_view target) override;
  Status put_package(const verifier::StoredPackage& package) override;
  Status remove_package(const ScopeId& scope, verifier::PackageKind kind) override;

  // How many rows were written that need no audit entry.
  std::int64_t unaudited_rows() const { return unaudited_rows_; }

 private:
  Status insert_ledger(const verifier::Ledger& ledger);
  Status replace_ledger(const verifier::Ledger& ledger, std::int64_t from);
  Result<std::optional<attestation::Tier>> find_overall(const ScopeId& scope, const RegistrationId& id);
  Status run_unaudited(Query& query);

  Connection& connection_;
  EventWriter* events_;
  std::int64_t unaudited_rows_ = 0;
};

}  // namespace warifu::store
