#include "store/sql_challenges.h"

#include <fmt/format.h>

#include "store/sql_records.h"

namespace warifu::store {
namespace {

using provisioning::SealedChallenge;

// Counting goes through the rows: not for every request of a flood.
constexpr std::chrono::seconds kCountInterval{1};

#define CHALLENGE_COLUMNS \
  "challenge_id, enrollment_id, sealed_key, ek_name, ek_public, srk_name, srk_public, expires_at"

constexpr Sql kInsert =
    "INSERT INTO challenges (" CHALLENGE_COLUMNS ", scope_id, registration_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr Sql kFind = "SELECT " CHALLENGE_COLUMNS
                      " FROM challenges WHERE scope_id = ? AND registration_id = ? AND expires_at > ? "
                      "ORDER BY expires_at DESC, challenge_id DESC LIMIT ?";
constexpr Sql kCountOfRegistration =
    "SELECT count(*) FROM challenges WHERE scope_id = ? AND registration_id = ? AND expires_at > ?";
constexpr Sql kKeepNewest =
    "DELETE FROM challenges WHERE scope_id = ? AND registration_id = ? AND challenge_id NOT IN "
    "(SELECT newest.challenge_id FROM challenges AS newest WHERE newest.scope_id = ? AND newest.registration_id = ? "
    "ORDER BY newest.expires_at DESC, newest.challenge_id DESC LIMIT ?)";
constexpr Sql kRemove = "DELETE FROM challenges WHERE scope_id = ? AND registration_id = ? AND challenge_id = ?";
constexpr Sql kPurge = "DELETE FROM challenges WHERE expires_at <= ?";
constexpr Sql kCount = "SELECT count(*) FROM (SELECT 1 AS one FROM challenges WHERE expires_at > ? LIMIT ?) AS live";

#undef CHALLENGE_COLUMNS

constexpr auto kPerRegistration = static_cast<std::int64_t>(provisioning::Challenges::kOutstandingPerRegistrationMax);

Result<SealedChallenge> to_challenge(Row row) {
  TRY(const auto challenge_id, row.next<Uuid>());
  TRY(const auto enrollment_id, row.next<Uuid>());
  TRY(auto sealed_key, row.next<Bytes>());
  TRY(auto ek_name, row.next<Bytes>());
  TRY(auto ek_public, row.next<Bytes>());
  TRY(auto srk_name, row.next<Bytes>());
  TRY(auto srk_public, row.next<Bytes>());
  TRY(const auto expires_at, row.next<Timestamp>());
  return SealedChallenge{challenge_id,         enrollment_id,       std::move(sealed_key), std::move(ek_name),
                         std::move(ek_public), std::move(srk_name), std::move(srk_public), expires_at};
}

Result<std::int64_t> count_of(Query& query) {
  TRY_STATUS(query.step());
  return query.row().next<std::int64_t>();
}

}  // namespace

Status SqlChallenges::add(const ScopeId& scope, const RegistrationId& registration, SealedChallenge challenge,
                          Timestamp now) {
  return writes_.run([&](Connection& connection) -> Status {
    TRY_STATUS(check_room(connection, scope, registration, now));
    {
      TRY(auto query, connection.prepare(kInsert));
      query.bind(challenge.challenge_id, challenge.enrollment_id, challenge.sealed_key, challenge.ek_name,
                 challenge.ek_public, challenge.srk_name, challenge.srk_public, challenge.expires_at, scope,
                 registration);
      TRY_STATUS(query.run());
    }
    TRY(auto query, connection.prepare(kKeepNewest));
    query.bind(scope, registration, scope, registration, kPerRegistration);
    TRY_STATUS(query.run());
    const std::lock_guard lock(mutex_);
    if (connection.changes() == 0) ++size_;
    return {};
  });
}

Status SqlChallenges::check_room(Connection& connection, const ScopeId& scope, const RegistrationId& registration,
                                 Timestamp now) {
  if (must_count(now)) TRY_STATUS(count(connection, now));
  if (size() < limit_) return {};
  TRY(auto query, connection.prepare(kCountOfRegistration));
  query.bind(scope, registration, now);
  TRY(const auto outstanding, count_of(query));
  if (outstanding >= kPerRegistration) return {};
  return Error{ErrorKind::kThrottled, "challenge.too_many",
               fmt::format("{} challenges are outstanding, which is the limit: try again in a minute", limit_)};
}

// Where there is room for sure, the other nodes' share is asked for seldom.
bool SqlChallenges::must_count(Timestamp now) const {
  const std::lock_guard lock(mutex_);
  const auto interval = size_ < limit_ / 2 ? 10 * kCountInterval : kCountInterval;
  return counted_at_ == Timestamp::min() || now >= counted_at_ + interval || now < counted_at_;
}

Status SqlChallenges::count(Connection& connection, Timestamp now) {
  TRY(auto query, connection.prepare(kCount));
  query.bind(now, static_cast<std::int64_t>(limit_));
  TRY(const auto counted, count_of(query));
  const std::lock_guard lock(mutex_);
  size_ = static_cast<std::size_t>(counted);
  counted_at_ = now;
  return {};
}

Result<std::vector<SealedChallenge>> SqlChallenges::find(const ScopeId& scope, const RegistrationId& registration,
                                                         Timestamp now) {
  std::vector<SealedChallenge> found;
  TRY_STATUS(writes_.run([&](Connection& connection) -> Status {
    TRY(auto query, connection.prepare(kFind));
    query.bind(scope, registration, now, kPerRegistration);
    TRY(found, read_all(query, to_challenge));
    return {};
  }));
  return found;
}

void SqlChallenges::remove(const ScopeId& scope, const RegistrationId& registration, const Uuid& challenge_id) {
  writes_.post([this, scope, registration, challenge_id](Connection& connection) -> Status {
    TRY(auto query, connection.prepare(kRemove));
    query.bind(scope, registration, challenge_id);
    TRY_STATUS(query.run());
    const std::lock_guard lock(mutex_);
    size_ -= std::min(size_, static_cast<std::size_t>(connection.changes()));
    return {};
  });
}

void SqlChallenges::purge(Timestamp now) {
  writes_.post([this, now](Connection& connection) -> Status {
    {
      TRY(auto query, connection.prepare(kPurge));
      query.bind(now);
      TRY_STATUS(query.run());
    }
    return count(connection, now);
  });
}

std::size_t SqlChallenges::size() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

}  // namespace warifu::store
