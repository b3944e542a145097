#include "store/postgres_statement.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <array>

#include "store/postgres_exchange.h"

namespace warifu::store {
namespace {

// Object identifiers of built-in types (PostgreSQL, pg_type.dat): the same in every version.
constexpr Oid kBool = 16;
constexpr Oid kBytea = 17;
constexpr Oid kInt8 = 20;
constexpr Oid kInt2 = 21;
constexpr Oid kInt4 = 23;
constexpr Oid kText = 25;
constexpr Oid kVarchar = 1043;
constexpr Oid kName = 19;
constexpr int kBinary = 1;

// How many bytes an integer of that type has on the wire; 0: it is none.
std::size_t integer_size(Oid type) {
  switch (type) {
    case kInt8:
      return 8;
    case kInt4:
      return 4;
    case kInt2:
      return 2;
    case kBool:
      return 1;
    default:
      return 0;
  }
}

bool is_text(Oid type) {
  return type == kText || type == kVarchar || type == kName;
}

}  // namespace

std::string number_parameters(std::string_view sql) {
  std::string numbered;
  numbered.reserve(sql.size() + 16);
  int parameter = 0;
  char quote = 0;
  for (const char c : sql) {
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '?') {
      numbered += '$';
      numbered += std::to_string(++parameter);
      continue;
    }
    numbered += c;
  }
  return numbered;
}

PostgresStatement::PostgresStatement(PostgresConnection& connection, std::string name, std::vector<unsigned> types)
    : connection_(connection),
      name_(std::move(name)),
      types_(std::move(types)),
      values_(types_.size()),
      sizes_(types_.size()),
      formats_(types_.size(), kBinary),
      integers_(types_.size()) {
}

void PostgresStatement::note_mismatch(std::size_t parameter) {
  if (!bind_error_)
    bind_error_ = Error{ErrorKind::kInternal, "store.sql",
                        fmt::format("parameter {} is of another type ({})", parameter + 1, types_[parameter])};
}

void PostgresStatement::bind_bytes(std::size_t parameter, const void* data, std::size_t size) {
  // A null pointer would be sent as NULL, and no bytes are not NULL.
  values_[parameter] = size == 0 ? "" : static_cast<const char*>(data);
  sizes_[parameter] = static_cast<int>(size);
}

void PostgresStatement::bind_integer(std::size_t parameter, std::int64_t value) {
  const std::size_t size = integer_size(types_[parameter]);
  if (size == 0) return note_mismatch(parameter);
  // Big-endian, as long as the server expects it.
  for (std::size_t i = 0; i < size; ++i)
    integers_[parameter][i] = static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * (size - 1 - i)));
  const bool fits = size == 8 || (value >> (8 * size - 1) == 0 || value >> (8 * size - 1) == -1);
  if (!fits) return note_mismatch(parameter);
  bind_bytes(parameter, integers_[parameter].data(), size);
}

void PostgresStatement::bind_text(std::size_t parameter, std::string_view text) {
  if (!is_text(types_[parameter])) return note_mismatch(parameter);
  bind_bytes(parameter, text.data(), text.size());
}

void PostgresStatement::bind_blob(std::size_t parameter, ByteView bytes) {
  if (types_[parameter] != kBytea) return note_mismatch(parameter);
  bind_bytes(parameter, bytes.data(), bytes.size());
}

void PostgresStatement::bind_null(std::size_t parameter) {
  values_[parameter] = nullptr;
  sizes_[parameter] = 0;
}

Status PostgresStatement::run() {
  if (bind_error_) return *bind_error_;
  TRY(result_, connection_.round_trip(1, [this](PGconn* connection) {
    return PQsendQueryPrepared(connection, name_.c_str(), static_cast<int>(types_.size()), values_.data(),
                               sizes_.data(), formats_.data(), kBinary) == 1;
  }));
  connection_.count(result_.get());
  return {};
}

Result<bool> PostgresStatement::step() {
  if (result_ == nullptr) {
    TRY_STATUS(run());
    row_ = -1;
  }
  return ++row_ < PQntuples(result_.get());
}

void PostgresStatement::reset() {
  result_.reset();
  bind_error_.reset();
}

ByteView PostgresStatement::value(std::size_t column) const {
  const int at = static_cast<int>(column);
  return as_bytes(std::string_view(PQgetvalue(result_.get(), row_, at),
                                   static_cast<std::size_t>(PQgetlength(result_.get(), row_, at))));
}

std::optional<std::int64_t> PostgresStatement::integer(std::size_t column) const {
  const ByteView bytes = value(column);
  const std::size_t size = integer_size(PQftype(result_.get(), static_cast<int>(column)));
  if (is_null(column) || size == 0 || bytes.size() != size) return std::nullopt;
  // The sign is in the first byte.
  std::int64_t number = static_cast<std::int8_t>(bytes.front());
  for (const std::uint8_t byte : bytes.subspan(1))
    number = number * 256 + byte;
  return number;
}

std::optional<std::string_view> PostgresStatement::text(std::size_t column) const {
  if (is_null(column) || !is_text(PQftype(result_.get(), static_cast<int>(column)))) return std::nullopt;
  return as_text(value(column));
}

std::optional<ByteView> PostgresStatement::blob(std::size_t column) const {
  if (is_null(column) || PQftype(result_.get(), static_cast<int>(column)) != kBytea) return std::nullopt;
  return value(column);
}

bool PostgresStatement::is_null(std::size_t column) const {
  return PQgetisnull(result_.get(), row_, static_cast<int>(column)) == 1;
}

std::string PostgresStatement::column_name(std::size_t column) const {
  const char* name = PQfname(result_.get(), static_cast<int>(column));
  return name == nullptr ? "" : name;
}

}  // namespace warifu::store
