#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <iterator>
#include <optional>

#include "measured_boot/event_log/parse.h"
#include "measured_boot/registers_json.h"
#include "warifu/attestation_commands.h"
#include "warifu/requests.h"
#include "warifu/told_finding.h"
#include "wire/json.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;
using measured_boot::Event;
using measured_boot::EventLog;

// What one of the two has and the other has not, as lines.
struct Difference {
  std::vector<std::string> only_before;
  std::vector<std::string> only_after;
};

Difference difference_of(std::vector<std::string> before, std::vector<std::string> after) {
  std::ranges::sort(before);
  std::ranges::sort(after);
  Difference difference;
  std::ranges::set_difference(before, after, std::back_inserter(difference.only_before));
  std::ranges::set_difference(after, before, std::back_inserter(difference.only_after));
  return difference;
}

Result<std::vector<std::string>> finding_lines(const json::value& evidence) {
  TRY(const auto fields, wire::JsonFields::of(evidence));
  TRY(const auto result, fields.required_object("result"));
  TRY(const auto* findings, result.required_array("findings"));
  std::vector<std::string> lines;
  for (const auto& item : *findings) {
    TRY(const auto finding, read_finding(item));
    lines.push_back(fmt::format("{} [{}, {}]: {}", finding.layer, finding.tier, finding.code, finding.what));
  }
  return lines;
}

Result<std::vector<std::string>> register_lines(const json::value& evidence) {
  const auto* registers = evidence.as_object().if_contains("registers");
  if (registers == nullptr || !registers->is_object())
    return invalid_input("json.missing", "the evidence has no registers", "registers");
  std::vector<std::string> lines;
  for (const auto& [bank, values] : registers->get_object()) {
    if (!values.is_object()) return invalid_input("json.type", "expected an object", std::string(bank));
    for (const auto& [index, value] : values.get_object())
      if (value.is_string())
        lines.push_back(fmt::format("PCR {:>2} {} {}", std::string_view(index), std::string_view(bank),
                                    std::string_view(value.get_string())));
  }
  return lines;
}

// Printable ASCII, with zeros at its end; firmware and systemd write it as UTF-16, too.
std::optional<std::string> ascii_of(ByteView data, std::size_t width) {
  std::string text;
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (i % width == 0)
      text += static_cast<char>(data[i]);
    else if (data[i] != 0)
      return std::nullopt;
  }
  while (!text.empty() && text.back() == 0)
    text.pop_back();
  const auto is_text = [](char c) { return c >= 0x20 && c < 0x7F; };
  return !text.empty() && std::ranges::all_of(text, is_text) ? std::optional(text) : std::nullopt;
}

// Text where the data is nothing else, as command lines are, and its beginning in hexadecimal else.
std::string data_text(ByteView data) {
  constexpr std::size_t kShownMax = 48;
  for (const std::size_t width : {std::size_t{1}, sizeof(char16_t)})
    if (const auto text = ascii_of(data, width)) return fmt::format("\"{}\"", *text);
  const auto shown = data.first(std::min(data.size(), kShownMax));
  return to_hex(shown) + (shown.size() < data.size() ? "…" : "");
}

std::vector<std::string> event_lines(const EventLog& log) {
  std::vector<std::string> lines;
  for (const Event& event : log.events()) {
    if (!event.is_measured()) continue;
    const auto name = name_of(event.type);
    // Of the last bank, which is the strongest in every log that we know.
    const auto digest = log.banks().empty() ? ByteView() : log.digest(event, log.banks().size() - 1);
    lines.push_back(
        fmt::format("PCR {:>2} {} {} {}", event.register_index,
                    name.empty() ? fmt::format("{:08x}", static_cast<std::uint32_t>(event.type)) : std::string(name),
                    to_hex(digest.first(std::min<std::size_t>(digest.size(), 8))), data_text(event.data)));
  }
  return lines;
}

Result<std::vector<std::string>> event_lines(const ApiClient& api, const std::string& sha256) {
  if (sha256.empty()) return std::vector<std::string>();
  TRY(const auto path, path_of("event-logs", sha256));
  TRY(const auto stored, api.get(path));
  TRY(const auto fields, wire::JsonFields::of(stored));
  TRY(const auto bytes, fields.required_bytes("content"));
  TRY(const auto log, measured_boot::parse_event_log(bytes));
  return event_lines(log);
}

Result<Difference> events_between(const ApiClient& api, const json::value& before, const json::value& after) {
  TRY(const auto old_fields, wire::JsonFields::of(before));
  TRY(const auto new_fields, wire::JsonFields::of(after));
  TRY(const auto old_log, old_fields.required_string("event_log_sha256"));
  TRY(const auto new_log, new_fields.required_string("event_log_sha256"));
  if (old_log == new_log) return Difference();
  TRY(auto old_lines, event_lines(api, old_log));
  TRY(auto new_lines, event_lines(api, new_log));
  return difference_of(std::move(old_lines), std::move(new_lines));
}

json::array array_of(const std::vector<std::string>& lines) {
  return json::array(lines.begin(), lines.end());
}
json::object to_json(const Difference& difference) {
  return {{"removed", array_of(difference.only_before)}, {"added", array_of(difference.only_after)}};
}

void print_part(std::string_view heading, const Difference& difference) {
  if (difference.only_before.empty() && difference.only_after.empty()) {
    fmt::print("{}: the same\n", heading);
    return;
  }
  fmt::print("{}:\n", heading);
  for (const auto& line : difference.only_before)
    fmt::print("  - {}\n", line);
  for (const auto& line : difference.only_after)
    fmt::print("  + {}\n", line);
}

// The numbers to compare: what was asked for, else the newest two.
struct Numbers {
  std::uint64_t from;
  std::uint64_t to;
};
Result<Numbers> numbers_of(const ApiClient& api, const std::string& path, const AttestationDiffOptions& options) {
  if (options.from && options.to) return Numbers{*options.from, *options.to};
  TRY(const auto page, api.get(path + "?limit=2"));
  TRY(const auto fields, wire::JsonFields::of(page));
  TRY(const auto* items, fields.required_array("items"));
  if (items->size() < 2)
    return Error{ErrorKind::kNotFound, "attestation.diff.one",
                 fmt::format("of {} only {} attestation is kept: there is nothing to compare it with",
                             options.registration_id, items->size())};
  TRY(const auto newest, wire::JsonFields::of((*items)[0]));
  TRY(const auto earlier, wire::JsonFields::of((*items)[1]));
  TRY(const auto to, newest.required_uint("number"));
  TRY(const auto from, earlier.required_uint("number"));
  return Numbers{options.from.value_or(from), options.to.value_or(to)};
}

}  // namespace

Status diff_attestations(const Context& context, const AttestationDiffOptions& options) {
  TRY(const auto registration, path_of("registrations", options.registration_id));
  const std::string path = registration + "/attestation/evidence";
  TRY(const auto api, client_of(context));
  TRY(const auto numbers, numbers_of(api, path, options));
  TRY(const auto before, api.get(fmt::format("{}/{}", path, numbers.from)));
  TRY(const auto after, api.get(fmt::format("{}/{}", path, numbers.to)));
  TRY(auto old_findings, finding_lines(before));
  TRY(auto new_findings, finding_lines(after));
  TRY(auto old_registers, register_lines(before));
  TRY(auto new_registers, register_lines(after));
  const auto findings = difference_of(std::move(old_findings), std::move(new_findings));
  const auto registers = difference_of(std::move(old_registers), std::move(new_registers));
  TRY(const auto events, events_between(api, before, after));
  if (context.json) {
    print_json(json::object{{"from", numbers.from},
                            {"to", numbers.to},
                            {"findings", to_json(findings)},
                            {"registers", to_json(registers)},
                            {"events", to_json(events)}});
    return {};
  }
  fmt::print("{}, attestation {} (-) and {} (+)\n", options.registration_id, numbers.from, numbers.to);
  print_part("findings", findings);
  print_part("registers", registers);
  print_part("boot log", events);
  return {};
}

}  // namespace warifu::cli
