#include "store/sql_challenges.h"

#include <fmt/format.h>

#include "store/sql_records.h"

namespace warifu::store {
namespace {

using provisioning::SealedChallenge;

// Counting goes through the rows: not for every request of a flood.
constexpr std::chrono::seconds kCountInterval{1};

#define CHALLENGE_COLUMNS                                                                                         \
  "challenge_id, enrollment_id, sealed_key, ek_name, ek_public, srk_name, srk_public, expires_at, peer_network, " \
  "has_known_keys"

constexpr Sql kInsert = "INSERT INTO challenges (" CHALLENGE_COLUMNS
                        ", scope_id, registration_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr Sql kFind = "SELECT " CHALLENGE_COLUMNS
                      " FROM challenges WHERE scope_id = ? AND registration_id = ? AND expires_at > ? "
                      "ORDER BY expires_at DESC, challenge_id DESC LIMIT ?";
// How many stand in the way of another one: of the device's known keys, or of others, those of its network and all.
constexpr Sql kCountKnown =
    "SELECT count(*) FROM challenges WHERE scope_id = ? AND registration_id = ? AND has_known_keys = 1 AND expires_at "
    "> "
    "?";
constexpr Sql kCountOfNetwork =
    "SELECT count(*) FROM challenges WHERE scope_id = ? AND registration_id = ? AND has_known_keys = 0 AND expires_at "
    "> "
    "? AND peer_network = ?";
constexpr Sql kCountOthers =
    "SELECT count(*) FROM challenges WHERE scope_id = ? AND registration_id = ? AND has_known_keys = 0 AND expires_at "
    "> "
    "?";
constexpr Sql kKeepNewest =
    "DELETE FROM challenges WHERE scope_id = ? AND registration_id = ? AND has_known_keys = ? AND challenge_id NOT IN "
    "(SELECT newest.challenge_id FROM challenges AS newest WHERE newest.scope_id = ? AND newest.registration_id = ? "
    "AND newest.has_known_keys = ? ORDER BY newest.expires_at DESC, newest.challenge_id DESC LIMIT ?)";
constexpr Sql kKeepNewestOfNetwork =
    "DELETE FROM challenges WHERE scope_id = ? AND registration_id = ? AND has_known_keys = 0 AND peer_network = ? AND "
    "challenge_id NOT IN (SELECT newest.challenge_id FROM challenges AS newest WHERE newest.scope_id = ? AND "
    "newest.registration_id = ? AND newest.has_known_keys = 0 AND newest.peer_network = ? ORDER BY newest.expires_at "
    "DESC, newest.challenge_id DESC LIMIT ?)";
constexpr Sql kRemove = "DELETE FROM challenges WHERE scope_id = ? AND registration_id = ? AND challenge_id = ?";
constexpr Sql kPurge = "DELETE FROM challenges WHERE expires_at <= ?";
constexpr Sql kCount = "SELECT count(*) FROM (SELECT 1 AS one FROM challenges WHERE expires_at > ? LIMIT ?) AS live";

#undef CHALLENGE_COLUMNS

using provisioning::Challenges;
constexpr std::size_t kPerRegistration = Challenges::kOfKnownKeysMax + Challenges::kOfOthersMax;

Result<SealedChallenge> to_challenge(Row row) {
  TRY(const auto challenge_id, row.next<Uuid>());
  TRY(const auto enrollment_id, row.next<Uuid>());
  TRY(auto sealed_key, row.next<Bytes>());
  TRY(auto ek_name, row.next<Bytes>());
  TRY(auto ek_public, row.next<Bytes>());
  TRY(auto srk_name, row.next<Bytes>());
  TRY(auto srk_public, row.next<Bytes>());
  TRY(const auto expires_at, row.next<Timestamp>());
  TRY(auto peer_network, row.next<std::string>());
  TRY(const auto has_known_keys, row.next<bool>());
  return SealedChallenge{challenge_id,          enrollment_id,        std::move(sealed_key),
                         std::move(ek_name),    std::move(ek_public), std::move(srk_name),
                         std::move(srk_public), expires_at,           std::move(peer_network),
                         has_known_keys};
}

Result<std::int64_t> count_of(Query& query) {
  TRY_STATUS(query.step());
  return query.row().next<std::int64_t>();
}

}  // namespace

Status SqlChallenges::add(const ScopeId& scope, const RegistrationId& registration, SealedChallenge challenge,
                          Timestamp now) {
  return writes_.run([&](Connection& connection) -> Status {
    TRY_STATUS(check_room(connection, scope, registration, challenge, now));
    {
      TRY(auto query, connection.prepare(kInsert));
      query.bind(challenge.challenge_id, challenge.enrollment_id, challenge.sealed_key, challenge.ek_name,
                 challenge.ek_public, challenge.srk_name, challenge.srk_public, challenge.expires_at,
                 challenge.peer_network, challenge.has_known_keys, scope, registration);
      TRY_STATUS(query.run());
    }
    TRY(const auto replaced, keep_newest(connection, scope, registration, challenge));
    const std::lock_guard lock(mutex_);
    ++size_;
    size_ -= std::min(size_, replaced);
    return {};
  });
}

// Removes what has to make room; returns how many.
Result<std::size_t> SqlChallenges::keep_newest(Connection& connection, const ScopeId& scope,
                                               const RegistrationId& registration, const SealedChallenge& challenge) {
  std::size_t removed = 0;
  if (!challenge.has_known_keys) {
    TRY(auto query, connection.prepare(kKeepNewestOfNetwork));
    query.bind(scope, registration, challenge.peer_network, scope, registration, challenge.peer_network,
               limit_of(kOfNetworkMax));
    TRY_STATUS(query.run());
    removed += static_cast<std::size_t>(connection.changes());
  }
  TRY(auto query, connection.prepare(kKeepNewest));
  query.bind(scope, registration, challenge.has_known_keys, scope, registration, challenge.has_known_keys,
             limit_of(challenge.has_known_keys ? kOfKnownKeysMax : kOfOthersMax));
  TRY_STATUS(query.run());
  return removed + static_cast<std::size_t>(connection.changes());
}

Status SqlChallenges::check_room(Connection& connection, const ScopeId& scope, const RegistrationId& registration,
                                 const SealedChallenge& challenge, Timestamp now) {
  if (must_count(now)) TRY_STATUS(count(connection, now));
  if (size() < limit_) return {};
  TRY(const bool replaces, replaces_another(connection, scope, registration, challenge, now));
  if (replaces) return {};
  return Error{ErrorKind::kThrottled, "challenge.too_many",
               fmt::format("{} challenges are outstanding, which is the limit: try again in a minute", limit_)};
}

Result<bool> SqlChallenges::replaces_another(Connection& connection, const ScopeId& scope,
                                             const RegistrationId& registration, const SealedChallenge& challenge,
                                             Timestamp now) {
  if (!challenge.has_known_keys) {
    TRY(auto query, connection.prepare(kCountOfNetwork));
    query.bind(scope, registration, now, challenge.peer_network);
    TRY(const auto of_network, count_of(query));
    if (of_network >= limit_of(kOfNetworkMax)) return true;
  }
  TRY(auto query, connection.prepare(challenge.has_known_keys ? kCountKnown : kCountOthers));
  query.bind(scope, registration, now);
  TRY(const auto alike, count_of(query));
  return alike >= limit_of(challenge.has_known_keys ? kOfKnownKeysMax : kOfOthersMax);
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
    query.bind(scope, registration, now, limit_of(kPerRegistration));
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
