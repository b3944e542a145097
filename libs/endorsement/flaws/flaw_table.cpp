#include "endorsement/flaws/flaw_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "crypto/roca.h"
#include "endorsement/flaws/day.h"
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

Result<FlawSource> read_source(const JsonFields& fields) {
  TRY_STATUS(fields.refuse_unknown({"url", "seen", "confirmed"}));
  FlawSource source;
  TRY(source.url, fields.required_string("url"));
  TRY(source.seen, fields.required_string("seen"));
  TRY(const auto confirmed, fields.optional_string("confirmed"));
  if (confirmed && !end_of_day(*confirmed))
    return bad_format(fmt::format("expected a date like 2026-11-29, \"{}\" came", *confirmed),
                      fields.path_of("confirmed"));
  source.confirmed = confirmed.value_or("");
  return source;
}

Result<FlawRule> read_rule(const JsonFields& fields) {
  TRY_STATUS(fields.refuse_unknown({"manufacturer", "models", "affected", "not_affected", "source"}));
  TRY(const std::string manufacturer, fields.required_string("manufacturer"));
  const auto vendor = VendorId::parse(manufacturer);
  if (!vendor) return bad_format("expected a vendor ID of the TCG", fields.path_of("manufacturer"));
  FlawRule rule{*vendor, {}, {}, {}, {}};
  TRY(rule.models, read_texts(fields, "models"));
  TRY(rule.affected, read_ranges(fields, "affected"));
  TRY(rule.not_affected, read_ranges(fields, "not_affected"));
  TRY(const JsonFields source, fields.required_object("source"));
  TRY(rule.source, read_source(source));
  return rule;
}

// Who says that all other makers are not affected says by what.
Status read_elsewhere(const JsonFields& fields, Flaw& flaw) {
  TRY(const std::string elsewhere, fields.required_string("elsewhere"));
  if (elsewhere != "unknown" && elsewhere != "not-affected")
    return bad_format("expected \"unknown\" or \"not-affected\"", fields.path_of("elsewhere"));
  if (elsewhere == "unknown") return {};
  TRY(const JsonFields source, fields.required_object("elsewhere_source"));
  TRY(flaw.elsewhere_source, read_source(source));
  flaw.elsewhere = FlawVerdict::kNotAffected;
  return {};
}

Result<Flaw> read_flaw(const JsonFields& fields) {
  TRY_STATUS(fields.refuse_unknown(
      {"id", "name", "summary", "published", "sources", "elsewhere", "elsewhere_source", "rules"}));
  Flaw flaw;
  TRY(flaw.id, fields.required_string("id"));
  TRY(flaw.name, fields.required_string("name"));
  TRY(flaw.summary, fields.required_string("summary"));
  TRY(flaw.published, fields.required_string("published"));
  TRY(flaw.sources, read_texts(fields, "sources"));
  if (flaw.sources.empty()) return bad_format("expected at least one source", fields.path_of("sources"));
  TRY_STATUS(read_elsewhere(fields, flaw));
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

bool names(const FlawRule& rule, const std::string& model) {
  return std::ranges::find(rule.models, model) != rule.models.end();
}

// Those of the maker, and of the model if one of them names it. Certificates name a chip ("ST33HTPHAHD8") where an
// advisory names a product, so a model that no rule names may be any.
struct Rules {
  std::vector<const FlawRule*> rules;
  bool is_model_known = false;
};
Rules rules_for(const Flaw& flaw, const TpmUnderTest& tpm) {
  Rules found;
  for (const FlawRule& rule : flaw.rules)
    if (rule.manufacturer == *tpm.vendor) found.rules.push_back(&rule);
  if (!tpm.model) return found;
  found.is_model_known =
      std::ranges::any_of(found.rules, [&](const FlawRule* rule) { return names(*rule, *tpm.model); });
  if (found.is_model_known)
    std::erase_if(found.rules,
                  [&](const FlawRule* rule) { return !rule->models.empty() && !names(*rule, *tpm.model); });
  return found;
}

FlawJudgement judge_elsewhere(const Flaw& flaw, VendorId vendor) {
  // A name that is mistyped or made up is nobody's, and may be any maker.
  if (find_vendor(vendor) == nullptr)
    return {&flaw, FlawVerdict::kUnknown, fmt::format("{} is no manufacturer that is known", vendor.text())};
  const std::string reason = fmt::format("there is no rule for {}", vendor.text());
  if (!flaw.elsewhere_source) return {&flaw, FlawVerdict::kUnknown, reason};
  const FlawSource& source = *flaw.elsewhere_source;
  if (source.is_confirmed()) return {&flaw, flaw.elsewhere, reason, &source};
  return {&flaw, FlawVerdict::kUnknown, reason + ", and nobody confirmed that others are not affected", &source};
}

FlawJudgement judge_by_firmware(const Flaw& flaw, const TpmUnderTest& tpm) {
  if (!tpm.vendor) return {&flaw, FlawVerdict::kUnknown, "the manufacturer is not known"};
  const auto [rules, is_model_known] = rules_for(flaw, tpm);
  if (rules.empty()) return judge_elsewhere(flaw, *tpm.vendor);
  if (!tpm.firmware) return {&flaw, FlawVerdict::kUnknown, "the firmware version is not known"};
  const std::string firmware = "firmware " + tpm.firmware->text();
  for (const FlawRule* rule : rules)
    if (is_in(rule->affected, *tpm.firmware))
      return {&flaw, FlawVerdict::kAffected,
              firmware + (rule->source.is_confirmed() ? " is affected" : " is said to be affected"), &rule->source};
  FlawJudgement judgement{&flaw, FlawVerdict::kUnknown, "nothing is known of " + firmware};
  for (const FlawRule* rule : rules) {
    if (!is_in(rule->not_affected, *tpm.firmware)) continue;
    judgement.source = &rule->source;
    if (!rule->models.empty() && !is_model_known)
      judgement.reason = firmware + " is not affected in some models, and which one it is is not known";
    else if (!rule->source.is_confirmed())
      judgement.reason = firmware + " is said not to be affected, which nobody confirmed";
    else
      return {&flaw, FlawVerdict::kNotAffected, firmware + " is not affected", &rule->source};
  }
  return judgement;
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
