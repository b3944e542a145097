#pragma once

#include "verifier/records.h"

namespace warifu::verifier::test {

// Records of which there are none: a test overrides those that it has, and asking for another one fails it.
class NoRecords : public RecordsView {
 public:
  Result<std::optional<PolicyInfo>> find_policy_info(const ScopeId&, std::string_view) override { return absent(); }
  Result<std::optional<StoredPolicy>> find_policy(const ScopeId&, std::string_view) override { return absent(); }
  Result<std::vector<PolicyInfo>> list_policies(const ScopeId&, const Page&) override { return absent(); }
  Result<std::optional<BoundAk>> find_ak(const ScopeId&, const RegistrationId&) override { return absent(); }
  Result<std::optional<Ledger>> find_ledger(const ScopeId&, const RegistrationId&) override { return absent(); }
  Result<std::vector<LedgerInfo>> list_ledgers(const ScopeId&, const Page&) override { return absent(); }
  Result<std::vector<LedgerInfo>> list_due(const ScopeId&, const DueKey&, Timestamp, std::size_t) override {
    return absent();
  }
  Result<std::vector<LedgerInfo>> list_silent(const ScopeId&, const DueKey&, Timestamp, std::size_t) override {
    return absent();
  }
  Result<bool> has_event_log(const ScopeId&, ByteView) override { return absent(); }
  Result<std::optional<StoredEventLog>> find_event_log(const ScopeId&, ByteView) override { return absent(); }
  Result<std::vector<Bytes>> list_unused_event_logs(const ScopeId&, Timestamp, std::size_t) override {
    return absent();
  }
  Result<std::vector<EvidenceInfo>> list_evidence(const ScopeId&, const RegistrationId&, std::int64_t,
                                                  std::size_t) override {
    return absent();
  }
  Result<std::optional<KeptEvidence>> find_whole_evidence(const ScopeId&, const RegistrationId&) override {
    return absent();
  }
  Result<std::optional<KeptEvidence>> find_evidence(const ScopeId&, const RegistrationId&, std::int64_t) override {
    return absent();
  }
  Result<std::optional<PackageInfo>> find_package_info(const ScopeId&, PackageKind) override { return absent(); }
  Result<std::optional<StoredPackage>> find_package(const ScopeId&, PackageKind) override { return absent(); }

 private:
  static Error absent() { return {ErrorKind::kInternal, "test.absent", "there is no such record in this test"}; }
};

}  // namespace warifu::verifier::test
