#pragma once

#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "net/http_message.h"

namespace warifu::front::dps_service {

// The HTTP status of an error, and Azure's code for it: the status times 1000 plus a detail.
int http_status_of(const Error& error);
int error_code_of(const Error& error);

// What an operator is told; what is internal goes to the log only.
std::string message_of(const Error& error);

// {"errorCode","trackingId","message","timestampUtc","info":{"code"}}, as the SDKs read it.
net::HttpResponse error_response(const Error& error, std::string_view tracking_id, Timestamp now);

// Whether the target is one of the service API's: its errors are worded by error_response().
bool is_service_target(std::string_view target);

}  // namespace warifu::front::dps_service
