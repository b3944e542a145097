#pragma once

#include "warifu/policy_commands.h"

// A policy held against the evidence that the server keeps, before it stands.
namespace warifu::cli {

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
