#pragma once

#include <boost/json/object.hpp>

#include "base/result.h"
#include "tcb_protocol/messages.h"

namespace warifu::agent_app {

// What is shown of a certificate that the TCB holds; no members when it holds none.
Result<boost::json::object> certificate_record(const tcb_protocol::ShowCertificate::Answer& held);

}  // namespace warifu::agent_app
