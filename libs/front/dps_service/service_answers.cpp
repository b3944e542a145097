#include "front/dps_service/service_answers.h"

#include <boost/json/serialize.hpp>

#include "front/dps/messages.h"
#include "provisioning/statement.h"

namespace warifu::front::dps_service {

net::HttpResponse json_answer(const boost::json::object& body) {
  return {200, {}, "application/json; charset=utf-8", boost::json::serialize(body)};
}

Result<boost::json::object> registration_json(provisioning::RecordsView& records, const provisioning::Device& device) {
  auto state = dps::registration_state(device);
  TRY(const bool stands, provisioning::has_standing_statement(records, device));
  if (!stands) state["status"] = "disabled";
  return state;
}

}  // namespace warifu::front::dps_service
