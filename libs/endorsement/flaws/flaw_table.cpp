#include "endorsement/flaws/flaw_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/roca.h"
#include "wire/json.h"

namespace warifu::endorsement {
namespace {

using wire::JsonFields;

constexpr std::string_view kRoca = "CVE-2017-15361";

Error bad_format(std::string message, std::string where) {
  return invalid_input("endorsement.flaws.format", std::move(message), std::move(where));
}

Result<FirmwareVersion> read_version(const JsonFields& fields, std::string_view name) {
  TRY(const std::string text, fields.required_string(name));
  auto version = FirmwareVersion::parse(text);
  if (!version) return bad_format(fmt::format("expected a version like 7.85, \"{}\" came", text), fields.path_of(name));
  return *version;
}

Result<std::vector<VersionRange>> read_ranges(const JsonFields& fields, std::string_view name) {
  std::vector<VersionRange> ranges;
  TRY(const auto* list, fields.optional_array(name));
  if (list == nullptr) return ranges;
  for (const auto& value : *list) {
    TRY(const JsonFields range, JsonFields::of(value, fields.path_of(name)));
    TRY_STATUS(range.refuse_unknown({"from", "before"}));
    TRY(auto from, read_version(range, "from"));
    TRY(auto before, read_version(range, "before"));
    if (!from.before(before)) return bad_format("expected a range that is not empty", fields.path_of(name));
    ranges.push_back({std::move(from), std::move(before)});
  }
  return ranges;
}

Result<std::vector<std::string>> read_texts(const JsonFields& fields, std::string_view name) {
  std::vector<std::string> texts;
  TRY(const auto* list, fields.optional_array(name));
  if (list == nullptr) return texts;
  for (const auto& value : *list) {
    if (!value.is_string()) return bad_format("expected texts", fields.path_of(name));
    texts.emplace_back(value.as_string());
  }
  return texts;
}

Result<FlawRule> read_rule(const JsonFields& fields) {
  TRY_STATUS(fields.refuse_unknown({"manufacturer", "models", "affected", "not_affected"}));
  TRY(const std::string manufacturer, fields.required_string("manufacturer"));
  const auto vendor = VendorId::parse(manufacturer);
  if (!vendor) return bad_format("expected a vendor ID of the TCG", fields.path_of("manufacturer"));
  FlawRule rule{*vendor, {}, {}, {}};
  TRY(rule.models, read_texts(fields, "models"));
  TRY(rule.affected, read_ranges(fields, "affected"));
  TRY(rule.not_affected, read_ranges(fields, "not_affected"));
  return rule;
}

Result<Flaw> read_flaw(const JsonFields& fields) {
  TRY_STATUS(fields.refuse_unknown({"id", "name", "summary", "published", "sources", "elsewhere", "rules"}));
  Flaw flaw;
  TRY(flaw.id, fields.required_string("id"));
  TRY(flaw.name, fields.required_string("name"));
  TRY(flaw.summary, fields.required_string("summary"));
  TRY(flaw.published, fields.required_string("published"));
  TRY(flaw.sources, read_texts(fields, "sources"));
  if (flaw.sources.empty()) return bad_format("expected at least one source", fields.path_of("sources"));
  TRY(const std::string elsewhere, fields.required_string("elsewhere"));
  if (elsewhere != "unknown" && elsewhere != "not-affected")
    return bad_format("expected \"unknown\" or \"not-affected\"", fields.path_of("elsewhere"));
  flaw.elsewhere = elsewhere == "unknown" ? FlawVerdict::kUnknown : FlawVerdict::kNotAffected;
  TRY(const auto* rules, fields.required_array("rules"));
  for (const auto& value : *rules) {
    TRY(const JsonFields rule, JsonFields::of(value, fields.path_of("rules")));
    TRY(auto read, read_rule(rule));
    flaw.rules.push_back(std::move(read));
  }
  return flaw;
}

bool is_in(const std::vector<VersionRange>& ranges, const FirmwareVersion& version) {
  return std::ranges::any_of(
      ranges, [&](const VersionRange& range) { return !version.before(range.from) && version.before(range.before); });
}

FlawJudgement judge_by_firmware(const Flaw& flaw, const TpmUnderTest& tpm) {
  const auto say = [&](FlawVerdict verdict, std::string reason) {
    return FlawJudgement{&flaw, verdict, std::move(reason)};
  };
  if (!tpm.vendor) return say(FlawVerdict::kUnknown, "the manufacturer is not known");
  std::vector<const FlawRule*> rules;
  for (const FlawRule& rule : flaw.rules)
    if (rule.manufacturer == *tpm.vendor) rules.push_back(&rule);
  if (rules.empty()) return say(flaw.elsewhere, fmt::format("there is no rule for {}", tpm.vendor->text()));
  if (!tpm.firmware) return say(FlawVerdict::kUnknown, "the firmware version is not known");
  bool is_cleared = false;
  for (const FlawRule* rule : rules) {
    const bool is_for_all = rule->models.empty();
    const bool is_model = tpm.model && std::ranges::find(rule->models, *tpm.model) != rule->models.end();
    // Without a model any rule may be meant: it can accuse, and cannot clear.
    if (!is_for_all && tpm.model && !is_model) continue;
    if (is_in(rule->affected, *tpm.firmware))
      return say(FlawVerdict::kAffected, fmt::format("firmware {} is affected", tpm.firmware->text()));
    if ((is_for_all || is_model) && is_in(rule->not_affected, *tpm.firmware)) is_cleared = true;
  }
  if (is_cleared)
    return say(FlawVerdict::kNotAffected, fmt::format("firmware {} is not affected", tpm.firmware->text()));
  return say(FlawVerdict::kUnknown, fmt::format("nothing is known of firmware {}{}", tpm.firmware->text(),
                                                tpm.model ? "" : " without the model"));
}

bool has_roca_key(const TpmUnderTest& tpm) {
  return std::ranges::any_of(tpm.keys, [](const SubjectKey& key) {
    const auto* rsa = std::get_if<RsaSubjectKey>(&key);
    return rsa != nullptr && crypto::is_roca_key(rsa->modulus);
  });
}

}  // namespace

std::string_view to_string(FlawVerdict verdict) {
  switch (verdict) {
    case FlawVerdict::kAffected:
      return "affected";
    case FlawVerdict::kNotAffected:
      return "not-affected";
    case FlawVerdict::kUnknown:
      return "unknown";
  }
  return "unknown";
}

Result<FlawTable> FlawTable::load(const SignedText& text) {
  TRY(const auto value, wire::parse_json(text.text(), {.max_bytes = 1024 * 1024}));
  TRY(const JsonFields fields, JsonFields::of(value));
  TRY_STATUS(fields.refuse_unknown({"format", "issued", "flaws"}));
  TRY(const std::string format, fields.required_string("format"));
  if (format != "warifu.tpm-flaws.v1")
    return bad_format(fmt::format("expected warifu.tpm-flaws.v1, \"{}\" came", format), "format");
  FlawTable table;
  TRY(table.issued_, fields.required_string("issued"));
  TRY(const auto* flaws, fields.required_array("flaws"));
  for (const auto& entry : *flaws) {
    TRY(const JsonFields flaw, JsonFields::of(entry, "flaws"));
    TRY(auto read, read_flaw(flaw));
    if (std::ranges::find(table.flaws_, read.id, &Flaw::id) != table.flaws_.end())
      return bad_format(fmt::format("the flaw {} came twice", read.id), "flaws");
    table.flaws_.push_back(std::move(read));
  }
  return table;
}

std::vector<FlawJudgement> FlawTable::judge(const TpmUnderTest& tpm) const {
  std::vector<FlawJudgement> out;
  for (const Flaw& flaw : flaws_) {
    out.push_back(judge_by_firmware(flaw, tpm));
    if (flaw.id == kRoca && has_roca_key(tpm))
      out.back() = {&flaw, FlawVerdict::kAffected, "an RSA key is one of RSALib's: it can be factored"};
  }
  return out;
}

}  // namespace warifu::endorsement
