#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "application_keys/desk.h"
#include "front/dps_service/enrollment_json.h"
#include "provisioning/enrollment_desk.h"
#include "store/store.h"

namespace warifu::front::dps_service {

// Many individual enrollments in one change: {"mode": "create" | "update" | "updateIfMatchEtag" | "delete",
// "enrollments": […]}. Each is written or refused by itself.
struct BulkEnrollments {
  // So that a change stays short. (Azure takes 10.)
  static constexpr std::size_t kSizeMax = 1'000;

  enum class Mode { kCreate, kUpdate, kUpdateIfMatchEtag, kDelete };
  // As it was read, or why it could not be.
  struct Item {
    std::string registration_id;  // as it was written; empty if there is none
    std::variant<IndividualEnrollment, RegistrationId, Error> request;
  };

  Mode mode = Mode::kCreate;
  std::vector<Item> items;
};

// kInvalidInput "bulk.mode", "bulk.size" and those of JSON. What is wrong with one item is that item's.
Result<BulkEnrollments> parse_bulk_enrollments(std::string_view body);

// {"isSuccessful": bool, "errors": [{"registrationId", "errorCode", "errorStatus"}]}. An error of the database is that
// of all.
Result<boost::json::object> run_bulk_enrollments(const provisioning::EnrollmentDesk& desk,
                                                 const application_keys::Desk& keys, store::Transaction& transaction,
                                                 const provisioning::Requester& who, const BulkEnrollments& request);

}  // namespace warifu::front::dps_service
