#pragma once

#include <boost/json/object.hpp>

#include "base/result.h"
#include "wire/json.h"

// The attestation mechanisms of Azure DPS.
namespace warifu::declarations {

// The attestation of an enrollment or group of Azure's, as the operators' API takes it. kInvalidInput
// "azure.attestation" when it does not carry over, with what to do.
Result<boost::json::object> convert_azure_attestation(const wire::JsonFields& azure, bool is_group);

// Takes over the keys and certificates that `more`, the same enrollment again, has and `object` has not. kInvalidInput
// "azure.conflict" when both have one and they differ.
Status complete_azure_attestation(boost::json::object& object, const boost::json::object& more);

}  // namespace warifu::declarations
