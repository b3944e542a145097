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
// What the API is told beside a policy.
struct PolicyRequestOptions {
  bool review = false;
  std::string at = {};  // RFC 3339, for trials; empty: nothing
};
// What the API is told of a policy in a file; it was parsed. kInvalidInput "option.time".
Result<std::string> policy_body(const std::string& file, const PolicyRequestOptions& options);

struct PolicyPutOptions {
  PolicyTarget target;
  std::string file;     // warifu.evidence-policy.v1
  bool review = false;  // judged and told, but it weighs at most as a warning
  bool dry_run = false;
};
Status put_policy(const Context& context, const PolicyPutOptions& options);
// `with_windows`: their documents are fetched, too, and read for when windows close.
Status list_policies(const Context& context, bool with_windows);
Status show_policy(const Context& context, const PolicyTarget& target);
Status delete_policy(const Context& context, const PolicyTarget& target);
// Reads a policy without a server, and says what it demands and what it leaves open.
Status check_policy(const Context& context, const std::string& file);

}  // namespace warifu::cli
