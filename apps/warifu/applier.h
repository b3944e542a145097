#pragma once

#include <deque>
#include <future>
#include <string>
#include <vector>

#include "declarations/declaration.h"
#include "warifu/api_client.h"
#include "warifu/apply_report.h"

namespace warifu::cli {

// Sends declarations to the server: enrollments in batches, of which two are on their way at once, so that the server
// writes one while it reads the other; groups and their EKs one after another. What it is given outlives it.
class Applier {
 public:
  Applier(const ApiClient& api, ApplyReport& report, bool is_dry_run)
      : api_(api), report_(report), is_dry_run_(is_dry_run) {}

  // The error is one that ends the work: what a single declaration is refused for, the report says.
  Status add(declarations::Declaration&& declaration);
  // Sends what is left, and waits for all answers.
  Status finish();

 private:
  struct Batch {
    std::future<Result<boost::json::value>> answer;
    std::vector<Origin> origins;
  };

  Status add_enrollment(Origin origin, const boost::json::object& request);
  Status put_group(const declarations::Declaration& declaration, const Origin& origin);
  Status list_eks(const declarations::Declaration& declaration, const Origin& origin);
  Status compare_eks(const declarations::Declaration& declaration, const Origin& origin);
  Status send();
  Status take_answer();
  Status report_results(const std::vector<Origin>& origins, const boost::json::value& answer);

  const ApiClient& api_;
  ApplyReport& report_;
  const bool is_dry_run_;
  std::string body_;  // the enrollments of the next batch, with commas between them
  std::vector<Origin> origins_;
  std::deque<Batch> on_their_way_;
};

}  // namespace warifu::cli
