#include "growth/fleet.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <memory>
#include <variant>
#include <vector>

#include "raw_storage.h"
#include "registration_load.h"
#include "whole_server.h"

namespace warifu::bench {
namespace {

constexpr char kPattern[] = "pattern-0";  // the device that registers by the product
constexpr std::uint64_t kRowsPerCommit = 50'000;

using Connection = std::unique_ptr<sqlite3, decltype(&sqlite3_close)>;
using Statement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;
using Blob = std::vector<std::uint8_t>;
using Value = std::variant<std::nullptr_t, std::int64_t, std::string, Blob>;

Connection open(const std::filesystem::path& path) {
  sqlite3* connection = nullptr;
  if (sqlite3_open(path.c_str(), &connection) != SQLITE_OK) give_up("cannot open the fleet's database");
  return {connection, sqlite3_close};
}

void execute(sqlite3* connection, const std::string& sql) {
  if (sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    give_up(fmt::format("{}: {}", sql, sqlite3_errmsg(connection)));
}

Statement prepare(sqlite3* connection, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(connection, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
    give_up(fmt::format("{}: {}", sql, sqlite3_errmsg(connection)));
  return {statement, sqlite3_finalize};
}

std::string text_at(sqlite3_stmt* row, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(row, column))};
}

Value value_at(sqlite3_stmt* row, int column) {
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER:
      return sqlite3_column_int64(row, column);
    case SQLITE_TEXT:
      return text_at(row, column);
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(row, column));
      return Blob(bytes, bytes + sqlite3_column_bytes(row, column));
    }
    default:
      return nullptr;
  }
}

std::uint64_t mixed(std::uint64_t number) {  // splitmix64's finaliser: any two numbers differ in it
  number += 0x9E3779B97F4A7C15;
  number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9;
  number = (number ^ (number >> 27)) * 0x94D049BB133111EB;
  return number ^ (number >> 31);
}

// UUIDs are ordered by time in the product, so here by number. What is random there is here: Names, keys, digests. The
// same bytes of the pattern become the same bytes, in whatever table they stand.
Blob of_device(Blob bytes, std::uint64_t number) {
  constexpr std::size_t kUuid = 16;
  const std::uint64_t changed = bytes.size() == kUuid ? number : mixed(number);
  const std::size_t begin = bytes.size() == kUuid ? 0 : bytes.size() - 9;
  if (bytes.size() < kUuid) return bytes;
  for (std::size_t i = 0; i < 8; ++i) {
    auto& byte = bytes[begin + i];
    const auto part = static_cast<std::uint8_t>(changed >> (56 - 8 * i));
    byte = bytes.size() == kUuid ? part : static_cast<std::uint8_t>(byte ^ part);
  }
  return bytes;
}

std::string of_device(std::string text, const std::string& id) {
  for (auto at = text.find(kPattern); at != std::string::npos; at = text.find(kPattern, at + id.size()))
    text.replace(at, sizeof(kPattern) - 1, id);
  return text;
}

// One row that the pattern left, and the statement that writes it for another device.
struct PatternRow {
  Statement insert;
  std::vector<Value> values;

  void write(sqlite3* connection, std::uint64_t number) const {
    const std::string id = fleet_id(number);
    int at = 0;
    for (const Value& value : values) {
      ++at;
      if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        constexpr std::int64_t kAnyTime = 1'000'000'000'000;  // microseconds since 1970
        sqlite3_bind_int64(insert.get(), at, *integer + (*integer > kAnyTime ? static_cast<std::int64_t>(number) : 0));
      } else if (const auto* text = std::get_if<std::string>(&value)) {
        const std::string own = of_device(*text, id);
        sqlite3_bind_text(insert.get(), at, own.data(), static_cast<int>(own.size()), SQLITE_TRANSIENT);
      } else if (const auto* blob = std::get_if<Blob>(&value)) {
        const Blob own = of_device(*blob, number);
        sqlite3_bind_blob(insert.get(), at, own.data(), static_cast<int>(own.size()), SQLITE_TRANSIENT);
      } else {
        sqlite3_bind_null(insert.get(), at);
      }
    }
    if (sqlite3_step(insert.get()) != SQLITE_DONE) give_up(sqlite3_errmsg(connection));
    sqlite3_reset(insert.get());
  }
};

std::vector<std::string> column_of_texts(sqlite3* connection, const std::string& sql) {
  std::vector<std::string> texts;
  const Statement query = prepare(connection, sql);
  while (sqlite3_step(query.get()) == SQLITE_ROW)
    texts.push_back(text_at(query.get(), 0));
  return texts;
}

// The rows of a table that name the pattern in any column.
void add_rows(sqlite3* connection, const std::string& table, std::vector<PatternRow>& rows) {
  std::string condition, marks;
  for (const auto& column :
       column_of_texts(connection, fmt::format("SELECT name FROM pragma_table_info('{}')", table))) {
    condition += fmt::format("{}{} LIKE '%{}%'", condition.empty() ? "" : " OR ", column, kPattern);
    marks += marks.empty() ? "?" : ", ?";
  }
  const Statement query = prepare(connection, fmt::format("SELECT * FROM {} WHERE {}", table, condition));
  while (sqlite3_step(query.get()) == SQLITE_ROW) {
    PatternRow row{prepare(connection, fmt::format("INSERT INTO {} VALUES ({})", table, marks)), {}};
    for (int i = 0; i < sqlite3_column_count(query.get()); ++i)
      row.values.push_back(value_at(query.get(), i));
    rows.push_back(std::move(row));
  }
}

std::vector<PatternRow> rows_of_pattern(sqlite3* connection) {
  std::vector<PatternRow> rows;
  for (const auto& table : column_of_texts(connection, "SELECT name FROM sqlite_master WHERE type = 'table'"))
    add_rows(connection, table, rows);
  if (rows.size() < 3) give_up("the pattern left no enrollment, device and operation");
  return rows;
}

void write_fleet(sqlite3* connection, std::uint64_t devices) {
  const auto rows = rows_of_pattern(connection);
  fmt::print(stderr, "  a registered device left {} rows\n", rows.size());
  for (std::uint64_t number = 0; number < devices; ++number) {
    if (number % kRowsPerCommit == 0) execute(connection, "BEGIN");
    for (const auto& row : rows)
      row.write(connection, number);
    const bool is_last = number + 1 == devices;
    if (!is_last && (number + 1) % kRowsPerCommit != 0) continue;
    execute(connection, "COMMIT");
    fmt::print(stderr, "\r  {:>10} of {} devices{}", number + 1, devices, is_last ? "\n" : "");
  }
}

}  // namespace

std::string fleet_id(std::uint64_t number) {
  return fmt::format("fleet-{:08}", number);
}

void build_fleet(const std::filesystem::path& path, std::uint64_t devices) {
  {
    WholeServer server(path, make_tls_identity("server"), Sabotage::kNone);
    RegistrationLoad pattern(server, 1, "pattern");
    if (!pattern.register_all()) give_up("the pattern did not get through its registration");
  }
  const Connection connection = open(path);
  execute(connection.get(), "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -262144");
  // Their keys are random: made afterwards they are sorted once, instead of a page being searched for each row.
  const auto indexes =
      column_of_texts(connection.get(), "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL");
  for (const auto& name :
       column_of_texts(connection.get(), "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
    execute(connection.get(), "DROP INDEX " + name);
  write_fleet(connection.get(), devices);
  fmt::print(stderr, "  indexes …\n");
  for (const auto& index : indexes)
    execute(connection.get(), index);
  execute(connection.get(), "PRAGMA journal_mode = WAL");
}

FleetEks::FleetEks(const std::filesystem::path& path) {
  const Connection connection = open(path);
  const Statement query =
      prepare(connection.get(), fmt::format("SELECT ek_name FROM enrollments WHERE registration_id = '{}'", kPattern));
  if (sqlite3_step(query.get()) != SQLITE_ROW) give_up("the pattern is not enrolled");
  pattern_ = text_at(query.get(), 0);
}

std::string FleetEks::name_of(std::uint64_t number) const {
  const Blob name = of_device(Blob(pattern_.begin(), pattern_.end()), number);
  return {name.begin(), name.end()};
}

}  // namespace warifu::bench
