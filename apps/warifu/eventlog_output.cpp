#include "warifu/eventlog_output.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace warifu::cli {
namespace {

namespace json = boost::json;
using namespace measured_boot;

std::string_view to_string(AfterEnd::Kind kind) {
  switch (kind) {
    case AfterEnd::Kind::kNothing:
      return "nothing";
    case AfterEnd::Kind::kPadding:
      return "padding";
    case AfterEnd::Kind::kVendorInfo:
      return "vendor-info";
    case AfterEnd::Kind::kCutUnmeasured:
      return "cut-unmeasured-event";
  }
  return "nothing";
}

json::array findings_of(const EventLog& log) {
  json::array findings;
  for (const LogFinding& finding : log.findings())
    findings.push_back(json::object{{"code", finding.code},
                                    {"detail", finding.detail},
                                    {"first_event", finding.first_event},
                                    {"count", finding.count}});
  return findings;
}

}  // namespace

json::object to_json(const RegisterValues& values) {
  json::object banks;
  for (const Bank& bank : values.banks()) {
    json::object registers;
    for (const auto& [index, value] : bank.registers())
      registers[std::to_string(index)] = to_hex(value.bytes());
    banks[bank_name(bank.algorithm())] = std::move(registers);
  }
  return banks;
}

json::object summary_of(const EventLog& log) {
  json::object summary{{"format", measured_boot::to_string(log.format())},
                       {"register_kind", log.register_kind() == RegisterKind::kRtmr ? "RTMR" : "PCR"},
                       {"startup_locality", nullptr},
                       {"event_count", log.events().size()},
                       {"end_offset", log.end_offset()},
                       {"after_end", {{"kind", to_string(log.after_end().kind)}, {"size", log.after_end().size}}},
                       {"log_findings", findings_of(log)}};
  if (log.startup_locality()) summary["startup_locality"] = *log.startup_locality();
  return summary;
}

}  // namespace warifu::cli
