#pragma once

#include <string>
#include <vector>

#include "store/postgres_connection.h"

namespace warifu::store {

// The text of a statement with $1, $2 … for each `?` outside of quotes.
std::string number_parameters(std::string_view sql);

// A statement that a server has prepared. It gives all rows of an execution at once.
class PostgresStatement final : public Statement {
 public:
  // `types`: the types (OIDs) that the server inferred for the parameters.
  PostgresStatement(PostgresConnection& connection, std::string name, std::vector<unsigned> types);

  std::size_t parameter_count() const override { return types_.size(); }
  void bind_integer(std::size_t parameter, std::int64_t value) override;
  void bind_text(std::size_t parameter, std::string_view text) override;
  void bind_blob(std::size_t parameter, ByteView bytes) override;
  void bind_null(std::size_t parameter) override;

  Result<bool> step() override;
  void reset() override;

  std::optional<std::int64_t> integer(std::size_t column) const override;
  std::optional<std::string_view> text(std::size_t column) const override;
  std::optional<ByteView> blob(std::size_t column) const override;
  bool is_null(std::size_t column) const override;
  std::string column_name(std::size_t column) const override;

 private:
  using Integer = std::array<char, 8>;

  void bind_bytes(std::size_t parameter, const void* data, std::size_t size);
  void note_mismatch(std::size_t parameter);
  Status run();
  ByteView value(std::size_t column) const;

  PostgresConnection& connection_;
  const std::string name_;
  const std::vector<unsigned> types_;
  std::vector<const char*> values_;
  std::vector<int> sizes_;
  std::vector<int> formats_;
  std::vector<Integer> integers_;  // what values_ points to, for a parameter that is a number
  std::optional<Error> bind_error_;
  PgResult result_;
  int row_ = -1;
};

}  // namespace warifu::store
