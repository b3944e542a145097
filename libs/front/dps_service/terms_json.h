#pragma once

#include <boost/json/object.hpp>

#include "provisioning/terms.h"
#include "wire/json.h"

namespace warifu::front::dps_service {

// What individual enrollments and groups have in common: provisioningStatus, reprovisionPolicy, allocationPolicy,
// iotHubHostName, iotHubs, customAllocationDefinition, initialTwin, capabilities, optionalDeviceInformation.
Result<provisioning::Terms> parse_terms(const wire::JsonFields& fields);
void add_terms(boost::json::object& object, const provisioning::Terms& terms);

}  // namespace warifu::front::dps_service
