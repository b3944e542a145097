#include <fmt/format.h>

#include <cstdio>
#include <iterator>

#include "rows.h"

int main(int argc, char** argv) {
  using namespace warifu;
  const auto options = bench::parse_options(argc, argv);
  if (!options) {
    fmt::print(stderr, "warifu-bench: {}\n", to_string(options.error()));
    return exit_code(options.error().kind);
  }
  std::vector<bench::Row> rows;
  for (const auto& rows_of : {bench::credential_rows, bench::sas_rows, bench::connection_rows, bench::registration_rows,
                              bench::store_rows, bench::tcb_rows, bench::ima_rows, bench::boot_log_rows}) {
    auto more = rows_of(options->sabotage);
    rows.insert(rows.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  if (!options->only.empty()) std::erase_if(rows, [&](const bench::Row& row) { return row.id != options->only; });
  return bench::run(std::move(rows), *options);
}
