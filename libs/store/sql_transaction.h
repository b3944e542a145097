#pragma once

#include "base/entropy.h"
#include "store/sql_application_keys.h"
#include "store/sql_audit.h"
#include "store/sql_device_ca.h"
#include "store/sql_diary.h"
#include "store/sql_ek_trust.h"
#include "store/sql_operators.h"
#include "store/sql_provisioning.h"
#include "store/sql_verifier.h"
#include "store/sql_webhooks.h"
#include "store/store.h"

namespace warifu::store {

// A snapshot or a change over one connection, on which somebody else begins and ends the transaction.
class SqlSnapshot final : public Snapshot {
 public:
  explicit SqlSnapshot(Connection& connection)
      : provisioning_(connection),
        operators_(connection),
        ek_trust_(connection),
        verifier_(connection),
        webhooks_(connection),
        device_ca_(connection),
        application_keys_(connection) {}
  provisioning::RecordsView& provisioning() override { return provisioning_; }
  operators::RecordsView& operators() override { return operators_; }
  ek_trust::RecordsView& ek_trust() override { return ek_trust_; }
  verifier::RecordsView& verifier() override { return verifier_; }
  webhooks::RecordsView& webhooks() override { return webhooks_; }
  device_ca::RecordsView& device_ca() override { return device_ca_; }
  application_keys::RecordsView& application_keys() override { return application_keys_; }

 private:
  SqlProvisioningRecords provisioning_;
  SqlOperatorRecords operators_;
  SqlEkTrustRecords ek_trust_;
  SqlVerifierRecords verifier_;
  SqlWebhookRecords webhooks_;
  SqlDeviceCaRecords device_ca_;
  SqlApplicationKeyRecords application_keys_;
};

class SqlTransaction final : public Transaction {
 public:
  SqlTransaction(Connection& connection, const Clock& clock, Entropy& entropy)
      : connection_(connection),
        webhooks_(connection),
        events_(webhooks_, entropy),
        provisioning_(connection, &events_),
        operators_(connection),
        ek_trust_(connection),
        verifier_(connection, &events_),
        device_ca_(connection),
        application_keys_(connection),
        audit_(connection, clock, entropy),
        diary_(connection) {}

  provisioning::Records& provisioning() override { return provisioning_; }
  operators::Records& operators() override {
    used_operators_ = true;
    return operators_;
  }
  ek_trust::Records& ek_trust() override { return ek_trust_; }
  verifier::Records& verifier() override { return verifier_; }
  webhooks::Records& webhooks() override { return webhooks_; }
  device_ca::Records& device_ca() override { return device_ca_; }
  application_keys::Records& application_keys() override { return application_keys_; }
  // Whether there is something new to deliver.
  bool has_appended() const { return webhooks_.has_appended(); }
  // Whether what the records of operators say may have changed.
  bool used_operators() const { return used_operators_; }
  SqlAuditTrail& audit() override { return audit_; }
  const SqlAuditTrail& audit() const { return audit_; }
  SqlDiary& diary() override { return diary_; }

  // Runs `apply` and judges what it did: kInternal "store.unaudited", "store.failed", "store.exception".
  Status run(const std::function<Status(Transaction&)>& apply);

 private:
  Connection& connection_;
  SqlWebhookRecords webhooks_;
  EventWriter events_;
  SqlProvisioningRecords provisioning_;
  SqlOperatorRecords operators_;
  SqlEkTrustRecords ek_trust_;
  SqlVerifierRecords verifier_;
  SqlDeviceCaRecords device_ca_;
  SqlApplicationKeyRecords application_keys_;
  SqlAuditTrail audit_;
  SqlDiary diary_;
  bool used_operators_ = false;
};

}  // namespace warifu::store
