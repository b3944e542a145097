#include "store/sql_terms.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace warifu::store {
namespace {

std::vector<std::string> split(std::string_view column) {
  std::vector<std::string> words;
  while (!column.empty()) {
    const auto end = std::min(column.find(' '), column.size());
    words.emplace_back(column.substr(0, end));
    column.remove_prefix(std::min(end + 1, column.size()));
  }
  return words;
}

}  // namespace

Result<provisioning::Terms> read_terms(Row& row) {
  provisioning::Terms terms;
  TRY(terms.enabled, row.next<bool>());
  TRY(terms.reprovision, read_optional_name(row, provisioning::parse_reprovision, "reprovision"));
  TRY(terms.allocation, read_optional_name(row, provisioning::parse_allocation, "allocation"));
  TRY(const auto hubs, row.next<std::string>());
  terms.hubs = split(hubs);
  TRY(terms.approve_srk_changes, row.next<bool>());
  TRY(terms.required_attestation,
      read_optional_name(row, provisioning::parse_required_attestation, "required_attestation"));
  TRY(const auto interval, row.next<std::optional<std::int64_t>>());
  if (interval) terms.attestation_interval = std::chrono::seconds(*interval);
  TRY(terms.allow_software_keys, row.next<bool>());
  TRY(terms.iot_edge, row.next<bool>());
  TRY(terms.initial_twin, row.next<std::optional<std::string>>());
  TRY(terms.custom_allocation, row.next<std::optional<std::string>>());
  TRY(terms.device_information, row.next<std::optional<std::string>>());
  return terms;
}

TermsColumns::TermsColumns(const provisioning::Terms& given)
    : terms(given), hubs(fmt::format("{}", fmt::join(given.hubs, " "))) {
  if (given.reprovision) reprovision = to_string(*given.reprovision);
  if (given.allocation) allocation = to_string(*given.allocation);
  if (given.required_attestation) required_attestation = to_string(*given.required_attestation);
  if (given.attestation_interval) attestation_interval = given.attestation_interval->count();
}

}  // namespace warifu::store
