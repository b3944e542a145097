#include "warifu/told_finding.h"

#include "wire/json.h"

namespace warifu::cli {

Result<ToldFinding> read_finding(const boost::json::value& value) {
  TRY(const auto fields, wire::JsonFields::of(value));
  ToldFinding finding;
  TRY(finding.layer, fields.required_string("layer"));
  TRY(finding.tier, fields.required_string("tier"));
  TRY(finding.code, fields.required_string("code"));
  TRY(finding.what, fields.required_string("what"));
  TRY(finding.where, fields.required_string("where"));
  return finding;
}

}  // namespace warifu::cli
