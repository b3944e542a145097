#pragma once

#include <string_view>
#include <vector>

#include "warifu/output.h"
#include "warifu/pages.h"
#include "warifu/policy_commands.h"

// What does not stand yet held against what the server knows of its devices.
namespace warifu::cli {

// A trial as the server tells of it, device by device.
struct ToldTrial {
  FetchPage fetch;
  bool all = false;  // print devices of which it says the same as today, too
  const std::vector<Column>& columns;
  std::string_view code;  // of the refusal
};
// Prints who would come out how. kRefused with the trial's code when a device would fail that does not today.
Status tell_trial(const Context& context, const ToldTrial& trial);

struct PolicyTestOptions {
  PolicyTarget target;
  std::string file;     // warifu.evidence-policy.v1
  bool review = false;  // as if it were for review
  bool all = false;     // print devices of which it says the same as today, too
  std::string at;       // RFC 3339: as if it were that time; empty: now
};
// kRefused "policy.test" when a device would fail that does not today.
Status test_policy(const Context& context, const PolicyTestOptions& options);

}  // namespace warifu::cli
