#pragma once

#include <string>

#include "warifu/commands.h"

// What the evidence of devices must show: policies as files, and on the server.
namespace warifu::cli {

// For whom a policy is. At most one is set; none means all whom no other policy is for.
struct PolicyTarget {
  std::string group_id;
  std::string registration_id;
};

// The API's path of that policy.
Result<std::string> policy_path(const PolicyTarget& target);
// What the API is told of a policy in a file; it was parsed.
Result<std::string> policy_body(const std::string& file, bool review);

struct PolicyPutOptions {
  PolicyTarget target;
  std::string file;     // warifu.evidence-policy.v1
  bool review = false;  // judged and told, but it weighs at most as a warning
  bool dry_run = false;
};
Status put_policy(const Context& context, const PolicyPutOptions& options);
Status list_policies(const Context& context);
Status show_policy(const Context& context, const PolicyTarget& target);
Status delete_policy(const Context& context, const PolicyTarget& target);
// Reads a policy without a server, and says what it demands and what it leaves open.
Status check_policy(const Context& context, const std::string& file);

}  // namespace warifu::cli
