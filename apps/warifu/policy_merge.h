#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "warifu/commands.h"

// Policies put together: a learned one and an allow list, the list of today and that of an update.
namespace warifu::cli {

struct PolicyMergeOptions {
  std::string base;
  std::vector<std::string> files;
  std::string until;             // RFC 3339: what only `base` allows retires then; empty: it stays
  std::string retire_old_after;  // the same from now on, like "14d"; at most one of both
};
// Prints BASE with the files that all of them allow. Nothing of the others is lost without a word: kInvalidInput
// "policy.merge" names the place of what BASE does not say, withdraws, or lets end at another time.
Status merge_policies(const Context& context, const PolicyMergeOptions& options);

}  // namespace warifu::cli
