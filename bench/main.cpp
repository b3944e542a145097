#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "peers.h"
#include "rows.h"

int main(int argc, char** argv) {
  using namespace warifu;
  const auto options = bench::parse_options(argc, argv);
  if (!options) {
    fmt::print(stderr, "warifu-bench: {}\n", to_string(options.error()));
    return exit_code(options.error().kind);
  }
  if (options->peers) {
    auto peers = bench::quote_peers();
    std::ranges::move(bench::ima_peers(), std::back_inserter(peers));
    return bench::measure_peers(peers);
  }
  std::vector<bench::Row> rows;
  for (const auto& rows_of :
       {bench::credential_rows, bench::certificate_rows, bench::revocation_rows, bench::sas_rows,
        bench::connection_rows, bench::registration_rows, bench::store_rows, bench::tcb_rows, bench::quote_rows,
        bench::ima_rows, bench::boot_log_rows, bench::attestation_rows, bench::hostile_rows}) {
    auto more = rows_of(options->sabotage);
    rows.insert(rows.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  if (!options->only.empty()) std::erase_if(rows, [&](const bench::Row& row) { return row.id != options->only; });
  return bench::run(std::move(rows), *options);
}
