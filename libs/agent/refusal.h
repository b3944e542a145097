#pragma once

#include <string>
#include <string_view>

#include "agent/transport.h"
#include "base/result.h"

namespace warifu::agent {

// An error answer of the server as an Error: what was being done, what the server said, its code and tracking id. The
// kinds: kRefused when an operator must act, kThrottled and kUnavailable when it may be tried again soon. Codes:
// "enrollment.unknown", "enrollment.scope", "enrollment.ek", "device.hold", "device.state", "challenge.unknown",
// "token.expired", "server.throttled", "server.trouble", "server.refused".
Error refusal_of(const HttpReply& reply, std::string_view doing, const Clock& clock);

// Whether the server, which the TCB knows by then, refused this device, or what was measured here cannot be sent: that
// changes only when a person acts. What a network, a clock, or a server of that name which is another can bring about
// does not count: whoever is on the path could keep a device away for long.
bool needs_an_operator(const Error& error);

// What is said and its code, without tracking id and clocks, which are others each time: to say it once.
std::string gist(const Error& error);

// What the operator can do about it; empty when the message says all. For errors of the server, of the TCB and of the
// TPM.
std::string_view advice_for(const Error& error);

// "ERROR. NEXT STEP. [code]": one line for a log or a terminal.
std::string explain(const Error& error);

}  // namespace warifu::agent
