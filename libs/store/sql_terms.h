#pragma once

#include "provisioning/terms.h"
#include "store/sql_records.h"

// What the tables of enrollments and of groups share.
namespace warifu::store {

// In the order in which read_terms() reads and the inserts bind them.
#define TERMS_COLUMNS                                                                                         \
  "enabled, reprovision, allocation, hubs, approve_srk_changes, required_attestation, attestation_interval, " \
  "allow_software_keys, iot_edge, initial_twin, custom_allocation, device_information"
#define TERMS_PARAMETERS "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
#define TERMS_ASSIGNMENTS                                                                                       \
  "enabled = ?, reprovision = ?, allocation = ?, hubs = ?, approve_srk_changes = ?, required_attestation = ?, " \
  "attestation_interval = ?, allow_software_keys = ?, iot_edge = ?, initial_twin = ?, custom_allocation = ?, "  \
  "device_information = ?"

Result<provisioning::Terms> read_terms(Row& row);

// Terms as their columns hold them; what is bound must outlive the query.
struct TermsColumns {
  explicit TermsColumns(const provisioning::Terms& terms);
  const provisioning::Terms& terms;
  std::optional<std::string_view> reprovision;
  std::optional<std::string_view> allocation;
  std::optional<std::string_view> required_attestation;
  std::optional<std::int64_t> attestation_interval;  // seconds
  std::string hubs;                                  // names of hosts have no spaces
};

}  // namespace warifu::store
