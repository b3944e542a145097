#pragma once

#include <boost/json/object.hpp>
#include <string_view>

#include "device_ca/desk.h"

namespace warifu::front::api {

// In hexadecimal, as it is shown. kNotFound "certificate.unknown": one that cannot exist is answered like one that does
// not.
Result<crypto::SerialNumber> parse_serial(std::string_view text);

// {"reason"?: the name of RFC 5280 §5.3.1, "keyCompromise"}; without one "unspecified". kInvalidInput
// "certificate.reason", naming those there are.
Result<crypto::RevocationReason> parse_revocation(std::string_view body);

boost::json::object to_json(const device_ca::DeviceCertificate& certificate, Timestamp renew_after);
boost::json::object to_json(const device_ca::Desk::IssuedSecret& secret);

}  // namespace warifu::front::api
