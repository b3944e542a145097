#include "store/sql_operators.h"
#include "store/sql_records.h"

namespace warifu::store {
namespace {

constexpr Sql kFind =
    "SELECT sealed_answer FROM idempotency_keys "
    "WHERE scope_id = ? AND token_id = ? AND route = ? AND idempotency_key = ?";
constexpr Sql kInsert =
    "INSERT INTO idempotency_keys (scope_id, token_id, route, idempotency_key, sealed_answer, created_at) "
    "VALUES (?, ?, ?, ?, ?, ?)";
constexpr Sql kPurge = "DELETE FROM idempotency_keys WHERE scope_id = ? AND created_at < ?";

Result<Bytes> to_answer(Row row) {
  return row.next<Bytes>();
}

}  // namespace

Result<std::optional<Bytes>> SqlOperatorRecords::find_idempotent_answer(const operators::IdempotencyPlace& place) {
  TRY(auto query, connection_.prepare(kFind));
  query.bind(place.scope, place.token_id, place.route, place.key);
  return read_one(query, to_answer);
}

Status SqlOperatorRecords::insert_idempotent_answer(const operators::IdempotentAnswer& answer) {
  const auto& place = answer.place;
  TRY(auto query, connection_.prepare(kInsert));
  query.bind(place.scope, place.token_id, place.route, place.key, answer.sealed_answer, answer.created_at);
  return name_conflict(query.run(), "idempotency.exists", "an answer under the Idempotency-Key", place.key);
}

Result<std::size_t> SqlOperatorRecords::purge_idempotent_answers(const ScopeId& scope, Timestamp before) {
  TRY(auto query, connection_.prepare(kPurge));
  query.bind(scope, before);
  TRY_STATUS(query.run());
  return static_cast<std::size_t>(connection_.changes());
}

}  // namespace warifu::store
