#include <fmt/format.h>

#include "store/sql_provisioning.h"
#include "store/sql_terms.h"

namespace warifu::store {
namespace {

using provisioning::Attestation;
using provisioning::Enrollment;
using provisioning::Mechanism;
using provisioning::Page;
using provisioning::SymmetricKeyAttestation;
using provisioning::TpmAttestation;
using provisioning::X509Attestation;

#define ENROLLMENT_COLUMNS                                                                          \
  "scope_id, registration_id, enrollment_id, mechanism, primary_credential, secondary_credential, " \
  "ek_name, device_id, " TERMS_COLUMNS ", revision, created_at, updated_at"

constexpr Sql kFind = "SELECT " ENROLLMENT_COLUMNS " FROM enrollments WHERE scope_id = ? AND registration_id = ?";
constexpr Sql kList = "SELECT " ENROLLMENT_COLUMNS
                      " FROM enrollments WHERE scope_id = ? AND registration_id > ? ORDER BY registration_id LIMIT ?";
constexpr Sql kFindOfEk =
    "SELECT registration_id FROM enrollments WHERE scope_id = ? AND ek_name = ? ORDER BY registration_id LIMIT ?";
constexpr Sql kInsert =
    "INSERT INTO enrollments (" ENROLLMENT_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, " TERMS_PARAMETERS ", ?, ?, ?)";
constexpr Sql kUpdate =
    "UPDATE enrollments SET enrollment_id = ?, mechanism = ?, primary_credential = ?, secondary_credential = ?, "
    "ek_name = ?, device_id = ?, " TERMS_ASSIGNMENTS
    ", revision = ?, updated_at = ? WHERE scope_id = ? AND registration_id = ?";
constexpr Sql kRemove = "DELETE FROM enrollments WHERE scope_id = ? AND registration_id = ?";

#undef ENROLLMENT_COLUMNS

// An attestation as its columns hold it; refers to it.
struct Credentials {
  std::string_view mechanism;
  ByteView primary;
  std::optional<ByteView> secondary = {};
  std::optional<ByteView> ek_name = {};
};

Credentials columns_of(const Attestation& attestation) {
  const std::string_view mechanism = to_string(mechanism_of(attestation));
  if (const auto* tpm = std::get_if<TpmAttestation>(&attestation))
    return {mechanism, tpm->ek_public, std::nullopt, ByteView(tpm->ek_name)};
  if (const auto* x509 = std::get_if<X509Attestation>(&attestation)) {
    Credentials columns{mechanism, x509->client.primary};
    if (x509->client.secondary) columns.secondary = *x509->client.secondary;
    return columns;
  }
  const auto& keys = std::get<SymmetricKeyAttestation>(attestation);
  return {mechanism, keys.sealed_primary, ByteView(keys.sealed_secondary)};
}

Result<Attestation> read_attestation(Row& row) {
  TRY(const auto mechanism, read_name(row, provisioning::parse_mechanism, "enrollments.mechanism"));
  TRY(auto primary, row.next<Bytes>());
  TRY(auto secondary, row.next<std::optional<Bytes>>());
  TRY(auto ek_name, row.next<std::optional<Bytes>>());
  switch (mechanism) {
    case Mechanism::kTpm:
      if (!ek_name) break;
      return Attestation(TpmAttestation{std::move(primary), *std::move(ek_name)});
    case Mechanism::kX509:
      return Attestation(X509Attestation{{std::move(primary), std::move(secondary)}});
    case Mechanism::kSymmetricKey:
      if (!secondary) break;
      return Attestation(SymmetricKeyAttestation{std::move(primary), *std::move(secondary)});
  }
  return Error{ErrorKind::kInternal, "store.corrupt", "an enrollment lacks what its mechanism needs", "enrollments"};
}

Result<Enrollment> to_enrollment(Row row) {
  TRY(auto scope, row.next<ScopeId>());
  TRY(auto registration_id, row.next<RegistrationId>());
  TRY(const auto enrollment_id, row.next<Uuid>());
  TRY(auto attestation, read_attestation(row));
  TRY(auto device_id, row.next<std::optional<DeviceId>>());
  TRY(auto terms, read_terms(row));
  TRY(const auto revision, row.next<Uuid>());
  TRY(const auto created_at, row.next<Timestamp>());
  TRY(const auto updated_at, row.next<Timestamp>());
  return Enrollment{std::move(scope),
                    std::move(registration_id),
                    enrollment_id,
                    std::move(attestation),
                    std::move(device_id),
                    std::move(terms),
                    revision,
                    created_at,
                    updated_at};
}

Result<RegistrationId> to_registration_id(Row row) {
  return row.next<RegistrationId>();
}

}  // namespace

Result<std::optional<Enrollment>> SqlProvisioningRecords::find_enrollment(const ScopeId& scope,
                                                                          const RegistrationId& id) {
  TRY(auto query, connection_.prepare(kFind));
  query.bind(scope, id);
  return read_one(query, to_enrollment);
}

Result<std::vector<Enrollment>> SqlProvisioningRecords::list_enrollments(const ScopeId& scope,
                                                                         const Page<RegistrationId>& page) {
  TRY(auto query, connection_.prepare(kList));
  query.bind(scope, after(page), limit_of(page.limit));
  return read_all(query, to_enrollment);
}

Result<std::vector<RegistrationId>> SqlProvisioningRecords::find_enrollments_of_ek(const ScopeId& scope,
                                                                                   ByteView ek_name,
                                                                                   std::size_t limit) {
  TRY(auto query, connection_.prepare(kFindOfEk));
  query.bind(scope, ek_name, limit_of(limit));
  return read_all(query, to_registration_id);
}

Status SqlProvisioningRecords::insert_enrollment(const Enrollment& enrollment) {
  const auto credentials = columns_of(enrollment.attestation);
  const TermsColumns columns(enrollment.terms);
  const auto& terms = enrollment.terms;
  TRY(auto query, connection_.prepare(kInsert));
  query.bind(enrollment.scope, enrollment.registration_id, enrollment.enrollment_id, credentials.mechanism,
             credentials.primary, credentials.secondary, credentials.ek_name, enrollment.device_id, terms.enabled,
             columns.reprovision, columns.allocation, columns.hubs, terms.approve_srk_changes,
             columns.required_attestation, columns.attestation_interval, terms.allow_software_keys, terms.iot_edge,
             terms.initial_twin, terms.custom_allocation, terms.device_information, enrollment.revision,
             enrollment.created_at, enrollment.updated_at);
  return name_conflict(query.run(), "enrollment.exists", "an enrollment of", enrollment.registration_id.text());
}

Status SqlProvisioningRecords::update_enrollment(const Enrollment& enrollment) {
  const auto credentials = columns_of(enrollment.attestation);
  const TermsColumns columns(enrollment.terms);
  const auto& terms = enrollment.terms;
  TRY(auto query, connection_.prepare(kUpdate));
  query.bind(enrollment.enrollment_id, credentials.mechanism, credentials.primary, credentials.secondary,
             credentials.ek_name, enrollment.device_id, terms.enabled, columns.reprovision, columns.allocation,
             columns.hubs, terms.approve_srk_changes, columns.required_attestation, columns.attestation_interval,
             terms.allow_software_keys, terms.iot_edge, terms.initial_twin, terms.custom_allocation,
             terms.device_information, enrollment.revision, enrollment.updated_at, enrollment.scope,
             enrollment.registration_id);
  TRY_STATUS(query.run());
  if (connection_.changes() == 1) return {};
  return Error{ErrorKind::kNotFound, "enrollment.unknown",
               fmt::format("{} is not enrolled", enrollment.registration_id.text())};
}

Status SqlProvisioningRecords::remove_enrollment(const ScopeId& scope, const RegistrationId& id) {
  TRY(auto query, connection_.prepare(kRemove));
  query.bind(scope, id);
  TRY_STATUS(query.run());
  if (connection_.changes() == 1) return {};
  return Error{ErrorKind::kNotFound, "enrollment.unknown", fmt::format("{} is not enrolled", id.text())};
}

}  // namespace warifu::store
