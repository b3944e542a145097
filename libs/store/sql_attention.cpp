// What people are asked and told: approvals and alerts.
#include <fmt/format.h>

#include "store/sql_provisioning.h"
#include "store/sql_records.h"

namespace warifu::store {
namespace {

using provisioning::Alert;
using provisioning::AlertKey;
using provisioning::Approval;
using provisioning::Page;

#define APPROVAL_COLUMNS                                                                                               \
  "scope_id, registration_id, ek_name, srk_name, requested_at, approved_at, group_id, enrollment_id, is_uncertified, " \
  "ek_public"
#define ALERT_COLUMNS \
  "scope_id, registration_id, kind, subject, detail, occurrences, first_at, last_at, acknowledged_at"

constexpr Sql kFindApproval = "SELECT " APPROVAL_COLUMNS " FROM approvals WHERE scope_id = ? AND registration_id = ?";
constexpr Sql kListApprovals = "SELECT " APPROVAL_COLUMNS
                               " FROM approvals WHERE scope_id = ? AND registration_id > ? "
                               "ORDER BY registration_id LIMIT ?";
constexpr Sql kPutApproval =
    "INSERT INTO approvals (" APPROVAL_COLUMNS
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scope_id, registration_id) DO UPDATE SET "
    "ek_name = excluded.ek_name, srk_name = excluded.srk_name, requested_at = excluded.requested_at, "
    "approved_at = excluded.approved_at, group_id = excluded.group_id, enrollment_id = excluded.enrollment_id, "
    "is_uncertified = excluded.is_uncertified, ek_public = excluded.ek_public";
constexpr Sql kCountUncertified =
    "SELECT count(*) FROM (SELECT 1 FROM approvals WHERE scope_id = ? AND enrollment_id = ? AND is_uncertified = 1 AND "
    "approved_at IS NULL LIMIT ?) AS one";
constexpr Sql kRemoveApproval = "DELETE FROM approvals WHERE scope_id = ? AND registration_id = ?";
constexpr Sql kRemoveApprovalsOfGroup = "DELETE FROM approvals WHERE scope_id = ? AND enrollment_id = ?";
constexpr Sql kRemoveApprovalsOfEk = "DELETE FROM approvals WHERE scope_id = ? AND enrollment_id = ? AND ek_name = ?";

constexpr Sql kListAlerts = "SELECT " ALERT_COLUMNS
                            " FROM alerts WHERE scope_id = ? AND (registration_id, kind, subject) > (?, ?, ?) "
                            "ORDER BY registration_id, kind, subject LIMIT ?";
constexpr Sql kListAlertsOf =
    "SELECT " ALERT_COLUMNS " FROM alerts WHERE scope_id = ? AND registration_id = ? ORDER BY kind, subject";
constexpr Sql kFindAlert =
    "SELECT " ALERT_COLUMNS " FROM alerts WHERE scope_id = ? AND registration_id = ? AND kind = ? AND subject = ?";
constexpr Sql kRaiseAlert =
    "INSERT INTO alerts (" ALERT_COLUMNS
    ") VALUES (?, ?, ?, ?, ?, 1, ?, ?, NULL) ON CONFLICT (scope_id, registration_id, kind, subject) "
    "DO UPDATE SET detail = excluded.detail, occurrences = alerts.occurrences + 1, last_at = excluded.last_at, "
    "acknowledged_at = NULL";
constexpr Sql kAcknowledgeAlert =
    "UPDATE alerts SET acknowledged_at = ? WHERE scope_id = ? AND registration_id = ? AND kind = ? AND subject = ?";

#undef APPROVAL_COLUMNS
#undef ALERT_COLUMNS

Result<Approval> to_approval(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto registration_id, row.next<RegistrationId>());
  TRY(auto ek_name, row.next<Bytes>());
  TRY(auto srk_name, row.next<Bytes>());
  TRY(const auto requested_at, row.next<Timestamp>());
  TRY(const auto approved_at, row.next<std::optional<Timestamp>>());
  TRY(auto group, row.next<std::optional<GroupId>>());
  TRY(const auto enrollment_id, row.next<std::optional<Uuid>>());
  TRY(const auto is_uncertified, row.next<bool>());
  TRY(auto ek_public, row.next<std::optional<Bytes>>());
  return Approval{std::move(scope),   std::move(registration_id),
                  std::move(ek_name), std::move(srk_name),
                  requested_at,       approved_at,
                  std::move(group),   enrollment_id,
                  is_uncertified,     std::move(ek_public).value_or(Bytes())};
}

Result<Alert> to_alert(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto registration_id, row.next<RegistrationId>());
  TRY(auto kind, row.next<std::string>());
  TRY(auto subject, row.next<std::string>());
  TRY(auto detail, row.next<std::string>());
  TRY(const auto count, row.next<std::int64_t>());
  TRY(const auto first_at, row.next<Timestamp>());
  TRY(const auto last_at, row.next<Timestamp>());
  TRY(const auto acknowledged_at, row.next<std::optional<Timestamp>>());
  return Alert{.scope = std::move(scope),
               .kind = std::move(kind),
               .registration_id = std::move(registration_id),
               .subject = std::move(subject),
               .detail = std::move(detail),
               .count = count,
               .first_at = first_at,
               .last_at = last_at,
               .acknowledged_at = acknowledged_at};
}

}  // namespace

Result<std::optional<Approval>> SqlProvisioningRecords::find_approval(const ScopeId& scope, const RegistrationId& id) {
  TRY(auto query, connection_.prepare(kFindApproval));
  query.bind(scope, id);
  return read_one(query, to_approval);
}

Result<std::vector<Approval>> SqlProvisioningRecords::list_approvals(const ScopeId& scope,
                                                                     const Page<RegistrationId>& page) {
  TRY(auto query, connection_.prepare(kListApprovals));
  query.bind(scope, after(page), limit_of(page.limit));
  return read_all(query, to_approval);
}

Status SqlProvisioningRecords::put_approval(const Approval& approval) {
  if (events_ != nullptr) {
    TRY(const auto before, find_approval(approval.scope, approval.registration_id));
    TRY_STATUS(events_->approval_put(before, approval));
  }
  const auto ek_public = approval.ek_public.empty() ? std::nullopt : std::optional<ByteView>(approval.ek_public);
  TRY(auto query, connection_.prepare(kPutApproval));
  query.bind(approval.scope, approval.registration_id, approval.ek_name, approval.srk_name, approval.requested_at,
             approval.approved_at, approval.group, approval.enrollment_id, approval.is_uncertified, ek_public);
  return query.run();
}

Result<std::size_t> SqlProvisioningRecords::count_uncertified(const ScopeId& scope, const Uuid& enrollment_id,
                                                              std::size_t limit) {
  TRY(auto query, connection_.prepare(kCountUncertified));
  query.bind(scope, enrollment_id, limit_of(limit));
  return read_count(query);
}

Status SqlProvisioningRecords::remove_approval(const ScopeId& scope, const RegistrationId& id) {
  TRY(auto query, connection_.prepare(kRemoveApproval));
  query.bind(scope, id);
  return query.run();
}

Status SqlProvisioningRecords::remove_approvals_of_group(const ScopeId& scope, const Uuid& enrollment_id) {
  TRY(auto query, connection_.prepare(kRemoveApprovalsOfGroup));
  query.bind(scope, enrollment_id);
  return query.run();
}

Status SqlProvisioningRecords::remove_approvals_of_ek(const ScopeId& scope, const Uuid& enrollment_id,
                                                      ByteView ek_name) {
  TRY(auto query, connection_.prepare(kRemoveApprovalsOfEk));
  query.bind(scope, enrollment_id, ek_name);
  return query.run();
}

Result<std::vector<Alert>> SqlProvisioningRecords::list_alerts(const ScopeId& scope, const Page<AlertKey>& page) {
  const auto key = [&](std::string_view text) { return page.after ? text : std::string_view(); };
  TRY(auto query, connection_.prepare(kListAlerts));
  if (page.after)
    query.bind(scope, page.after->registration_id, page.after->kind, page.after->subject, limit_of(page.limit));
  else
    query.bind(scope, key(""), key(""), key(""), limit_of(page.limit));
  return read_all(query, to_alert);
}

Result<std::vector<Alert>> SqlProvisioningRecords::list_alerts_of(const ScopeId& scope, const RegistrationId& id) {
  TRY(auto query, connection_.prepare(kListAlertsOf));
  query.bind(scope, id);
  return read_all(query, to_alert);
}

Result<std::optional<Alert>> SqlProvisioningRecords::find_alert(const ScopeId& scope, const AlertKey& key) {
  TRY(auto query, connection_.prepare(kFindAlert));
  query.bind(scope, key.registration_id, key.kind, key.subject);
  return read_one(query, to_alert);
}

Status SqlProvisioningRecords::raise_alert(const Alert& alert) {
  if (events_ != nullptr) {
    TRY(const auto before, find_alert(alert.scope, {alert.registration_id, alert.kind, alert.subject}));
    TRY_STATUS(events_->alert_raised(before, alert));
  }
  TRY(auto query, connection_.prepare(kRaiseAlert));
  query.bind(alert.scope, alert.registration_id, alert.kind, alert.subject, alert.detail, alert.first_at,
             alert.last_at);
  return query.run();
}

Status SqlProvisioningRecords::acknowledge_alert(const ScopeId& scope, const AlertKey& key, Timestamp at) {
  TRY(auto query, connection_.prepare(kAcknowledgeAlert));
  query.bind(at, scope, key.registration_id, key.kind, key.subject);
  TRY_STATUS(query.run());
  if (connection_.changes() == 1) return {};
  return Error{ErrorKind::kNotFound, "alert.unknown",
               fmt::format("{} has no alert {} about {}", key.registration_id.text(), key.kind, key.subject)};
}

}  // namespace warifu::store
