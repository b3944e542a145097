#include "warifu/policy_text.h"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>

#include "attestation/appraisal/policy_file.h"
#include "declarations/node_json.h"
#include "declarations/yaml_reader.h"
#include "warifu/evidence_file.h"

namespace warifu::cli {
namespace {

// Every JSON of a policy is an object. YAML could read it too, but takes much longer for the files of a distribution.
bool is_json(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  return begin != std::string_view::npos && text[begin] == '{';
}

}  // namespace

Result<std::string> read_policy_text(const std::string& file) {
  TRY(const Bytes content, read_evidence(file, attestation::kPolicySizeMax));
  const auto text = as_text(content);
  if (is_json(text)) return std::string(text);
  const std::string name = file == "-" ? "standard input" : file;
  TRY(const auto documents, declarations::read_yaml(text, name));
  if (documents.size() != 1)
    return invalid_input("policy.documents", fmt::format("expected one policy, {} came", documents.size()), name);
  return boost::json::serialize(declarations::to_json(documents.front()));
}

}  // namespace warifu::cli
