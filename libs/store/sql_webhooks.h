#pragma once

#include "store/connection.h"
#include "webhooks/records.h"

namespace warifu::store {

// Everything of webhooks::Records in SQL: webhooks and their progress here, what waits in sql_webhook_deliveries.cpp.
// It counts the rows that need no audit entry, so that a transaction can tell them from those that do.
class SqlWebhookRecords final : public webhooks::Records {
 public:
  explicit SqlWebhookRecords(Connection& connection) : connection_(connection) {}

  Result<std::optional<webhooks::Webhook>> find_webhook(const ScopeId& scope, const Label& name) override;
  Result<std::vector<webhooks::Webhook>> list_webhooks(const ScopeId& scope) override;
  Result<std::vector<Label>> list_takers(const ScopeId& scope, std::string_view type) override;
  Result<std::optional<webhooks::Progress>> find_progress(const ScopeId& scope, const Label& name) override;
  Result<std::vector<webhooks::WebhookKey>> list_all() override;
  Result<std::vector<webhooks::WebhookKey>> list_due(const Uuid& node, Timestamp now) override;
  Status insert_webhook(const webhooks::Webhook& webhook) override;
  Status remove_webhook(const ScopeId& scope, const Label& name) override;
  Status put_secrets(const webhooks::Webhook& webhook) override;
  Result<bool> take_lease(const ScopeId& scope, const Label& name, const webhooks::Lease& lease,
                          Timestamp now) override;
  Status end_lease(const ScopeId& scope, const Label& name, const Uuid& node) override;
  Status put_progress(const ScopeId& scope, const Label& name, const webhooks::Progress& progress) override;

  Result<webhooks::Backlog> backlog(const ScopeId& scope, const Label& name) override;
  Result<std::optional<webhooks::Delivery>> find_due(const ScopeId& scope, const Label& name, Timestamp now) override;
  Result<std::optional<webhooks::Delivery>> find_delivery(const ScopeId& scope, const Label& name,
                                                          const Uuid& event_id) override;
  Status insert_delivery(const ScopeId& scope, const Label& name, const webhooks::Delivery& delivery) override;
  Status remove_delivery(const ScopeId& scope, const Label& name, const Uuid& event_id) override;
  Status postpone_delivery(const ScopeId& scope, const Label& name, const webhooks::Delivery& delivery) override;
  Result<std::optional<Uuid>> find_excess(const ScopeId& scope, const Label& name, std::size_t kept_max) override;
  Result<std::size_t> drop_deliveries(const ScopeId& scope, const Label& name, const webhooks::CutOff& cut_off,
                                      std::size_t limit) override;

  // How many rows were written that need no audit entry.
  std::int64_t unaudited_rows() const { return unaudited_rows_; }
  // Whether something waits now that did not before.
  bool has_appended() const { return has_appended_; }

 private:
  Status run_unaudited(Query& query);

  Connection& connection_;
  std::int64_t unaudited_rows_ = 0;
  bool has_appended_ = false;
};

}  // namespace warifu::store
