#include "store/sql_records.h"
#include "store/sql_verifier.h"
#include "wire/writer.h"

namespace warifu::store {
namespace {

using verifier::AppliedPolicy;
using verifier::ImaProgress;
using verifier::Ledger;
using verifier::LedgerInfo;

#define LEDGER_COLUMNS                                                                                              \
  "scope_id, registration_id, ak_name, revision, clock_ms, reset_count, restart_count, is_safe, firmware_version, " \
  "nonce_at, boot_id, null_name, event_log_sha256, ima_replay, ima_offset, ima_entries, ima_worst, overall, "       \
  "result, policy_target, policy_revision, attested_at, next_due_at, passes, qualified_signer"
#define INFO_COLUMNS "registration_id, overall, attested_at, next_due_at, policy_target, policy_revision, passes"
#define ADVANCED                                                                                         \
  "revision = ?, clock_ms = ?, reset_count = ?, restart_count = ?, is_safe = ?, firmware_version = ?, "  \
  "nonce_at = ?, null_name = ?, event_log_sha256 = ?, ima_replay = ?, ima_offset = ?, ima_entries = ?, " \
  "ima_worst = ?, result = ?, attested_at = ?, next_due_at = ?, passes = ?, policy_revision = ?, "       \
  "qualified_signer = ?"
#define KEY "scope_id = ? AND registration_id = ? AND revision = ?"

constexpr Sql kFind = "SELECT " LEDGER_COLUMNS " FROM attestation_ledgers WHERE scope_id = ? AND registration_id = ?";
constexpr Sql kFindOverall = "SELECT overall FROM attestation_ledgers WHERE scope_id = ? AND registration_id = ?";
constexpr Sql kList = "SELECT " INFO_COLUMNS
                      " FROM attestation_ledgers WHERE scope_id = ? AND registration_id > ? "
                      "ORDER BY registration_id LIMIT ?";
constexpr Sql kListDue = "SELECT " INFO_COLUMNS
                         " FROM attestation_ledgers WHERE scope_id = ? AND next_due_at < ? AND "
                         "(next_due_at > ? OR (next_due_at = ? AND registration_id > ?)) "
                         "ORDER BY next_due_at, registration_id LIMIT ?";
// The expression of the index attestation_ledgers_silent, and of verifier::silent_at().
#define SILENT_AT "(3 * next_due_at - 2 * attested_at)"
constexpr Sql kListSilent =
    "SELECT " INFO_COLUMNS " FROM attestation_ledgers WHERE scope_id = ? AND " SILENT_AT " < ? AND " SILENT_AT
    " >= ? AND (" SILENT_AT " > ? OR registration_id > ?) ORDER BY " SILENT_AT ", registration_id LIMIT ?";
constexpr Sql kInsert = "INSERT INTO attestation_ledgers (" LEDGER_COLUMNS
                        ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                        "ON CONFLICT (scope_id, registration_id) DO NOTHING";
constexpr Sql kReplace =
    "UPDATE attestation_ledgers SET " ADVANCED ", ak_name = ?, boot_id = ?, overall = ?, policy_target = ? WHERE " KEY;
// What would be news makes it fail.
constexpr Sql kAdvance = "UPDATE attestation_ledgers SET " ADVANCED " WHERE " KEY
                         " AND ak_name = ? AND boot_id = ? AND overall = ? AND coalesce(policy_target, '') = ?";
constexpr Sql kRemove = "DELETE FROM attestation_ledgers WHERE scope_id = ? AND registration_id = ?";

#undef LEDGER_COLUMNS
#undef INFO_COLUMNS
#undef ADVANCED
#undef KEY
#undef SILENT_AT

// A number of 64 bits, which an INTEGER cannot hold.
Bytes to_column(std::uint64_t number) {
  return wire::Writer().u64(number).take();
}

Result<std::uint64_t> next_u64(Row& row, std::string_view column) {
  TRY(const auto bytes, row.next<Bytes>());
  if (bytes.size() != 8) return Error{ErrorKind::kInternal, "store.corrupt", "expected 8 bytes", std::string(column)};
  std::uint64_t number = 0;
  for (const std::uint8_t byte : bytes)
    number = number << 8 | byte;
  return number;
}

Result<std::optional<AppliedPolicy>> next_policy(Row& row) {
  TRY(auto target, row.next<std::optional<std::string>>());
  TRY(const auto revision, row.next<std::optional<Uuid>>());
  if (!target || !revision) return std::optional<AppliedPolicy>();
  return std::optional(AppliedPolicy{*std::move(target), *revision});
}

Status read_quote(Row& row, attestation::QuoteState& quote) {
  TRY(quote.clock.clock_ms, next_u64(row, "attestation_ledgers.clock_ms"));
  TRY(const auto resets, row.next<std::int64_t>());
  TRY(const auto restarts, row.next<std::int64_t>());
  quote.clock.reset_count = static_cast<std::uint32_t>(resets);
  quote.clock.restart_count = static_cast<std::uint32_t>(restarts);
  TRY(quote.clock.safe, row.next<bool>());
  TRY(quote.firmware_version, next_u64(row, "attestation_ledgers.firmware_version"));
  return {};
}

Status read_ima(Row& row, std::optional<ImaProgress>& ima) {
  TRY(auto replay, row.next<std::optional<Bytes>>());
  TRY(const auto offset, row.next<std::int64_t>());
  TRY(const auto entries, row.next<std::int64_t>());
  TRY(const auto worst, read_name(row, attestation::parse_tier, "attestation_ledgers.ima_worst"));
  if (replay)
    ima =
        ImaProgress{*std::move(replay), static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(entries), worst};
  return {};
}

Result<Ledger> to_ledger(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto id, row.next<RegistrationId>());
  Ledger ledger{.scope = std::move(scope), .registration_id = std::move(id)};
  TRY(ledger.ak_name, row.next<Bytes>());
  TRY(ledger.revision, row.next<std::int64_t>());
  TRY_STATUS(read_quote(row, ledger.quote));
  TRY(ledger.nonce_at, row.next<Timestamp>());
  TRY(ledger.boot_id, row.next<std::string>());
  TRY(ledger.null_name, row.next<std::optional<Bytes>>());
  TRY(ledger.event_log_sha256, row.next<Bytes>());
  TRY_STATUS(read_ima(row, ledger.ima));
  TRY(ledger.overall, read_name(row, attestation::parse_tier, "attestation_ledgers.overall"));
  TRY(ledger.result, row.next<std::string>());
  TRY(ledger.policy, next_policy(row));
  TRY(ledger.attested_at, row.next<Timestamp>());
  TRY(ledger.next_due_at, row.next<Timestamp>());
  TRY(ledger.passes, row.next<std::int64_t>());
  TRY(ledger.quote.qualified_signer, row.next<Bytes>());
  return ledger;
}

Result<LedgerInfo> to_info(Row row) {
  TRY(auto id, row.next<RegistrationId>());
  TRY(const auto overall, read_name(row, attestation::parse_tier, "attestation_ledgers.overall"));
  TRY(const auto attested_at, row.next<Timestamp>());
  TRY(const auto next_due_at, row.next<Timestamp>());
  TRY(auto policy, next_policy(row));
  TRY(const auto passes, row.next<std::int64_t>());
  return LedgerInfo{std::move(id), overall, attested_at, next_due_at, std::move(policy), passes};
}

Result<attestation::Tier> to_overall(Row row) {
  return read_name(row, attestation::parse_tier, "attestation_ledgers.overall");
}

// What a ledger says in columns, to be bound in place.
struct Columns {
  explicit Columns(const Ledger& ledger)
      : clock(to_column(ledger.quote.clock.clock_ms)),
        firmware(to_column(ledger.quote.firmware_version)),
        resets(ledger.quote.clock.reset_count),
        restarts(ledger.quote.clock.restart_count) {
    if (ledger.policy) {
      target = ledger.policy->target;
      revision = ledger.policy->revision;
    }
    if (!ledger.ima) return;
    replay = ledger.ima->replay;
    offset = static_cast<std::int64_t>(ledger.ima->offset);
    entries = static_cast<std::int64_t>(ledger.ima->entries);
    worst = to_string(ledger.ima->worst);
  }

  Bytes clock;
  Bytes firmware;
  std::int64_t resets;
  std::int64_t restarts;
  std::optional<std::string> target;
  std::optional<Uuid> revision;
  std::optional<Bytes> replay;
  std::int64_t offset = 0;
  std::int64_t entries = 0;
  std::string_view worst = to_string(attestation::Tier::kNone);
};

Error raced() {
  return {ErrorKind::kConflict, "attestation.raced",
          "other evidence of this device was judged at the same time: ask for a nonce anew"};
}

}  // namespace

Result<std::optional<Ledger>> SqlVerifierRecords::find_ledger(const ScopeId& scope, const RegistrationId& id) {
  TRY(auto query, connection_.prepare(kFind));
  query.bind(scope, id);
  return read_one(query, to_ledger);
}

Result<std::vector<LedgerInfo>> SqlVerifierRecords::list_ledgers(const ScopeId& scope, const verifier::Page& page) {
  TRY(auto query, connection_.prepare(kList));
  query.bind(scope, page.after, limit_of(page.limit));
  return read_all(query, to_info);
}

Result<std::vector<LedgerInfo>> SqlVerifierRecords::list_due(const ScopeId& scope, const verifier::DueKey& after,
                                                             Timestamp before, std::size_t limit) {
  TRY(auto query, connection_.prepare(kListDue));
  query.bind(scope, before, after.due_at, after.due_at, after.registration_id, limit_of(limit));
  return read_all(query, to_info);
}

Result<std::vector<LedgerInfo>> SqlVerifierRecords::list_silent(const ScopeId& scope, const verifier::DueKey& after,
                                                                Timestamp before, std::size_t limit) {
  TRY(auto query, connection_.prepare(kListSilent));
  query.bind(scope, before, after.due_at, after.due_at, after.registration_id, limit_of(limit));
  return read_all(query, to_info);
}

Status SqlVerifierRecords::insert_ledger(const Ledger& ledger) {
  const Columns c(ledger);
  TRY(auto query, connection_.prepare(kInsert));
  query.bind(ledger.scope, ledger.registration_id, ledger.ak_name, ledger.revision, c.clock, c.resets, c.restarts,
             ledger.quote.clock.safe, c.firmware, ledger.nonce_at, ledger.boot_id, ledger.null_name,
             ledger.event_log_sha256, c.replay, c.offset, c.entries, c.worst, to_string(ledger.overall), ledger.result,
             c.target, c.revision, ledger.attested_at, ledger.next_due_at, ledger.passes,
             ledger.quote.qualified_signer);
  TRY_STATUS(query.run());
  if (connection_.changes() == 1) return {};
  return raced();
}

Result<std::optional<attestation::Tier>> SqlVerifierRecords::find_overall(const ScopeId& scope,
                                                                          const RegistrationId& id) {
  TRY(auto query, connection_.prepare(kFindOverall));
  query.bind(scope, id);
  return read_one(query, to_overall);
}

Status SqlVerifierRecords::put_ledger(const Ledger& ledger, std::int64_t from) {
  std::optional<attestation::Tier> before;
  if (from != 0 && events_ != nullptr) {
    TRY(before, find_overall(ledger.scope, ledger.registration_id));
  }
  TRY_STATUS(from == 0 ? insert_ledger(ledger) : replace_ledger(ledger, from));
  return events_ == nullptr ? Status() : events_->attestation_recorded(before, ledger);
}

Status SqlVerifierRecords::replace_ledger(const Ledger& ledger, std::int64_t from) {
  const Columns c(ledger);
  TRY(auto query, connection_.prepare(kReplace));
  query.bind(ledger.revision, c.clock, c.resets, c.restarts, ledger.quote.clock.safe, c.firmware, ledger.nonce_at,
             ledger.null_name, ledger.event_log_sha256, c.replay, c.offset, c.entries, c.worst, ledger.result,
             ledger.attested_at, ledger.next_due_at, ledger.passes, c.revision, ledger.quote.qualified_signer,
             ledger.ak_name, ledger.boot_id, to_string(ledger.overall), c.target, ledger.scope, ledger.registration_id,
             from);
  TRY_STATUS(query.run());
  if (connection_.changes() == 1) return {};
  return raced();
}

Status SqlVerifierRecords::advance_ledger(const Ledger& ledger, std::int64_t from) {
  const Columns c(ledger);
  const std::string target = c.target.value_or("");
  TRY(auto query, connection_.prepare(kAdvance));
  query.bind(ledger.revision, c.clock, c.resets, c.restarts, ledger.quote.clock.safe, c.firmware, ledger.nonce_at,
             ledger.null_name, ledger.event_log_sha256, c.replay, c.offset, c.entries, c.worst, ledger.result,
             ledger.attested_at, ledger.next_due_at, ledger.passes, c.revision, ledger.quote.qualified_signer,
             ledger.scope, ledger.registration_id, from, ledger.ak_name, ledger.boot_id, to_string(ledger.overall),
             target);
  TRY_STATUS(run_unaudited(query));
  if (connection_.changes() == 1) return {};
  return raced();
}

Status SqlVerifierRecords::remove_ledger(const ScopeId& scope, const RegistrationId& id) {
  TRY(auto query, connection_.prepare(kRemove));
  query.bind(scope, id);
  return query.run();
}

}  // namespace warifu::store
