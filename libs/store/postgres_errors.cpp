#include "store/postgres_errors.h"

#include <fmt/format.h>

namespace warifu::store {
namespace {

struct SqlstateMeaning {
  std::string_view sqlstate;  // or the first characters of it
  ErrorKind kind;
  std::string_view code;
  std::string_view advice;
};

// The first that fits.
constexpr SqlstateMeaning kMeanings[] = {
    {"23505", ErrorKind::kConflict, "store.unique", "it is stored already"},
    {"42P07", ErrorKind::kConflict, "store.unique", "it is there already"},
    {"42710", ErrorKind::kConflict, "store.unique", "it is there already"},
    {"23503", ErrorKind::kConflict, "store.reference", "what it belongs to is not stored"},
    {"40001", ErrorKind::kUnavailable, "store.retry", "another change was in the way"},
    {"40P01", ErrorKind::kUnavailable, "store.retry", "another change was in the way"},
    {"53100", ErrorKind::kUnavailable, "store.full", "the disk has no room for the database"},
    {"53200", ErrorKind::kUnavailable, "store.memory", "no memory is left for the database"},
    {"53", ErrorKind::kUnavailable, "store.unavailable", "the database server has reached a limit"},
    {"55P03", ErrorKind::kUnavailable, "store.busy", "another process holds a lock for too long"},
    {"57014", ErrorKind::kUnavailable, "store.busy", "the database server took too long"},
    {"57P", ErrorKind::kUnavailable, "store.unavailable", "the database server is going down or coming up"},
    {"25P03", ErrorKind::kUnavailable, "store.unavailable", "a transaction was idle for too long"},
    {"25006", ErrorKind::kUnavailable, "store.unavailable",
     "the database server only reads: name the primary, or several hosts and target_session_attrs=read-write"},
    {"08", ErrorKind::kUnavailable, "store.unavailable", "the connection to the database was lost"},
    {"28", ErrorKind::kUnavailable, "store.unavailable", "the database server does not know this user"},
    {"58", ErrorKind::kUnavailable, "store.io", "the database's files cannot be read or written"},
    {"XX001", ErrorKind::kInternal, "store.corrupt", "the database is damaged: restore a backup"},
    {"XX002", ErrorKind::kInternal, "store.corrupt", "the database is damaged: restore a backup"},
    {"22021", ErrorKind::kInvalidInput, "store.text", "a text cannot be stored: it is not UTF-8, or holds a zero"},
    {"", ErrorKind::kInternal, "store.sql", "the database refused a statement"},
};

}  // namespace

Error postgres_error(std::string_view sqlstate, std::string_view detail) {
  const SqlstateMeaning* meaning = kMeanings;
  while (!sqlstate.starts_with(meaning->sqlstate))
    ++meaning;
  return {meaning->kind, meaning->code, fmt::format("{} (PostgreSQL {}: {})", meaning->advice, sqlstate, detail)};
}

}  // namespace warifu::store
