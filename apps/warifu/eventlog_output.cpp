#include "warifu/eventlog_output.h"

#include <fmt/format.h>

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

std::string_view premise_of(RegisterKind kind) {
  return kind == RegisterKind::kRtmr ? "the registers hold what `warifu eventlog replay` prints, and a TD quote says so"
                                     : "the registers hold what `warifu eventlog replay` prints";
}

void print_premise(RegisterKind kind) {
  fmt::print("proved            if {}; no quote was looked at\n", premise_of(kind));
}

json::array events_of(const Prover& prover) {
  const EventLog& log = prover.log();
  json::array events;
  for (const Event& event : log.events()) {
    json::object digests;
    for (std::size_t bank = 0; bank < log.banks().size(); ++bank) {
      const ByteView digest =
          event.number == 0 && log.format() == LogFormat::kPfpAgile ? ByteView() : log.digest(event, bank);
      if (log.banks()[bank].algorithm && !digest.empty())
        digests[bank_name(*log.banks()[bank].algorithm)] = to_hex(digest);
    }
    const std::string_view name = name_of(event.type);
    events.push_back(json::object{
        {"number", event.number},
        {"offset", event.offset},
        {"register", event.register_index},
        {"type", name.empty() ? fmt::format("{:08x}", static_cast<std::uint32_t>(event.type)) : std::string(name)},
        {"type_proved", false},
        {"digests", std::move(digests)},
        {"data", to_hex(event.data)},
        {"data_proved", prover.data(event).has_value()}});
  }
  return events;
}

}  // namespace warifu::cli
