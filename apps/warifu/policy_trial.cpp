#include "warifu/policy_trial.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <map>

#include "warifu/pages.h"
#include "warifu/requests.h"
#include "warifu/told_finding.h"
#include "wire/json.h"

namespace warifu::cli {
namespace {

namespace json = boost::json;

const std::vector<Column> kTrialColumns = {
    {"REGISTRATION", "registration_id"}, {"TODAY", "today"}, {"VERDICT", "verdict"}, {"WHY", "why"}};

// How many devices came out how; "unknown" for those that could not be judged.
struct TrialReport {
  json::array items;
  std::map<std::string, std::size_t, std::less<>> verdicts;

  std::size_t of(std::string_view verdict) const {
    const auto found = verdicts.find(verdict);
    return found == verdicts.end() ? 0 : found->second;
  }
  std::size_t judged() const { return of("fails") + of("worse") + of("better") + of("same"); }
};

// Why a device has no verdict.
std::string_view words_of(std::string_view gap) {
  if (gap == "trial.no-evidence") return "no evidence is kept whose IMA list begins at its beginning";
  if (gap == "trial.ak-changed") return "the evidence that is kept is of an earlier AK";
  if (gap == "trial.no-event-log") return "its boot log was not kept: it did not explain the registers";
  if (gap == "trial.registers-not-quoted")
    return "the policy demands registers that it has not quoted yet: put it for review";
  return gap;
}

// One finding for a line: the worst, else the first.
Result<std::string> reason_of(const wire::JsonFields& item) {
  TRY(const auto* findings, item.required_array("findings"));
  std::string reason;
  for (const auto& value : *findings) {
    TRY(const auto finding, read_finding(value));
    const bool is_worst = finding.tier == "contraindicated";
    if (reason.empty() || is_worst)
      reason = fmt::format("{}{}{} [{}]", finding.where, finding.where.empty() ? "" : ": ", finding.what, finding.code);
    if (is_worst) break;
  }
  return reason;
}

Result<json::object> line_of(const wire::JsonFields& item, const std::string& verdict) {
  TRY(const auto id, item.required_string("registration_id"));
  TRY(const auto standing, item.optional_string("standing"));
  TRY(const auto tpm, item.optional_string("tpm"));
  json::object line{{"registration_id", id},
                    {"today", standing.value_or("no policy")},
                    {"tpm", tpm.value_or("")},
                    {"verdict", verdict}};
  if (const auto gap = item.optional_string("gap"); gap && *gap) {
    line["why"] = words_of(**gap);
    return line;
  }
  TRY(line["why"], reason_of(item));
  return line;
}

Status take(TrialReport& report, const json::value& value, bool all, bool as_json) {
  TRY(const auto item, wire::JsonFields::of(value));
  TRY(const auto found, item.optional_string("verdict"));
  const std::string verdict = found.value_or("unknown");
  ++report.verdicts[verdict];
  if (verdict == "same" && !all) return {};
  if (as_json) {
    report.items.push_back(value);
    return {};
  }
  TRY(auto line, line_of(item, verdict));
  report.items.push_back(std::move(line));
  return {};
}

json::object summary_of(const TrialReport& report) {
  return {{"judged", report.judged()},     {"fails", report.of("fails")}, {"worse", report.of("worse")},
          {"better", report.of("better")}, {"same", report.of("same")},   {"unknown", report.of("unknown")}};
}

void print_report(const TrialReport& report, const std::vector<Column>& columns) {
  if (!report.items.empty()) print_table(report.items, columns, "");
  fmt::print("{} judged: {} would fail, {} worse, {} better, {} as today; {} could not be judged\n", report.judged(),
             report.of("fails"), report.of("worse"), report.of("better"), report.of("same"), report.of("unknown"));
}

}  // namespace

Status tell_trial(const Context& context, const ToldTrial& trial) {
  TrialReport report;
  TRY_STATUS(
      each_item(trial.fetch, [&](const json::value& item) { return take(report, item, trial.all, context.json); }));
  if (context.json)
    print_json(json::object{{"summary", summary_of(report)}, {"items", std::move(report.items)}});
  else
    print_report(report, trial.columns);
  if (report.of("fails") == 0) return {};
  return refused(trial.code, fmt::format("{} of {} devices would fail", report.of("fails"), report.judged()));
}

Status test_policy(const Context& context, const PolicyTestOptions& options) {
  TRY(const auto path, policy_path(options.target));
  TRY(const auto body, policy_body(options.file, {.review = options.review, .at = options.at}));
  TRY(const auto api, client_of(context));
  return tell_trial(context, {[&](const std::string& query) { return api.post(path + "/test" + query, body); },
                              options.all, kTrialColumns, "policy.test"});
}

}  // namespace warifu::cli
