#include <fmt/format.h>
#include <unistd.h>

#include "warifu/applier.h"
#include "warifu/declaration_commands.h"
#include "warifu/declaration_files.h"

namespace warifu::cli {
namespace {

struct Sum {
  std::size_t refusals = 0;
  bool has_changes = false;
};

Result<Sum> run_apply(const Context& context, const ApplyOptions& options) {
  TRY(const auto files, DeclarationFiles::open(options.paths));
  TRY(auto connection, endpoint(context.connection));
  const ApiClient api(std::move(connection));
  ApplyReport report({.is_json = context.json,
                      .is_quiet = options.is_quiet,
                      .is_dry_run = options.is_dry_run,
                      .shows_progress = isatty(STDERR_FILENO) == 1},
                     files.count());
  Applier applier(api, report, options.is_dry_run);
  Status done = files.each([&](declarations::Declaration&& one) { return applier.add(std::move(one)); });
  if (done) done = applier.finish();
  report.sum();
  if (done) return Sum{report.refusals(), report.has_changes()};
  Error error = std::move(done).error();
  error.message += fmt::format("; {} of {} were answered before. Apply again: what was done is unchanged then",
                               report.told(), files.count());
  return error;
}

Error refusal(std::size_t count) {
  return {ErrorKind::kRefused, "apply.refused", fmt::format("{} were refused", count)};
}

}  // namespace

Status apply(const Context& context, const ApplyOptions& options) {
  TRY(const auto sum, run_apply(context, options));
  if (sum.refusals > 0) return refusal(sum.refusals);
  return {};
}

Status diff(const Context& context, const ApplyOptions& options) {
  ApplyOptions dry = options;
  dry.is_dry_run = true;
  TRY(const auto sum, run_apply(context, dry));
  if (sum.refusals > 0) return refusal(sum.refusals);
  if (sum.has_changes) return Error{ErrorKind::kRefused, "diff.changes", "the server is not as the files say"};
  return {};
}

}  // namespace warifu::cli
