#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "measured_boot/claims/claims.h"
#include "measured_boot/event_log/event_log.h"

namespace warifu::cli {

// Format, kind of registers, startup locality, number of events, what follows the end, findings: the members that
// `replay` and `show` have in common.
boost::json::object summary_of(const measured_boot::EventLog& log);

// What everything that is called proved rests on where no quote was looked at.
std::string_view premise_of(measured_boot::RegisterKind kind);
void print_premise(measured_boot::RegisterKind kind);

// One object for each event; "data_proved": its digest in the prover's bank is that of its data.
boost::json::array events_of(const measured_boot::Prover& prover);
// Each field with "proved" and the event that it is from.
boost::json::object to_json(const measured_boot::Claims& claims);

// For people. Members that are lists or objects are told by their content, one line each.
void print_claim(const std::string& name, const boost::json::value& value);
// For people: each bank with its registers.
void print_registers(const measured_boot::RegisterValues& values, measured_boot::RegisterKind kind);

}  // namespace warifu::cli
