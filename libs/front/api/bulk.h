#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "front/api/enrollment_writer.h"

namespace warifu::front::api {

// Many enrollments in one change: {"mode": "create" | "update" | "apply" | "delete", "dry_run"?, "enrollments": […]}.
// Each is written or refused by itself; "apply" makes what is there say what is asked for.
struct BulkRequest {
  // So that a change stays short.
  static constexpr std::size_t kSizeMax = 1'000;

  enum class Mode { kCreate, kUpdate, kApply, kDelete };
  struct Removal {
    RegistrationId registration_id;
  };
  // As it was read, or why it could not be.
  struct Item {
    std::string registration_id;  // as it was written; empty if there is none
    std::variant<EnrollmentBody, Removal, Error> request;
  };

  Mode mode = Mode::kCreate;
  bool dry_run = false;
  std::vector<Item> items;
};

// kInvalidInput "bulk.mode", "bulk.size" and those of JSON. What is wrong with one item is that item's.
Result<BulkRequest> parse_bulk(std::string_view body);

// Whether an error is one item's, which alone is refused, before anything of it was written. The database's own errors
// end the whole change.
bool is_of_the_item(const Error& error);

// {"succeeded": bool, "results": [{"registration_id", "outcome", "changes", "etag"} or {"registration_id", "error":
// {"code", "detail"}}, in the order of the request]}. An error of the database is that of all.
Result<boost::json::object> run_bulk(const EnrollmentWriter& writer, store::Transaction& transaction,
                                     const provisioning::Requester& who, const BulkRequest& request);

}  // namespace warifu::front::api
